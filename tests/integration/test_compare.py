"""`adharness compare` on runs that the engine made."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adharness.cli import main
from adharness.report.gap import unification_gaps
from adharness.report.leaderboard import find_value, leaderboard
from adharness.report.paired import Resampler, Resampling
from adharness.report.reading import read_replicates, read_run, read_scores
from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord, Failure, Row

pytestmark = pytest.mark.slow

DATA = {"use": "textures", "size": 48, "train": 8, "good": 6, "per_defect": 2}
BASE: dict[str, Any] = {
    "data": [DATA],
    "protocols": ["per-class", "absolute-unified"],
    "normalizers": [{"use": "raw"}],
    "thresholders": [{"use": "quantile", "q": 0.8}],
    "split": {"calibration": {"normal": 0.3, "anomalous": 0.0}, "seed": 1},
    "metrics": ["image_auroc", "image_f1", "image_fpr", "pixel_auroc"],
    "statistics": {"bootstrap": 100},
}


def methods(ratio: float) -> list[dict[str, Any]]:
    bank = {"use": "random", "ratio": ratio}
    knn = {"name": "knn", "extractor": "px", "bank": bank, "scorer": {"use": "knn-faiss"}}
    floor = {"name": "floor", "extractor": "px", "bank": {"use": "all"},
             "scorer": {"use": "random-scores"}}  # fmt: skip
    return [knn, floor]


def ran(bench: Any, name: str, *, ratio: float = 0.5, **changes: Any) -> Path:
    bench.run(out=name, **{**BASE, "methods": methods(ratio), **changes})
    return bench.folder / name


@pytest.fixture(scope="module")
def old(shared_bench: Any) -> Path:
    return ran(shared_bench, "old")


@pytest.fixture(scope="module")
def new(shared_bench: Any) -> Path:
    return ran(shared_bench, "new", ratio=0.02)


def compare(*options: object) -> int:
    return main.run(["compare", *map(str, options)])


def answer(capsys: Any, *options: object) -> tuple[int, dict[str, Any]]:
    code = compare(*options, "--json")
    return code, json.loads(capsys.readouterr().out)


def rows(document: dict[str, Any], **wanted: str) -> list[dict[str, Any]]:
    found = document["rows"]
    return [row for row in found if all(row[key] == value for key, value in wanted.items())]


def cells_by_axes(folder: Path) -> dict[tuple[str, str], CellRecord]:
    return {(cell.protocol, cell.method): cell for cell in read_run(folder)[1]}


def test_differences_are_second_minus_first_in_every_row(old: Path, new: Path, capsys: Any) -> None:
    _, told = answer(capsys, old, new)
    first, second = cells_by_axes(old), cells_by_axes(new)
    assert {row["class"] for row in told["rows"]} == {"brick", "grass", "gravel", "macro", "pooled"}
    for row in told["rows"]:
        key = row["protocol"], row["method"]
        sides = [find_value(cells[key], row["class"], row["metric"]) for cells in (first, second)]
        assert [row["first"], row["second"]] == [side.value for side in sides]
        if row["difference"] is None:
            assert None in (sides[0].value, sides[1].value)
        else:
            assert row["difference"] == pytest.approx(row["second"] - row["first"])
    assert any(row["difference"] for row in rows(told, method="knn"))
    assert not any(row["difference"] for row in rows(told, method="floor"))


def test_metrics_of_images_and_of_pixels_have_intervals(old: Path, new: Path, capsys: Any) -> None:
    _, told = answer(capsys, old, new)
    for row in told["rows"]:
        assert row["low"] <= row["high"]
    moved = rows(told, method="knn", metric="pixel_auroc")
    assert any(row["low"] < row["difference"] < row["high"] for row in moved)


def test_the_intervals_are_those_of_the_gap(old: Path, capsys: Any) -> None:
    """The gap compares protocols of one run; with two protocols as two runs both must agree."""
    board = leaderboard(*read_run(old))
    names = ["image_auroc", "image_f1", "image_fpr"]
    resample = Resampler(
        lambda cell: read_scores(old, cell), names, Resampling(100, 0.95, 0),
        stored=lambda cell: read_replicates(old, cell),
    ).intervals  # fmt: skip
    gaps = {
        (gap.scope, gap.metric): gap.score
        for gap in unification_gaps(board, resample)
        if gap.method == "knn"
    }
    hidden = old.parent / "hidden"
    shutil.copytree(old, hidden)
    store = RunFolder(hidden)
    cells = cells_by_axes(old)
    disguised = cells["absolute-unified", "knn"].model_copy(update={"protocol": "per-class"})
    files = ("scores.npz", "replicates.npz")
    store.put_cell(disguised, {name: store.cell_arrays(disguised.id, name) for name in files})
    store.put_run(store.run().model_copy(update={"cells": [disguised.id]}))
    _, told = answer(capsys, hidden, old)
    assert len(told["rows"]) == 5 * 4
    for row in told["rows"]:
        gap = gaps[row["class"], row["metric"]]
        assert gap.low is not None
        assert row["difference"] == pytest.approx(gap.value)
        assert (row["low"], row["high"]) == pytest.approx((gap.low, gap.high))


def test_a_run_beside_itself_has_not_moved(old: Path, capsys: Any) -> None:
    code, told = answer(capsys, old, old, "--tolerance", 0, "--at-all")
    assert code == 0
    assert {row["difference"] for row in told["rows"]} == {0.0}
    assert {(row["low"], row["high"]) for row in told["rows"]} == {(0.0, 0.0)}
    assert told["changes"] == []


def test_a_fall_beyond_the_tolerance_exits_with_one(old: Path, new: Path, capsys: Any) -> None:
    falls = {}
    _, told = answer(capsys, old, new, "--metric", "pixel_auroc")
    for row in rows(told, method="knn"):
        falls[row["class"], row["protocol"]] = -100 * row["difference"]
    worst = max(falls.values())
    assert worst > 0  # a bank of 2 % of the patches is worse somewhere
    only = ("--metric", "pixel_auroc", "--only", "method=knn")
    assert compare(old, new, *only, "--tolerance", worst + 0.01, "--at-all") == 0
    assert compare(old, new, *only, "--tolerance", worst - 0.01, "--at-all") == 1
    assert "fell" in capsys.readouterr().out


def test_a_parameter_that_changed_is_told(old: Path, new: Path, capsys: Any) -> None:
    _, told = answer(capsys, old, new)
    assert told["changes"] == [
        {"method": "knn", "setting": "bank.ratio", "first": "0.5", "second": "0.02"}
    ]
    compare(old, new)
    assert "changed: knn: bank.ratio 0.5, now 0.02" in capsys.readouterr().out


def worsened(folder: Path, copy: Path) -> Path:
    """The run with the scores of `knn` turned around, as a broken plugin would: same ids."""
    shutil.copytree(folder, copy)
    store = RunFolder(copy)
    for cell in read_run(copy)[1]:
        if cell.method != "knn":
            continue
        arrays = store.cell_arrays(cell.id, "scores.npz")
        auroc = find_value(cell, "macro", "image_auroc").value
        assert auroc is not None
        kept = [
            row.model_copy(update={"metrics": {
                name: replace(value, value=1 - value.value)
                for name, value in row.metrics.items() if name == "image_auroc"
            }}) for row in cell.rows
        ]  # fmt: skip
        arrays["scores"] = -arrays["scores"]
        store.put_cell(cell.model_copy(update={"rows": kept}), {"scores.npz": arrays})
    return copy


def test_cells_of_one_id_with_other_scores_are_told_apart(old: Path, capsys: Any) -> None:
    turned = worsened(old, old.parent / "turned")
    only = ("--metric", "image_auroc", "--only", "method=knn", "--only", "class=macro")
    _, told = answer(capsys, old, turned, *only, "--only", "protocol=per-class")
    (row,) = told["rows"]
    assert row["difference"] == pytest.approx(1 - 2 * row["first"])
    assert row["low"] < row["difference"] < row["high"]


def refusal(capsys: Any, *options: object) -> list[str]:
    assert compare(*options) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err.splitlines()


def named(lines: Sequence[str]) -> set[str]:
    return {line.split(":")[0].strip() for line in lines[1:-1]}


def test_another_split_of_the_same_test_images_is_refused(
    shared_bench: Any, old: Path, capsys: Any
) -> None:
    split = {**BASE["split"], "seed": 2}
    other = ran(shared_bench, "other-split", methods=methods(0.5)[1:], split=split)
    told = refusal(capsys, old, other)
    assert told[0] == "error: the runs are not comparable"
    assert named(told) == {"split"}  # nothing but the guard's own look at the split sees it
    assert "seed 1" in told[1]
    assert "seed 2" in told[1]
    assert told[-1].startswith("hint:")


def test_other_images_and_a_quick_look_are_refused(
    shared_bench: Any, old: Path, capsys: Any
) -> None:
    data = [{**DATA, "good": 5}]
    other = ran(shared_bench, "other-data", methods=methods(0.5)[1:], data=data)
    assert named(refusal(capsys, old, other)) == {"data fingerprint", "evaluated images"}


def test_another_version_of_the_harness_is_refused(old: Path, capsys: Any) -> None:
    copy = old.parent / "newer"
    shutil.copytree(old, copy)
    for path in copy.glob("cells/*/result.json"):
        record = json.loads(path.read_text())
        record["versions"]["adharness"] = "9.9"
        path.write_text(json.dumps(record))
    told = refusal(capsys, old, copy)
    assert named(told) == {"metric version"}
    assert told[1].endswith("| adharness 9.9")


def test_a_method_may_be_compared_with_another(old: Path, capsys: Any) -> None:
    code, told = answer(
        capsys, old, old, "--methods", "knn=floor", "--only", "class=macro",
        "--metric", "image_auroc", "--only", "protocol=per-class", "--tolerance", "100",
    )  # fmt: skip
    assert code == 0
    (row,) = told["rows"]
    cells = cells_by_axes(old)
    sides = [find_value(cells["per-class", name], "macro", "image_auroc").value
             for name in ("knn", "floor")]  # fmt: skip
    assert row["difference"] == pytest.approx(sides[1] - sides[0])
    assert (row["method"], row["with"]) == ("knn", "floor")
    scores = [read_scores(old, cells["per-class", name]) for name in ("knn", "floor")]
    assert np.array_equal(scores[0].samples, scores[1].samples)


def test_no_common_method_is_an_error_that_says_what_each_has(
    shared_bench: Any, old: Path, capsys: Any
) -> None:
    alone = [{**methods(0.5)[1], "name": "dice"}]
    other = ran(shared_bench, "alone", methods=alone)
    told = refusal(capsys, old, other)
    assert told[0] == "error: the runs have no cell in common"
    assert any("method: knn, floor | dice" in line for line in told)
    assert "--methods 'knn=dice'" in told[-1]


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        (["--only", "class=nut"], "no class 'nut'"),
        (["--only", "metod=knn"], "unknown key 'metod'"),
        (["--metric", "image_auorc"], "neither run measured 'image_auorc'"),
        (["--methods", "knn=nn"], "the second run has no method 'nn'"),
        (["--tolerance", "-1"], "-1"),
        (["--tolerance", "nan"], "not a number"),
    ],
)
def test_a_wrong_option_is_one_clear_error(
    old: Path, capsys: Any, options: list[str], fact: str
) -> None:
    assert fact in refusal(capsys, old, old, *options)[0]


def test_a_folder_that_is_no_run_and_a_run_without_a_page(
    old: Path, tmp_path: Path, capsys: Any
) -> None:
    assert "no run.json" in refusal(capsys, old, tmp_path)[0]
    assert not (old / "leaderboard.html").exists()  # the engine alone writes no board
    assert compare(old, old) == 0


def test_a_cell_that_is_gone_is_told_and_one_that_failed_is_lost(
    old: Path, tmp_path: Path, capsys: Any
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(old, copy)
    cells = cells_by_axes(copy)
    shutil.rmtree(copy / "cells" / cells["per-class", "floor"].id)
    assert compare(old, copy, "--only", "method=knn") == 0
    assert compare(old, copy, "--only", "method=floor") == 1  # damaged: nobody asked for less
    assert "lacks 1 cell" in capsys.readouterr().err
    store = RunFolder(copy)
    left = [cell.id for cell in read_run(copy)[1]]
    store.put_run(store.run().model_copy(update={"cells": left}))
    assert compare(old, copy) == 0  # its suite has one cell less
    assert f"only {old} has textures per-class floor" in " ".join(capsys.readouterr().err.split())
    path = copy / "cells" / cells["per-class", "knn"].id / "result.json"
    record = json.loads(path.read_text())
    failure = {"stage": "fit", "type": "ContractError", "message": "no memory"}
    failed = [
        row | {"status": "failed", "metrics": {}, "failure": failure} for row in record["rows"]
    ]
    path.write_text(json.dumps(record | {"status": "failed", "rows": failed}))
    code, told = answer(capsys, old, copy)
    assert code == 1
    assert {row["verdict"] for row in rows(told, method="knn", protocol="per-class")} == {"lost"}
    assert told["regressions"] == 0
    assert "ContractError while fit: no memory" in {row["reason"] for row in told["rows"]}


def test_classes_that_both_runs_scored_keep_their_intervals_where_another_failed(
    old: Path, new: Path, tmp_path: Path, capsys: Any
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(new, copy)
    store, cell = RunFolder(copy), cells_by_axes(copy)["per-class", "knn"]
    arrays = store.cell_arrays(cell.id, "scores.npz")
    kept = arrays["classes"] != "brick"
    images = ("samples", "classes", "labels", "scores", "threshold")
    fewer = {name: arrays[name][kept] for name in images}
    failure = {"stage": "fit", "type": "ContractError", "message": "no memory"}
    whole = [row for row in cell.rows if row.class_name in ("grass", "gravel")]
    broken = [
        Row(class_name=name, status="failed", failure=Failure(**failure))
        for name in ("brick", "macro", "pooled")
    ]
    record = cell.model_copy(update={"status": "partial", "rows": whole + broken})
    store.put_cell(record, {"scores.npz": fewer})
    only = ("--only", "method=knn", "--only", "protocol=per-class", "--only", "normalizer=raw")
    _, told = answer(capsys, old, copy, *only, "--metric", "image_auroc")
    for row in told["rows"]:
        lost = row["class"] in {"brick", "macro", "pooled"}
        assert (row["verdict"] == "lost") == lost
        assert (row["low"] is None) == lost


def test_a_run_that_was_interrupted_before_its_end_does_not_pass(
    old: Path, tmp_path: Path, capsys: Any
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(old, copy)
    store = RunFolder(copy)
    run = store.run()
    store.put_run(run.model_copy(update={"finished": None}))
    assert compare(old, copy) == 0  # every cell was there by then
    store.put_run(run.model_copy(update={"finished": None, "cells": run.cells[:1]}))
    assert compare(old, copy) == 1
    assert "was interrupted or is damaged, and lacks 3 cells" in capsys.readouterr().err
