from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adharness import DataError, StoreError
from adharness.data import FOLDER, FolderParams, hash_file
from adharness.data.hashes import GRANULE_NS
from adharness.engine.survey import survey
from adharness.registry import Component
from adharness.store.fingerprints import remembered
from adharness.suite.bound import Bound, BoundDataset
from adharness.suite.split import SplitSettings


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of the test were written a while ago."""
    real = time.time_ns
    monkeypatch.setattr("adharness.data.hashes.time.time_ns", lambda: real() + 2 * GRANULE_NS)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are read to be hashed."""
    names: list[str] = []
    real = hashlib.file_digest

    def noting(stream: Any, name: str) -> Any:
        names.append(Path(stream.name).name)
        return real(stream, name)

    monkeypatch.setattr("adharness.data.hashes.hashlib.file_digest", noting)
    return names


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / name for name in ("one.png", "zwei ä.png")]
    for path in paths:
        path.write_bytes(path.name.encode())
    return paths


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "fingerprints" / "x.json"


def hashes(index: Path, files: list[Path]) -> list[str]:
    with remembered(index):
        return [hash_file(path) for path in files]


def true(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.usefixtures("later")
def test_a_file_is_read_once(index: Path, files: list[Path], reads: list[str]) -> None:
    first = hashes(index, files)
    assert reads == ["one.png", "zwei ä.png"]
    assert hashes(index, files) == first == [true(path) for path in files]
    assert len(reads) == 2
    assert [hash_file(path) for path in files] == first  # nobody keeps a book here
    assert len(reads) == 4


@pytest.mark.usefixtures("later")
def test_a_relative_path_finds_the_same_file(
    index: Path, files: list[Path], reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes(index, files)
    monkeypatch.chdir(files[0].parent)
    hashes(index, [Path("one.png")])
    assert len(reads) == 2


def _grow(path: Path) -> None:
    path.write_bytes(b"other bytes")


def _touch(path: Path) -> None:
    path.write_bytes(b"ONE.PNG")
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))


def _restore_time(path: Path) -> None:
    before = path.stat()
    time.sleep(0.02)  # more than the step of ctime
    path.write_bytes(b"ONE.PNG")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("change", [_grow, _touch, _restore_time])
@pytest.mark.usefixtures("later")
def test_a_changed_file_is_hashed_again(
    index: Path, files: list[Path], change: Callable[[Path], None]
) -> None:
    hashes(index, files)
    change(files[0])
    assert hashes(index, files) == [true(path) for path in files]
    assert hashes(index, files) == [true(path) for path in files]


def test_a_file_that_changed_just_now_is_not_trusted(
    index: Path, files: list[Path], reads: list[str]
) -> None:
    # It could change once more within the step of the file system's clock.
    hashes(index, files)
    hashes(index, files)
    assert len(reads) == 4
    assert not index.exists()


@pytest.mark.usefixtures("later")
def test_a_file_from_the_future_is_not_trusted(
    index: Path, files: list[Path], reads: list[str]
) -> None:
    os.utime(files[0], ns=(0, time.time_ns() + 10**15))
    hashes(index, files)
    hashes(index, files)
    assert reads == ["one.png", "zwei ä.png", "one.png"]


@pytest.mark.usefixtures("later")
def test_a_file_that_changes_while_it_is_read_is_not_trusted(
    index: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = hashlib.file_digest

    def slow(stream: Any, name: str) -> Any:
        found = real(stream, name)
        _grow(files[0])
        return found

    monkeypatch.setattr("adharness.data.hashes.hashlib.file_digest", slow)
    hashes(index, files[:1])
    assert not index.exists()


def _cut(data: bytes) -> bytes:
    return data[:-20]


def _flip(data: bytes) -> bytes:
    place = data.rindex(b'"') - 3  # inside a hash: still JSON
    return data[:place] + (b"0" if data[place : place + 1] != b"0" else b"1") + data[place + 1 :]


def _next_schema(data: bytes) -> bytes:
    return data.replace(b'"schema": 1', b'"schema": 2')


@pytest.mark.parametrize(
    "damage",
    [
        _cut,
        _flip,
        _next_schema,
        lambda data: b"",
        lambda data: b"\xff\n{}",
        lambda data: b"[" * 9999,
    ],
)
@pytest.mark.usefixtures("later")
def test_a_damaged_index_is_ignored_and_made_again(
    index: Path, files: list[Path], reads: list[str], damage: Callable[[bytes], bytes]
) -> None:
    expected = hashes(index, files)
    whole = index.read_bytes()
    index.write_bytes(damage(whole))
    assert index.read_bytes() != whole
    assert hashes(index, files) == expected
    assert len(reads) == 4
    assert index.read_bytes() == whole


@pytest.mark.usefixtures("later")
def test_runs_at_once_keep_what_each_has_hashed(
    index: Path, tmp_path: Path, reads: list[str]
) -> None:
    files = [tmp_path / f"{i}.png" for i in range(8)]
    for path in files:
        path.write_bytes(path.name.encode())
    together = threading.Barrier(len(files))

    def run(path: Path) -> None:
        with remembered(index):
            hash_file(path)
            together.wait(timeout=10)  # all have read the index before one writes it

    threads = [threading.Thread(target=run, args=(path,)) for path in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    hashes(index, files)
    assert len(reads) == len(files)


@pytest.mark.usefixtures("later")
def test_what_was_hashed_before_an_error_is_kept(
    index: Path, files: list[Path], reads: list[str]
) -> None:
    with pytest.raises(DataError, match=r"cannot read 'no\.png'"):
        hashes(index, [*files, files[0].with_name("no.png")])
    hashes(index, files)
    assert len(reads) == 2


@pytest.mark.usefixtures("later")
def test_a_known_file_that_is_gone_is_an_error_and_then_forgotten(
    index: Path, files: list[Path]
) -> None:
    hashes(index, files[:1])
    files[0].unlink()
    with pytest.raises(DataError, match=r"cannot read 'one\.png'"):
        hashes(index, files)
    hashes(index, files[1:])
    assert b"one.png" not in index.read_bytes()


@pytest.mark.usefixtures("later")
def test_an_index_that_cannot_be_written_is_an_error_that_names_it(
    tmp_path: Path, files: list[Path]
) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match="cannot write"):
        hashes(tmp_path / "cache" / "x.json", files)


@pytest.mark.usefixtures("later")
def test_a_second_survey_reads_no_file(tmp_path: Path, reads: list[str]) -> None:
    for name in ("train/good", "test/good", "test/bent"):
        folder = tmp_path / "set/nut" / name
        folder.mkdir(parents=True)
        for i in range(3):
            (folder / f"{i}.png").write_bytes(f"{name} {i}".encode())
    reader = Bound(Component(FOLDER, "adharness", "0"), FolderParams(root=tmp_path / "set"))
    suite: Any = SimpleNamespace(split=SplitSettings())
    data = BoundDataset("folder", reader, None)
    first = survey(suite, data, cache=tmp_path / "cache")
    assert len(reads) == 9
    second = survey(suite, data, cache=tmp_path / "cache")
    assert len(reads) == 9
    assert second.hashes == first.hashes
    (tmp_path / "set/nut/test/bent/1.png").write_bytes(b"other")
    third = survey(suite, data, cache=tmp_path / "cache")
    assert reads[9:] == ["1.png"]
    assert sum(a != b for a, b in zip(first.hashes, third.hashes, strict=True)) == 1
    some = Bound(reader.component, FolderParams(root=tmp_path / "set", classes=("nut",)))
    survey(suite, BoundDataset("some", some, ("nut",)), cache=tmp_path / "cache")
    assert len(reads) == 10
