from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adharness.cli import main
from adharness.errors import StoreError
from adharness.report import site
from adharness.report.site import MARKER, publish
from adharness.report.site_records import slug
from adharness.report.write import write_report
from adharness.store.folder import RunFolder

Maker = Callable[..., Path]


@pytest.fixture(scope="module")
def run_of(fake_run: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Maker:
    """Make a finished run with its page: `run_of("2026-10-01")`."""

    def make(day: str, **kinds: Any) -> Path:
        folder: Path = tmp_path_factory.mktemp("run")
        fake_run(thresholders=["f1"], **kinds).write(folder)
        store = RunFolder(folder)
        store.put_run(store.run().model_copy(update={"started": f"{day}T03:01:09Z"}))
        write_report(folder)
        return folder

    return make


@pytest.fixture(scope="module")
def two(run_of: Maker) -> tuple[Path, Path]:
    return run_of("2026-10-01", faults=False), run_of("2026-11-01", hostile=True)


@pytest.fixture
def copied(two: tuple[Path, Path], tmp_path: Path) -> Path:
    """A run of its own, to be broken."""
    return Path(shutil.copytree(two[0], tmp_path / "copied"))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


class Page(HTMLParser):
    """Links, tags and text of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        given_ = dict(attrs)
        self.attributes |= given_.keys()
        self.links += [given_["href"] or ""] if "href" in given_ else []
        self.ids += [given_["id"] or ""] if "id" in given_ else []

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_same_runs_give_the_same_bytes_at_once_or_one_after_the_other(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    publish(two, tmp_path / "a", "Boards")
    publish(two[:1], tmp_path / "b", "Boards")
    done = publish(two[1:], tmp_path / "b")
    assert (done.runs, done.added, done.methods) == (2, 1, 4)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert publish(two[:1], tmp_path / "b").added == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_every_link_is_relative_and_leads_to_a_file_of_the_site(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    publish(two, tmp_path / "s")
    pages = [tmp_path / "s" / "index.html", *(tmp_path / "s" / "methods").iterdir()]
    assert len(pages) == 5
    for path in pages:
        page = Page(path)
        assert page.links
        for link in page.links:
            place, _, anchor = link.partition("#")
            assert not re.match(r"[a-z]+:|/", place)
            assert (path.parent / place).is_file() if place else anchor in page.ids
        assert len(page.ids) == len(set(page.ids))


def test_pages_have_no_script_and_a_policy_that_allows_none(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    publish(two, tmp_path / "s")
    for path in [tmp_path / "s" / "index.html", *(tmp_path / "s" / "methods").iterdir()]:
        page = Page(path)
        assert not page.tags & {"script", "img", "iframe", "object", "form"}
        assert not any(name.startswith("on") for name in page.attributes)
        assert "default-src 'none'; style-src 'unsafe-inline';" in path.read_text("utf-8")


def test_hostile_names_are_text_and_stay_within_the_site(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    publish(two, tmp_path / "s", "<img src=x onerror=alert(1)>")
    index = Page(tmp_path / "s" / "index.html")
    assert not index.tags & {"em", "img"}
    assert "<img src=x onerror=alert(1)>" in index.text
    assert "quick <em>start</em>" in index.text
    assert {path.name for path in (tmp_path / "s").iterdir()} == set(site.OWN)
    folders = {path.name for path in (tmp_path / "s" / "runs").iterdir()}
    assert all(re.fullmatch(r"[a-z0-9_-]+", name) for name in folders)
    assert len(folders) == 2


@given(st.text(max_size=90), st.text(max_size=90))
def test_two_names_never_share_a_file_and_none_leaves_its_folder(one: str, other: str) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,79}", slug(one))
    assert (slug(one) == slug(other)) == (one == other)


def test_a_plain_name_is_its_own_file_and_capitals_are_another() -> None:
    assert slug("knn-faiss") == "knn-faiss"
    assert slug("KNN") != slug("knn") != slug("Knn")
    assert slug("..") != slug("/")


def break_unfinished(run: Path) -> None:
    store = RunFolder(run)
    store.put_run(store.run().model_copy(update={"finished": None}))


def break_schema(run: Path) -> None:
    document = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**document, "schema": 2, "new": 1}))


def break_board(run: Path, value: float | None = 0.999, **other: Any) -> None:
    document = json.loads((run / "leaderboard.json").read_text())
    line = document["ranks"][5]
    line |= {"value": value if value is not None else line["value"], **other}
    (run / "leaderboard.json").write_text(json.dumps(document))


def break_cell(run: Path) -> None:
    next((run / "cells").glob("*/scores.npz")).write_bytes(b"other")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (break_unfinished, "did not finish"),
        (break_schema, "of schema 2, and this version reads schema 1"),
        (break_cell, "lacks 1 cell of 48: damaged"),
        (lambda run: (run / "leaderboard.html").unlink(), "has no leaderboard.html"),
        (lambda run: (run / "leaderboard.json").unlink(), "has no leaderboard.json"),
        (
            lambda run: (run / "leaderboard.json").write_text('{"ranks": 1}'),
            "is not what adharness",
        ),
        (break_board, "is not the board of these results: "),
        (lambda run: break_board(run, value=None, rank="first"), "is not what adharness"),
        (lambda run: break_board(run, value=None, spread=[1]), "is not what adharness"),
        (lambda run: (run / "run.json").unlink(), "is not the folder of a run"),
        (lambda run: (run / "run.json").write_text("[]"), "holds a list"),
    ],
)
def test_what_is_no_whole_run_is_refused_and_nothing_is_written(
    copied: Path, tmp_path: Path, spoil: Callable[[Path], Any], told: str
) -> None:
    spoil(copied)
    with pytest.raises(StoreError, match=told):
        publish([copied], tmp_path / "s")
    assert [path.name for path in tmp_path.iterdir()] == ["copied"]


def test_two_copies_of_a_run_are_refused(
    two: tuple[Path, Path], copied: Path, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match="are the same run"):
        publish([two[0], copied], tmp_path / "s")


def test_a_folder_that_is_no_site_is_never_touched(two: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(StoreError, match="not a site that adharness published"):
        publish(two, tmp_path / "mine")
    assert contents(tmp_path) == {"mine/thesis.tex": b"years of work"}
    (tmp_path / "empty").mkdir()
    assert publish(two, tmp_path / "empty").runs == 2


def test_files_of_the_owner_in_the_top_folder_stay(two: tuple[Path, Path], tmp_path: Path) -> None:
    publish(two[:1], tmp_path / "s")
    (tmp_path / "s" / "CNAME").write_text("boards.example.org")
    (tmp_path / "s" / ".git").mkdir()
    (tmp_path / "s" / ".git" / "HEAD").write_text("ref")
    publish(two[1:], tmp_path / "s")
    assert (tmp_path / "s" / "CNAME").read_text() == "boards.example.org"
    assert (tmp_path / "s" / ".git" / "HEAD").read_text() == "ref"
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_an_error_on_the_way_leaves_the_old_site(
    two: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(two[:1], tmp_path / "s")
    before = contents(tmp_path)

    def full(*_: object) -> str:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(site, "feed", full)
    with pytest.raises(OSError, match="No space"):
        publish(two[1:], tmp_path / "s")
    assert contents(tmp_path) == before


def test_a_published_file_that_was_changed_is_told(two: tuple[Path, Path], tmp_path: Path) -> None:
    publish(two[:1], tmp_path / "s")
    page = next((tmp_path / "s").glob("runs/*/*/leaderboard.html"))
    page.write_text("better numbers")
    with pytest.raises(StoreError, match="is not what was published"):
        publish(two[1:], tmp_path / "s")


def test_a_site_that_points_out_of_itself_is_refused(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    publish(two[:1], tmp_path / "s")
    document = json.loads((tmp_path / "s" / MARKER).read_text())
    place = document["runs"][0]
    shutil.move(tmp_path / "s" / place, tmp_path / "elsewhere")
    (tmp_path / "s" / MARKER).write_text(json.dumps({**document, "runs": ["../elsewhere"]}))
    with pytest.raises(StoreError, match="is not what adharness-site"):
        publish(two[1:], tmp_path / "s")
    (tmp_path / "s" / MARKER).write_text(json.dumps({**document, "schema": 9}))
    with pytest.raises(StoreError, match="of schema 9"):
        publish(two[1:], tmp_path / "s")


@pytest.mark.parametrize(
    "address",
    [
        *("boards", "ftp://x.org", "https://", "javascript:alert(1)"),
        *("https://x.org/?a=1", 'https://x.org/"', "http://["),
    ],
)
def test_what_is_no_web_address_is_refused(
    two: tuple[Path, Path], tmp_path: Path, address: str
) -> None:
    with pytest.raises(StoreError, match="is no web address"):
        publish(two, tmp_path / "s", base_url=address)
    assert not (tmp_path / "s").exists()


def test_the_feed_is_a_json_feed_with_the_newest_run_first_and_every_row(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    publish(two, tmp_path / "s", "Ours", "https://x.example.org/b")
    publish(two[:1], tmp_path / "s")  # keeps title and address
    found = json.loads((tmp_path / "s" / "feed.json").read_text("utf-8"))
    assert found["version"] == "https://jsonfeed.org/version/1.1"
    assert found["title"] == "Ours"
    assert found["feed_url"] == "https://x.example.org/b/feed.json"
    assert [item["date_published"][:10] for item in found["items"]] == ["2026-11-01", "2026-10-01"]
    for item in found["items"]:
        assert item["url"].startswith("https://x.example.org/b/runs/")
        assert item["content_text"]
        place = item["url"].removeprefix("https://x.example.org/b/")
        assert (tmp_path / "s" / place).is_file()
        rows = item["_adharness"]["rows"]
        assert len(rows) == 48
        assert {row["judged"] for row in rows} <= item["_adharness"]["judged"].keys()
    board = json.loads((two[0] / "leaderboard.json").read_text("utf-8"))
    told = {(*(row[k] for k in KEYS), row["rank"], row["value"]) for row in board["ranks"]}
    mine = found["items"][1]["_adharness"]["rows"]
    assert {(*(row[k] for k in KEYS), row["rank"], row["value"]) for row in mine} == told


def test_ranks_and_origins_are_those_of_the_runs_own_board(copied: Path, tmp_path: Path) -> None:
    document = json.loads((copied / "leaderboard.json").read_text())
    for rank in document["ranks"]:
        rank["rank"] = 1  # as where no method can be told from another
    for row in document["rows"]:
        row["origin"] = {"status": "self-reported", "source": "<i>them</i>"}
    (copied / "leaderboard.json").write_text(json.dumps(document))
    publish([copied], tmp_path / "s")
    text = " ".join(Page(tmp_path / "s" / "index.html").text.split())
    assert "4 share the first rank" in text
    assert "self-reported · <i>them</i>" in text
    feed = json.loads((tmp_path / "s" / "feed.json").read_text("utf-8"))
    assert "share the first rank" in feed["items"][0]["content_text"]


KEYS = ("dataset", "protocol", "method", "normalizer", "thresholder")


def test_the_command_says_what_it_did(
    two: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["publish", *map(str, two), "--out", str(tmp_path / "s")]) == 0
    assert "2 runs (2 new), 4 methods" in " ".join(capsys.readouterr().out.split())
    assert main.run(["publish", str(tmp_path), "--out", str(tmp_path / "t")]) == 2
    assert "is not the folder of a run" in " ".join(capsys.readouterr().err.split())
