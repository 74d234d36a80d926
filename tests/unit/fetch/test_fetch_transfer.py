from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPMessage
from pathlib import Path
from urllib.request import Request

import pytest

from adharness import DataError
from adharness.data.fetch.transfer import Patience, StaySafe, transfer
from file_server import Behaviour, serving

BODY = random.Random(0).randbytes(300_000)
HASTY = Patience(timeout_s=0.3, tries=3, pause_s=0, sleep=lambda _: None)

Start = Callable[[Behaviour], str]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ExitStack() as stack:
        yield lambda behaviour: stack.enter_context(serving(behaviour))


def get(url: str, part: Path, size: int | None = len(BODY)) -> bool:
    return transfer(url, part, size_bytes=size, patience=HASTY)


@pytest.mark.parametrize("says_length", [True, False])
@pytest.mark.parametrize("size", [len(BODY), None])
def test_a_file_comes_whole(start: Start, tmp_path: Path, says_length: bool, size: int) -> None:
    url = start(Behaviour(BODY, says_length=says_length))
    assert get(url, tmp_path / "x", size) is False
    assert (tmp_path / "x").read_bytes() == BODY


def test_a_broken_connection_is_resumed_with_a_range(start: Start, tmp_path: Path) -> None:
    server = Behaviour(BODY, cut_after=[100_000, 50_000])
    get(start(server), tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == BODY
    assert [r.get("Range") for r in server.requests] == [None, "bytes=100000-", "bytes=150000-"]
    assert [r.get("If-Range") for r in server.requests] == [None, '"one"', '"one"']


def test_without_ranges_a_broken_download_begins_again(start: Start, tmp_path: Path) -> None:
    server = Behaviour(BODY, ranges=False, cut_after=[100_000])
    get(start(server), tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == BODY


def test_without_a_validator_nothing_is_asked_to_be_resumed(start: Start, tmp_path: Path) -> None:
    server = Behaviour(BODY, etag=None, cut_after=[100_000])
    get(start(server), tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == BODY
    assert [r.get("Range") for r in server.requests] == [None, None]


def test_a_weak_tag_is_no_validator(start: Start, tmp_path: Path) -> None:
    server = Behaviour(BODY, etag='W/"one"', cut_after=[100_000])
    get(start(server), tmp_path / "x")
    assert [r.get("Range") for r in server.requests] == [None, None]


def test_a_server_that_stops_talking_is_asked_again(start: Start, tmp_path: Path) -> None:
    server = Behaviour(BODY, stall_after=[70_000])
    get(start(server), tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == BODY
    assert server.requests[1]["Range"] == "bytes=70000-"


def test_the_next_call_goes_on_where_this_one_gave_up(start: Start, tmp_path: Path) -> None:
    server = Behaviour(BODY, cut_after=[100_000, 0, 0, 0])
    url = start(server)
    with pytest.raises(DataError, match="stopped after 100000 bytes") as caught:
        get(url, tmp_path / "x")
    assert "same command again" in str(caught.value.hint)
    assert len(server.requests) == 1 + HASTY.tries
    assert get(url, tmp_path / "x") is True
    assert (tmp_path / "x").read_bytes() == BODY
    assert server.requests[-1]["Range"] == "bytes=100000-"


def test_a_file_that_changed_meanwhile_is_downloaded_anew(start: Start, tmp_path: Path) -> None:
    server = Behaviour(BODY, cut_after=[100_000, 0, 0, 0])
    url = start(server)
    with pytest.raises(DataError):
        get(url, tmp_path / "x")
    server.body, server.etag = BODY[::-1], '"two"'
    get(url, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == BODY[::-1]


def test_a_part_of_another_address_is_not_gone_on_from(start: Start, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"old")
    (tmp_path / "x.json").write_text(json.dumps({"url": "elsewhere", "validator": '"one"'}))
    get(start(Behaviour(BODY)), tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == BODY


@pytest.mark.parametrize("note", ["", "[]", "not json"])
def test_a_damaged_note_means_a_new_beginning(start: Start, tmp_path: Path, note: str) -> None:
    (tmp_path / "x").write_bytes(b"old")
    (tmp_path / "x.json").write_text(note)
    get(start(Behaviour(BODY)), tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == BODY


def test_a_range_that_begins_elsewhere_is_thrown_away(start: Start, tmp_path: Path) -> None:
    server = Behaviour(BODY, cut_after=[100_000], shift=5)
    get(start(server), tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == BODY
    assert [r.get("Range") for r in server.requests] == [None, "bytes=100000-", None]


def test_a_redirect_is_followed_and_keeps_the_range(start: Start, tmp_path: Path) -> None:
    server = Behaviour(BODY, redirect_to="/there", cut_after=[100_000])
    get(start(server) + "/moved", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == BODY
    asked = [(r["path"], r.get("Range")) for r in server.requests]
    assert asked[-1] == ("/there", "bytes=100000-")


def test_a_busy_server_is_asked_again_and_a_missing_file_is_not(
    start: Start, tmp_path: Path
) -> None:
    server = Behaviour(BODY, codes=[503, 429])
    url = start(server)
    get(url, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == BODY
    server.codes, server.requests = [404], []
    with pytest.raises(DataError, match=r"refuses .*: 404"):
        get(url, tmp_path / "y")
    assert len(server.requests) == 1


@pytest.mark.parametrize("says_length", [True, False])
def test_a_file_of_another_size_is_refused(start: Start, tmp_path: Path, says_length: bool) -> None:
    url = start(Behaviour(BODY + b"more", says_length=says_length))
    with pytest.raises(DataError, match=r"300004 bytes|more than 300000 bytes"):
        get(url, tmp_path / "x")


def test_nothing_but_the_web_is_asked(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("mine")
    with pytest.raises(DataError, match="no address of the web"):
        get((tmp_path / "secret").as_uri(), tmp_path / "x")


def test_a_disk_that_is_too_small_is_told_before_anything_is_written(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 1000

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage)
    with pytest.raises(DataError, match="GB are still to come") as caught:
        get(start(Behaviour(BODY)), tmp_path / "x")
    assert "--out" in str(caught.value.hint)
    assert not (tmp_path / "x").exists()


def test_a_file_that_is_whole_already_is_kept(start: Start, tmp_path: Path) -> None:
    server = Behaviour(BODY)
    url = start(server)
    get(url, tmp_path / "x", None)
    assert get(url, tmp_path / "x", None) is True
    assert (tmp_path / "x").read_bytes() == BODY
    assert [r.get("Range") for r in server.requests] == [None, f"bytes={len(BODY)}-"]
    get(url, tmp_path / "x")
    assert len(server.requests) == 2  # where the size is known, nobody has to be asked


def test_a_part_that_is_longer_than_the_file_is_thrown_away(start: Start, tmp_path: Path) -> None:
    server = Behaviour(BODY)
    url = start(server)
    get(url, tmp_path / "x")
    (tmp_path / "x").write_bytes(BODY + b"more")
    get(url, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == BODY


def test_a_redirect_out_of_https_is_refused() -> None:
    begun = Request("https://owners.example/a.zip")
    with pytest.raises(DataError, match="not encrypted"):
        StaySafe().redirect_request(
            begun, io.BytesIO(), 302, "", HTTPMessage(), "http://mirror.example/a.zip"
        )
    followed = StaySafe().redirect_request(
        begun, io.BytesIO(), 302, "", HTTPMessage(), "https://mirror.example/a.zip"
    )
    assert followed is not None
