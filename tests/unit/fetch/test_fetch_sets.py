from __future__ import annotations

import hashlib
import io
import random
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adharness import DataError, DatasetSpec, Download
from adharness.data import FOLDER
from adharness.data.fetch import Patience, fetch_set
from file_server import Behaviour, serving

HASTY = Patience(timeout_s=0.3, tries=1, pause_s=0, sleep=lambda _: None)
PICTURE = random.Random(1).randbytes(50_000)


def archive(*, evil: bool = False) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as out:
        out.writestr("hardware/nut/train/good/000.png", PICTURE)
        out.writestr("../evil.png" if evil else "hardware/readme.txt", b"x")
    return stream.getvalue()


GOOD = archive()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Behaviour, str]]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    behaviour = Behaviour(GOOD)
    with serving(behaviour) as url:
        yield behaviour, url


def spec(url: str, body: bytes = GOOD, size: int | None = len(GOOD)) -> DatasetSpec:
    known = hashlib.sha256(body).hexdigest()
    record = Download(url, known, size, "CC BY 4.0", "https://creativecommons.org")
    return replace(FOLDER, name="hard-ware", download=record, url="https://owners.example")


def get(one: DatasetSpec, out: Path, *, accepted: bool = True) -> Path:
    return fetch_set(one, out, accepted=accepted, patience=HASTY)


def test_a_set_is_downloaded_verified_and_unpacked_where_data_root_finds_it(
    server: tuple[Behaviour, str], tmp_path: Path
) -> None:
    root = get(spec(server[1]), tmp_path / "data")
    assert root == tmp_path / "data/hard_ware"
    assert (root / "nut/train/good/000.png").read_bytes() == PICTURE
    assert list((tmp_path / "data").iterdir()) == [root]


def test_the_licence_is_accepted_by_a_flag_and_nothing_is_asked_before(
    server: tuple[Behaviour, str], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r"CC BY 4\.0: https://creativecommons.org") as caught:
        get(spec(server[1]), tmp_path, accepted=False)
    typed = f"adharness data fetch hard-ware --out {tmp_path} --accept-licence"
    assert str(caught.value.hint).endswith(typed)
    assert server[0].requests == []
    assert list(tmp_path.iterdir()) == []


def test_a_set_without_a_record_says_what_to_do_by_hand(tmp_path: Path) -> None:
    gated = replace(spec("https://x.example"), download=None)
    with pytest.raises(DataError, match="cannot be fetched by a program") as caught:
        get(gated, tmp_path)
    hint = str(caught.value.hint)
    assert "https://owners.example" in hint
    assert f"adharness data doctor {tmp_path / 'hard_ware'} --use hard-ware" in hint


def test_an_archive_with_a_wrong_checksum_is_never_unpacked_nor_kept(
    server: tuple[Behaviour, str], tmp_path: Path
) -> None:
    changed = bytes([*GOOD[:-1], GOOD[-1] ^ 1])
    server[0].body = changed
    with pytest.raises(DataError, match="the SHA-256") as caught:
        get(spec(server[1]), tmp_path)
    assert hashlib.sha256(changed).hexdigest() in caught.value.message
    assert hashlib.sha256(GOOD).hexdigest() in caught.value.message
    assert [p.name for p in tmp_path.iterdir()] == []


def test_a_download_that_broke_goes_on_at_the_next_call(
    server: tuple[Behaviour, str], tmp_path: Path
) -> None:
    server[0].cut_after = [20_000, 0, 0]
    with pytest.raises(DataError, match="stopped after 20000 bytes"):
        get(spec(server[1]), tmp_path)
    server[0].cut_after = []
    get(spec(server[1]), tmp_path)
    assert server[0].requests[-1]["Range"] == "bytes=20000-"
    assert [p.name for p in tmp_path.iterdir()] == ["hard_ware"]


def test_a_spoilt_first_half_is_downloaded_again(
    server: tuple[Behaviour, str], tmp_path: Path
) -> None:
    server[0].cut_after = [20_000, 0, 0]
    with pytest.raises(DataError):
        get(spec(server[1]), tmp_path)
    server[0].cut_after = []
    (tmp_path / ".hard_ware.part").write_bytes(bytes(20_000))
    root = get(spec(server[1]), tmp_path)
    assert (root / "nut/train/good/000.png").read_bytes() == PICTURE


def test_an_archive_that_is_known_but_hostile_is_not_unpacked(
    server: tuple[Behaviour, str], tmp_path: Path
) -> None:
    evil = archive(evil=True)
    server[0].body = evil
    (tmp_path / "data").mkdir()
    with pytest.raises(DataError, match="climbs by"):
        get(spec(server[1], evil, None), tmp_path / "data")
    assert [p.name for p in tmp_path.iterdir()] == ["data"]
    assert not (tmp_path / "data/hard_ware").exists()


def test_a_set_that_is_there_is_not_fetched_again(
    server: tuple[Behaviour, str], tmp_path: Path
) -> None:
    (tmp_path / "hard_ware").mkdir()
    with pytest.raises(DataError, match="already there") as caught:
        get(spec(server[1]), tmp_path)
    assert "adharness data doctor" in str(caught.value.hint)
    assert server[0].requests == []
