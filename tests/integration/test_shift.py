"""A shift of the test images, from the suite to the board."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from adharness.cli import main
from adharness.contracts import FeatureGrid, FittedScorer, Memory, Params, ScorerSpec, Scores
from adharness.data.defects import DEFECTS
from adharness.engine.events import StepDone

SET = {"use": "textures", "size": 32, "train": 8, "good": 4, "per_defect": 1}
NOISE, AFFINE = "textures+noise-3", "textures+affine-5"
SHIFT = {"corruptions": ["noise", {"use": "affine", "severity": 5}], "severity": 3}
KNN = {"name": "knn", "extractor": "px", "bank": {"use": "all"}, "scorer": {"use": "knn-faiss"}}
SMALL: dict[str, Any] = {
    "data": [{**SET, "shift": SHIFT}],
    "protocols": ["per-class", "absolute-unified"],
    "extractors": {"px": {"use": "pixel-patches", "resize": 32, "patch_px": 8}},
    "methods": [KNN],
    "normalizers": [{"use": "raw"}],
    "thresholders": [{"use": "f1"}],
    "metrics": ["image_auroc", "image_recall", "image_fpr", "pixel_auroc"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of two protocols on textures, clean and under two corruptions."""
    home = tmp_path_factory.mktemp("shift")
    suite = {"schema": 1, "name": "tiny", **SMALL, "statistics": {"bootstrap": 20}}
    (home / "tiny.yaml").write_text(yaml.safe_dump(suite, sort_keys=False))
    where = ["--out", str(home / "out"), "--cache-dir", str(home / "cache")]
    assert main.run(["run", str(home / "tiny.yaml"), *where]) == 0
    return home / "out"


def document(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "leaderboard.json").read_text())


def pairs(folder: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each row of a shifted set with the row of its clean set."""
    rows = document(folder)["rows"]
    key = ("class", "protocol", "method", "normalizer", "thresholder", "seed")
    for shifted in (row for row in rows if "shift" in row):
        yield next(
            (row, shifted)
            for row in rows
            if row["dataset"] == shifted["shift"]["of"] and all(row[k] == shifted[k] for k in key)
        )


def test_each_corruption_is_a_data_set_of_the_board(folder):
    rows = document(folder)["rows"]
    assert list(dict.fromkeys(row["dataset"] for row in rows)) == ["textures", NOISE, AFFINE]
    assert {row["status"] for row in rows} == {"ok"}
    shifts = {row["dataset"]: row.get("shift") for row in rows}
    assert shifts["textures"] is None
    assert shifts[NOISE] == {
        "of": "textures", "corruption": "noise", "severity": 3, "seed": 0, "version": 1,
    }  # fmt: skip


def test_models_normalizers_and_thresholds_are_those_of_the_clean_set(folder):
    """Whatever is calibrated is equal to the last bit; only what is tested differs."""
    compared = 0
    for clean, shifted in pairs(folder):
        records = [
            json.loads((folder / "cells" / row["cell"] / "result.json").read_text())
            for row in (clean, shifted)
        ]
        assert records[0]["thresholds"] == records[1]["thresholds"]
        arrays = [np.load(folder / "cells" / r["cell"] / "scores.npz") for r in (clean, shifted)]
        for name in ("samples", "labels", "threshold", "calibration_samples", "calibration_scores"):
            np.testing.assert_array_equal(arrays[0][name], arrays[1][name])
        assert (arrays[0]["scores"] != arrays[1]["scores"]).all()
        compared += 1
    assert compared == 2 * 2 * (3 + 2)  # shifts, protocols, rows


def test_a_drop_is_the_clean_number_minus_the_shifted_one(folder):
    for clean, shifted in pairs(folder):
        for metric, drop in shifted["drop"].items():
            sides = clean["metrics"][metric]["value"], shifted["metrics"][metric]["value"]
            assert drop["value"] == pytest.approx(sides[0] - sides[1])
    first = next(pairs(folder))[1]["drop"]
    assert first["image_auroc"]["low"] <= first["image_auroc"]["high"]
    assert first["pixel_auroc"]["low"] <= first["pixel_auroc"]["high"]


def test_the_drop_of_a_clean_row_is_the_mean_over_the_corruptions(folder):
    found: dict[tuple[str, str], list[float]] = {}
    for clean, shifted in pairs(folder):
        key = clean["cell"], clean["class"]
        found.setdefault(key, []).append(shifted["drop"]["image_fpr"]["value"])
    rows = [row for row in document(folder)["rows"] if row["dataset"] == "textures"]
    for row in rows:
        drops = found[row["cell"], row["class"]]
        assert len(drops) == 2
        assert row["drop"]["image_fpr"]["value"] == pytest.approx(sum(drops) / 2)


def test_the_csv_file_says_what_was_done_and_what_it_cost(folder):
    with (folder / "leaderboard.csv").open() as file:
        lines = list(csv.DictReader(file))
    of = {line["dataset"]: (line["shift_of"], line["corruption"], line["severity"])
          for line in lines}  # fmt: skip
    assert of == {
        "textures": ("", "", ""),
        NOISE: ("textures", "noise", "3"),
        AFFINE: ("textures", "affine", "5"),
    }
    assert all(line["image_auroc_drop"] and line["pixel_auroc_drop"] for line in lines)


def test_the_page_shows_drops_beside_the_clean_numbers_and_no_board_of_a_shift(folder):
    page = (folder / "leaderboard.html").read_text()
    assert 'id="shift"' in page
    assert "recall drop" in page
    assert "noise 3" in page
    boards = page[page.index('id="boards"') : page.index('id="shift"')]
    assert NOISE not in boards


def test_there_is_one_split_and_it_is_that_of_the_clean_set(folder):
    assert [path.name for path in (folder / "splits").iterdir()] == ["textures.json"]


class _NoParams(Params):
    """Nothing to set."""


def counting(fits: list[int]) -> ScorerSpec:
    class Counting:
        def fit(self, memory: Memory, rng: np.random.Generator) -> FittedScorer:
            fits.append(1)
            return self

        def score(self, features: FeatureGrid) -> Scores:
            return Scores(patches=features.patches.mean(axis=3))

    return ScorerSpec(
        name="counting", params=_NoParams, make=lambda _: Counting(), needs="bag",
        deterministic=True, summary="Counts its fits.",
    )  # fmt: skip


def test_a_model_is_fitted_once_and_clean_images_are_extracted_once(bench):
    fits: list[int] = []
    one = {**KNN, "scorer": {"use": "counting"}}
    bench.run(extra=[counting(fits)], **{**SMALL, "methods": [one]})
    assert len(fits) == 3 + 1  # a class each, and merged
    done = [e for e in bench.events if isinstance(e, StepDone) and e.stage == "extract"]
    made = sum(e.count for e in done if not e.reused)
    every = 3 * (8 + 4 + len(DEFECTS))
    assert made == every + 2 * len(np.load(_scores(bench.out))["samples"])
    assert sum(e.count for e in done if e.reused) == 2 * every


def _scores(out: Path) -> Path:
    records = [json.loads(p.read_text()) for p in (out / "cells").glob("*/result.json")]
    found = next(r for r in records if r["protocol"] == "absolute-unified")
    return out / "cells" / found["id"] / "scores.npz"


def test_a_shift_that_is_added_later_leaves_what_is_there(bench):
    bench.run(**{**SMALL, "data": [SET]})
    before = {p: p.stat().st_mtime_ns for p in bench.out.rglob("*.npz")}
    bench.run(**SMALL)
    after = {p: p.stat().st_mtime_ns for p in bench.out.rglob("*.npz")}
    assert before.items() < after.items()


def test_a_shift_runs_without_its_clean_set_and_is_then_a_board_of_its_own(bench, capsys):
    assert bench.cli("--only", f"dataset={NOISE}", **SMALL) == 0
    page = (bench.out / "leaderboard.html").read_text()
    assert NOISE in page[page.index('id="boards"') :]
    drop = document(bench.out)["rows"][0]["drop"]["image_auroc"]
    assert drop["value"] is None
    assert drop["reason"] == "no result of textures"


def test_files_under_a_shift_keep_their_masks_and_a_limit_holds(bench, tree):
    data = [{"use": "folder", "root": str(tree.root), "shift": SHIFT}]
    assert bench.cli("--limit", "2", **{**SMALL, "data": data}) == 0
    rows = [row for row in document(bench.out)["rows"] if row["dataset"] == "folder+affine-5"]
    assert all(row["metrics"]["pixel_auroc"]["value"] is not None for row in rows)


def test_an_image_that_cannot_be_read_is_left_out_of_the_clean_and_the_shifted_set(bench, tree):
    (tree.root / "nut/test/good/001.png").write_bytes(b"nothing")
    data = [{"use": "folder", "root": str(tree.root), "shift": {"corruptions": ["blur"]}}]
    record, cells = bench.run(**{**SMALL, "data": data, "on_error": "skip"})
    assert {cell.status for cell in cells} == {"ok"}
    skipped = {(one.dataset, one.path) for one in record.skipped}
    assert skipped == {(name, "nut/test/good/001.png") for name in ("folder", "folder+blur-3")}


def test_a_set_that_is_not_there_is_told_by_its_own_name(bench, tmp_path, capsys):
    data = [{"use": "folder", "root": str(tmp_path / "gone"), "shift": SHIFT}]
    assert bench.cli(**{**SMALL, "data": data}) == 2
    told = capsys.readouterr().err
    assert "the root of data set 'folder'" in told
    assert str(tmp_path / "gone") in told


def test_what_was_made_elsewhere_sits_a_shift_out(bench, tmp_path, capsys):
    theirs = {"name": "theirs", "scorer": {"use": "imported", "root": str(tmp_path),
              "models": "per-class"}}  # fmt: skip
    suite = bench.suite(**{**SMALL, "methods": [KNN, theirs]})
    assert main.run(["check", str(suite), "--no-estimate"]) == 0
    told = capsys.readouterr().out
    assert "cells: 7 = 3 data set(s) x 2 method(s) x 2 protocol(s)" in told
    assert f"{NOISE}: textures, its test images under noise at severity 3" in told


def test_a_shifted_cell_can_be_saved_and_scores_as_the_run_did(bench):
    """The saved model is the clean one: only the images that it is checked on are corrupted."""
    assert bench.cli(**SMALL) == 0
    where = ["--cache-dir", str(bench.cache), "--out", str(bench.folder / "saved")]
    choice = ["--only", f"dataset={NOISE}", "--only", "protocol=per-class"]
    assert main.run(["save", str(bench.out), *choice, *where]) == 0


def test_a_split_file_of_the_clean_set_splits_its_shifts(bench, folder):
    split = {"policy": "file", "path": str(folder / "splits")}
    one = {**SMALL, "protocols": ["absolute-unified"], "split": split}
    assert bench.cli("--only", f"dataset={NOISE}", **one) == 0
    split_of = [json.loads((out / "splits/textures.json").read_text())["splits"]
                for out in (bench.out, folder)]  # fmt: skip
    assert split_of[0] == split_of[1]
    (made,) = [json.loads(p.read_text()) for p in (bench.out / "cells").glob("*/result.json")]
    known = {c["cell"] for c in document(folder)["rows"] if c["dataset"] == NOISE}
    assert made["id"] in known
