from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adharness.report.export import KEYS, csv_columns, to_csv, to_json
from adharness.report.leaderboard import Leaderboard, find_value, leaderboard
from adharness.report.reading import read_run
from adharness.report.seeds import over_seeds
from adharness.store.records import Value


@pytest.fixture(scope="module")
def board(run_folder: Path) -> Leaderboard:
    return leaderboard(*read_run(run_folder))


def test_the_order_of_the_cells_changes_nothing(run_folder: Path, board: Leaderboard) -> None:
    run, cells = read_run(run_folder)
    for seed in range(5):
        shuffled = random.Random(seed).sample(cells, len(cells))
        again = leaderboard(run, shuffled)
        assert again == board
        assert to_json(again) == to_json(board)
        assert to_csv(again) == to_csv(board)


def test_ranks_follow_the_headline_of_the_protocol(board: Leaderboard) -> None:
    for group in {s.group for s in board.standings}:
        own = [s for s in board.standings if s.group == group and s.rank is not None]
        values = [s.headline.value for s in own]
        assert values == sorted(values, key=lambda value: -(value or 0))
        assert [s.rank for s in own] == [
            1 + sum((other or 0) > (value or 0) for other in values) for value in values
        ]


@pytest.mark.parametrize(
    ("protocol", "row"),
    [("per-class", "macro"), ("model-unified", "macro"), ("absolute-unified", "pooled")],
)
def test_the_headline_is_macro_unless_the_class_is_unknown(
    board: Leaderboard, protocol: str, row: str
) -> None:
    for standing in (s for s in board.standings if s.group.protocol == protocol):
        wanted = find_value(standing.cells[0], row, "image_auroc").value
        assert standing.headline.value == wanted


def test_equal_numbers_share_a_rank(fake_run: Any, tmp_path: Path) -> None:
    run, cells = read_run(fake_run(faults=False, thresholders=["f1"]).write(tmp_path))
    twin = next(c for c in cells if c.method == "knn")
    equal = {"rows": twin.rows}
    rival = next(c for c in cells if c.method == "patchcore" and _alike(c, twin))
    same = [rival.model_copy(update=equal) if c is rival else c for c in cells]
    group = [s for s in leaderboard(run, same).standings if _alike(s.cells[0], twin)]
    assert [s.rank for s in group] == [1, 1, 3, 4]


def _alike(cell: Any, other: Any) -> bool:
    keys = ("dataset", "protocol", "normalizer", "thresholder")
    return all(getattr(cell, key) == getattr(other, key) for key in keys)


def test_failed_partial_and_class_told_cells_are_shown_but_not_ranked(board: Leaderboard) -> None:
    odd = [s for s in board.standings if any(c.status != "ok" or c.class_oracle for c in s.cells)]
    assert {s.unranked for s in odd} == {
        "failed",
        "failed for some classes",
        "upper bound: knows the class",
    }
    assert all(s.rank is None for s in odd)
    assert all(s.rank is not None for s in board.standings if s not in odd)


def test_a_failed_cell_without_rows_still_has_a_row(run_folder: Path) -> None:
    run, cells = read_run(run_folder)
    bare = cells[0].model_copy(update={"status": "failed", "rows": []})
    document = json.loads(to_json(leaderboard(run, [bare, *cells[1:]])))
    assert document["rows"][0]["status"] == "failed"
    assert "left no numbers" in document["rows"][0]["failure"]


def test_cells_of_other_suites_are_left_out_and_missing_ones_are_named(run_folder: Path) -> None:
    run, cells = read_run(run_folder)
    stranger = cells[0].model_copy(update={"id": "stranger"})
    board = leaderboard(run, [stranger, *cells[1:]])
    assert board.missing == (cells[0].id,)
    assert "stranger" not in {entry.cell.id for entry in board.rows}


def test_a_method_without_one_of_the_seeds_is_not_ranked(fake_run: Any, tmp_path: Path) -> None:
    run, cells = read_run(fake_run(seeds=[0, 1], faults=False, thresholders=["f1"]).write(tmp_path))
    board = leaderboard(run, [c for c in cells if (c.method, c.seed) != ("knn", 1)])
    reasons = {s.method: s.unranked for s in board.standings if not s.cells[0].class_oracle}
    assert reasons["knn"] == "no result for seed 1"
    assert reasons["padim"] is None


def test_json_has_the_promised_keys_and_no_nan(board: Leaderboard) -> None:
    document = json.loads(to_json(board), parse_constant=pytest.fail)
    assert document["schema"] == 1
    assert document["suite"] == board.run.suite
    assert document["provenance"]["git"] == {"commit": "e5de389", "dirty": False}
    assert len(document["rows"]) == len(board.rows)
    for row in document["rows"]:
        assert [key for key in row if key not in {"failure", "threshold"}] == [*KEYS, "metrics"]
        assert ("failure" in row) == (row["status"] == "failed")
        for value in row["metrics"].values():
            assert set(value) - {"reason"} == {"value", "low", "high"}
            assert ("reason" in value) == (value["value"] is None)


def test_csv_holds_the_same_numbers_as_json(board: Leaderboard) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(board))))
    document = json.loads(to_json(board))["rows"]
    assert list(rows[0]) == csv_columns(board.run.metrics)
    assert list(rows[0])[: len(KEYS)] == list(KEYS)
    for flat, deep in zip(rows, document, strict=True):
        assert flat["class"] == deep["class"]
        assert flat["failure"] == deep.get("failure", "")
        for metric, value in deep["metrics"].items():
            for column, part in ((metric, "value"), (f"{metric}_low", "low")):
                assert flat[column] == ("" if value[part] is None else repr(value[part]))


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_several_seeds_give_a_mean_with_a_spread_and_no_interval(numbers: list[float]) -> None:
    score = over_seeds([Value(value=number, low=0.0, high=1.0) for number in numbers])
    assert score.value == pytest.approx(np.mean(numbers))
    assert score.spread == (min(numbers), max(numbers))
    assert (score.low, score.high) == (None, None)


def test_one_seed_keeps_its_interval() -> None:
    score = over_seeds([Value(value=0.5, low=0.4, high=0.6)])
    assert (score.value, score.low, score.high, score.spread) == (0.5, 0.4, 0.6, None)


def test_a_number_that_is_undefined_for_one_seed_is_undefined() -> None:
    score = over_seeds([Value(value=0.5), Value(value=None, reason="no anomalous pixel")])
    assert (score.value, score.reason) == (None, "no anomalous pixel")
