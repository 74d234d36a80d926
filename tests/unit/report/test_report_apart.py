"""Methods that were judged otherwise have a ranking of their own, and the page says why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adharness.report.apart import judged_apart
from adharness.report.boards import board_tables
from adharness.report.findings import findings, winners
from adharness.report.gap import unification_gaps
from adharness.report.leaderboard import Leaderboard, leaderboard
from adharness.report.page import build_page, render_page
from adharness.report.reading import read_run
from adharness.report.reversals import reversals
from adharness.store.records import CellRecord

IDENTITY = {"calibration": "c" * 16, "test": "e" * 16, "maps": {"resolution": "native"}}
Changed = Callable[[CellRecord], dict[str, Any]]


def _board(folder: Path, change: Changed, methods: dict[str, Any] | None = None) -> Leaderboard:
    run, cells = read_run(folder)
    judged = [c.model_copy(update={"identity": IDENTITY, **change(c)}) for c in cells]
    return leaderboard(run.model_copy(update={"methods": run.methods | (methods or {})}), judged)


def _cropped(folder: Path, *methods: str) -> Leaderboard:
    extractor = {"use": "timm", "params": {"resize": [256, 256], "crop": [224, 224]}}
    return _board(folder, lambda _: {}, {name: {"extractor": extractor} for name in methods})


@pytest.fixture
def whole(fake_run: Any, tmp_path: Path) -> Path:
    folder: Path = fake_run(faults=False, thresholders=["f1"]).write(tmp_path)
    return folder


def test_methods_that_were_judged_alike_share_one_ranking(whole: Path) -> None:
    board = _board(whole, lambda _: {})
    assert {s.group.apart for s in board.standings} == {""}
    assert len(board_tables(board)) == len(board.run.protocols)


def test_a_crop_takes_a_method_out_of_the_ranking_of_the_others(whole: Path) -> None:
    board = _cropped(whole, "knn")
    text = "crop: crop 224 x 224 of 256 x 256 (others: whole image)"
    assert {s.method for s in board.standings if s.group.apart == text} == {"knn"}
    alone = [s for s in board.standings if s.method == "knn" and s.unranked is None]
    assert alone
    assert all(s.rank == 1 for s in alone)
    others = {s.rank for s in board.standings if s.method != "knn" and s.unranked is None}
    assert others == set(range(1, len(board.run.methods)))


def test_the_best_of_those_apart_wins_nothing(whole: Path) -> None:
    best = winners(_board(whole, lambda _: {}), "textures")[0].method
    apart = _cropped(whole, best)
    assert best not in {w.method for w in winners(apart, "textures")}
    told = [one for one in findings(apart, unification_gaps(apart)) if "not ranked with" in one]
    assert len(told) == len(apart.run.datasets)
    assert f"{best} is not ranked with the others: crop" in told[0]


def test_no_reversal_is_told_of_methods_that_were_judged_apart(whole: Path) -> None:
    board = _board(whole, lambda _: {})
    turned = reversals(board)[0]
    apart = reversals(_cropped(whole, turned.within.method))
    pairs = [{one.within.method, one.pooled.method} for one in apart]
    assert {turned.within.method, turned.pooled.method} not in pairs


def test_gaps_are_those_of_a_method_with_itself_and_stay(whole: Path) -> None:
    plain = unification_gaps(_board(whole, lambda _: {}))
    cropped = unification_gaps(_cropped(whole, "knn"))
    assert sorted(map(repr, cropped)) == sorted(map(repr, plain))


def test_the_page_has_a_table_for_them_that_says_why(whole: Path) -> None:
    board = _cropped(whole, "knn")
    tables = board_tables(board)
    assert [t.id for t in tables[:2]] == ["board-1-0", "board-1-1"] or tables[1].id == "board-1-1"
    assert "crop 224 x 224 of 256 x 256" in tables[1].caption
    assert {line.method for line in tables[1].lines} == {"knn"}
    assert "knn" not in {line.method for line in tables[0].lines}
    text = render_page(build_page(board, []))
    assert text.count("Judged apart, and not ranked with the board above.") >= len(
        board.run.protocols
    )


REASONS: dict[str, dict[str, Any]] = {
    "split": {"identity": IDENTITY | {"calibration": "d" * 16}},
    "evaluated images": {"identity": IDENTITY | {"test": "f" * 16}},
    "evaluation resolution": {"identity": IDENTITY | {"maps": {"resolution": 256}}},
    "metric version": {"versions": {"adharness": "9.9.9"}},
}


@pytest.mark.parametrize("reason", REASONS)
def test_each_condition_keeps_apart(whole: Path, reason: str) -> None:
    board = _board(whole, lambda c: REASONS[reason] if c.method == "padim" else {})
    apart = {s.group.apart.split(":")[0] for s in board.standings if s.method == "padim"}
    assert apart == {reason}


def test_what_the_records_do_not_hold_is_one_condition_within_a_run(whole: Path) -> None:
    board = _board(whole, lambda _: {"identity": {}})
    assert {s.group.apart for s in board.standings} == {""}
    mixed = _board(whole, lambda c: {"identity": {}} if c.method == "padim" else {})
    assert {s.method for s in mixed.standings if s.group.apart} == {"padim"}


def test_a_seed_that_was_judged_apart_leaves_the_mean(fake_run: Any, tmp_path: Path) -> None:
    folder = fake_run(faults=False, thresholders=["f1"], seeds=[0, 1]).write(tmp_path)
    other = {"identity": IDENTITY | {"test": "f" * 16}}
    board = _board(folder, lambda c: other if (c.method, c.seed) == ("knn", 1) else {})
    why = {s.unranked for s in board.standings if s.method == "knn"}
    assert why <= {"no result for seed 0", "no result for seed 1", None} | {
        s.unranked for s in board.standings if s.cells[0].class_oracle
    }
    assert {"no result for seed 0", "no result for seed 1"} <= why


def test_differences_beyond_the_digits_shown_are_still_apart(whole: Path) -> None:
    run, cells = read_run(whole)
    tails = {"knn": "1", "padim": "2"}
    judged = [
        c.model_copy(update={"identity": IDENTITY | {"test": "f" * 15 + tails.get(c.method, "0")}})
        for c in cells
    ]
    texts = judged_apart(run, judged)
    by_method = {c.method: texts[c.id] for c in judged if c.dataset == "textures"}
    assert len({by_method["knn"], by_method["padim"], ""}) == 3
    assert by_method["patchcore"] == ""


def test_the_order_of_the_cells_decides_only_between_equally_many(whole: Path) -> None:
    board = _cropped(whole, "knn")
    cells = [s.cells[0] for s in board.standings]
    texts = judged_apart(board.run, cells)
    assert judged_apart(board.run, cells[::-1]) == texts
