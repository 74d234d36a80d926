"""What people really feed a tool: each gets one clear error, and nothing stored is lost."""

from __future__ import annotations

import errno
import json
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from adharness import ExtractorSpec, FeatureGrid, Params, Preprocess
from adharness.cli import main
from adharness.engine.events import StepDone
from adharness.errors import StoreError

pytestmark = pytest.mark.slow


def rows_of(out: Path) -> list[dict]:
    return json.loads((out / "leaderboard.json").read_text())["rows"]


def lines(text: str, start: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(start)]


def test_a_healthy_tree_runs(bench, on_tree):
    assert bench.cli(**on_tree) == 0


def test_a_missing_root_names_the_folder_and_the_layout(bench, capsys):
    assert bench.cli(data=[{"use": "folder", "root": "/nowhere/at/all"}]) == 2
    error = capsys.readouterr().err
    assert len(lines(error, "error:")) == 1
    assert "/nowhere/at/all" in error
    assert "train/good" in error


def test_mvtec_without_the_data_says_what_is_expected_and_where_it_comes_from(bench, capsys):
    assert main.run(["run", "suites/mvtec_unified.yaml", "--out", str(bench.out)]) == 2
    error = capsys.readouterr().err
    assert len(lines(error, "error:")) == 1
    for part in ("mvtec_ad", "train/good", "ground_truth", "--data-root", "mvtec.com"):
        assert part in error
    assert not (bench.out / "cells").exists()


def test_an_empty_class_folder_is_named(bench, tree, on_tree, capsys):
    for file in (tree.root / "nut/train/good").iterdir():
        file.unlink()
    assert bench.cli(**on_tree) == 2
    assert "nut" in lines(capsys.readouterr().err, "error:")[0]


def test_an_anomalous_image_without_its_mask_is_named(bench, tree, on_tree, capsys):
    (tree.root / "nut/ground_truth/dent/002_mask.png").unlink()
    assert bench.cli(**on_tree) == 2
    error = capsys.readouterr().err
    assert "dent/002" in error
    assert len(lines(error, "error:")) == 1


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])


def a_bomb(path: Path) -> None:
    """A PNG whose header claims 60,000 x 60,000 pixels."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b""))


def not_an_image(path: Path) -> None:
    path.write_text("no image at all")


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("spoil", [truncate, a_bomb, not_an_image, empty])
def test_an_unreadable_image_fails_its_class_and_no_other(bench, tree, on_tree, capsys, spoil):
    spoil(tree.root / "nut/test/good/001.png")
    assert bench.cli(**on_tree) == 1
    error = capsys.readouterr().err
    assert len(lines(error, "error:")) == 1
    assert "001.png" in error
    assert "on_error: skip" in error
    states = {(r["class"], r["status"]) for r in rows_of(bench.out) if r["protocol"] == "per-class"}
    assert states == {("nut", "failed"), ("bolt", "ok"), ("macro", "failed"), ("pooled", "failed")}


@pytest.mark.parametrize("spoil", [truncate, a_bomb])
def test_under_skip_an_unreadable_image_is_a_record_on_the_board(
    bench, tree, on_tree, capsys, spoil
):
    spoil(tree.root / "nut/test/good/001.png")
    spoil(tree.root / "nut/train/good/001.png")
    assert bench.cli(**on_tree, on_error="skip") == 0
    record = json.loads((bench.out / "run.json").read_text())
    skipped = {s["path"] for s in record["skipped"]}
    assert skipped == {"nut/test/good/001.png", "nut/train/good/001.png"}
    assert "nut/test/good/001.png" in (bench.out / "leaderboard.html").read_text()
    assert record["datasets"][0]["counts"]["nut"]["test_normal"] == 3
    assert {r["status"] for r in rows_of(bench.out)} == {"ok"}


def test_a_mask_of_another_size_than_its_image_fails_its_class(bench, tree, on_tree, capsys):
    tree.mask("nut/ground_truth/dent/001_mask.png", size=40)
    suite = {**on_tree, "split": {"calibration": {"normal": 0.3, "anomalous": 0.0}},
             "thresholders": [{"use": "quantile"}]}  # fmt: skip
    assert bench.cli(**suite) == 1
    error = capsys.readouterr().err
    assert "40 x 40 pixels" in error
    assert "48 x 48" in error
    assert bench.cli(**suite, on_error="skip") == 0
    assert len(json.loads((bench.out / "run.json").read_text())["skipped"]) == 1


@pytest.mark.parametrize("mode", ["L", "I;16"])
def test_grey_and_16_bit_images_are_read(bench, tree, mode):
    tree.fill("grey", mode=mode)
    root = str(tree.root)
    assert bench.cli(data=[{"use": "folder", "root": root, "classes": ["grey"]}]) == 0


def test_a_feature_that_is_not_a_number_names_the_image_and_the_extractor(bench):
    class NoParams(Params):
        """Nothing to set."""

    class Broken:
        preprocess = Preprocess(16, 16)

        def fingerprint(self) -> str:
            return "broken"

        def extract(self, images):
            patches = np.ones((len(images), 2, 2, 3), np.float32)
            patches[3] = np.nan
            return FeatureGrid(patches)

    spec = ExtractorSpec(name="broken", params=NoParams, make=lambda _: Broken(), summary="")
    _, cells = bench.run(extra=[spec], extractors={"px": {"use": "broken"}})
    failure = cells[0].rows[0].failure
    assert failure
    assert "broken" in failure.message
    assert "003" in failure.message
    assert "not finite" in failure.message


class FullDisk:
    """Lets some syncs through, then says that no space is left."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room_for: int) -> None:
        self.left = room_for
        self._sync = os.fsync
        monkeypatch.setattr(os, "fsync", self.sync)

    def sync(self, handle: int) -> None:
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._sync(handle)


@pytest.mark.parametrize("room_for", [0, 2, 9, 20, 40])
def test_a_full_disk_is_one_error_and_the_next_run_goes_on(bench, monkeypatch, capsys, room_for):
    _, whole = bench.run(out="whole", cache="other")
    with monkeypatch.context() as patch:
        FullDisk(patch, room_for)
        assert bench.cli() == 2
    error = capsys.readouterr().err
    assert len(lines(error, "error:")) == 1
    assert "No space left on device" in error
    assert not list(bench.folder.rglob(".*.npz.*"))  # nothing half written is left behind
    _, resumed = bench.run()
    assert [c.rows for c in resumed] == [c.rows for c in whole]
    if room_for == 40:
        judged = [e for e in bench.events if isinstance(e, StepDone) and e.stage == "judge"]
        assert any(e.reused for e in judged)


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_computed(bench):
    (bench.folder / "out").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="cannot write"):
        bench.run()
    assert not (bench.folder / "cache").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("just words", "mapping"),
        ("{{{", "tiny.yaml:1"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n" + "d: *c\n" * 3, "error"),
        ("", "empty"),
    ],
)
def test_a_file_that_is_no_suite_is_one_error(bench, capsys, text, says):
    path = bench.folder / "tiny.yaml"
    path.write_text(text)
    assert main.run(["run", str(path)]) == 2
    error = capsys.readouterr().err
    assert len(lines(error, "error:")) == 1
    assert says in error


def test_a_billion_laughs_ends_at_once(bench, capsys):
    bomb = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    bomb += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    path = bench.folder / "bomb.yaml"
    path.write_text("\n".join(bomb))
    assert main.run(["run", str(path)]) == 2
    assert len(lines(capsys.readouterr().err, "error:")) == 1
