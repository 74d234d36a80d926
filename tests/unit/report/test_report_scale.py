"""What a report of very many cells does once, and what it does not keep: calls, not seconds."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adharness.report import image_draws, leads, ties, write_report
from adharness.report.export import json_chunks, to_json
from adharness.report.image_draws import Resampling
from adharness.report.json_text import TOGETHER, json_document
from adharness.report.kept_scores import KeptScores
from adharness.report.leaderboard import Leaderboard, leaderboard
from adharness.report.leading import leading
from adharness.report.page import build_page, render_page
from adharness.report.paired import KEPT_CELLS, Resampler
from adharness.report.reading import ImageScores, read_run, read_scores
from adharness.report.ties import find_rankings
from adharness.store.records import CellRecord

HEADLINE = "image_auroc"
HOW = Resampling(40, 0.95, 0)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner,
                                                                max_size=3),
    max_leaves=8,
)  # fmt: skip


@pytest.fixture(scope="module")
def board(run_folder: Path) -> Leaderboard:
    return leaderboard(*read_run(run_folder))


@pytest.fixture
def read(run_folder: Path) -> KeptScores:
    return KeptScores(lambda cell: read_scores(run_folder, cell))


def counted(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> Counter[str]:
    """Count the calls of a function of a module."""
    calls: Counter[str] = Counter()
    original = getattr(module, name)

    def told(*given: object) -> object:
        calls[name] += 1
        return original(*given)

    monkeypatch.setattr(module, name, told)
    return calls


# --- draws and pairs ------------------------------------------------------------------------


def test_images_are_drawn_once_for_all_cells_that_judged_the_same_ones(board, read, monkeypatch):
    calls = counted(monkeypatch, image_draws, "_draw")
    find_rankings(board, Resampler(read, [HEADLINE], HOW), read)
    images = {
        (cell.dataset, tuple(scores.samples.tolist()))
        for standing in board.standings
        for cell in standing.cells
        for scores in [read(cell)]
        if scores is not None
    }
    assert calls["_draw"] <= len(images)
    assert len(images) < len(board.standings)


def test_the_statistics_of_equal_scores_are_one_object_whatever_their_threshold(board, read):
    cell = next(s.cells[0] for s in board.standings if s.rank == 1)
    key = HEADLINE, "macro"
    other = cell.model_copy(update={"id": "other"})
    shifted = cell.model_copy(update={"id": "shifted"})
    scores = read(cell)
    assert scores is not None
    answers = {
        cell.id: scores,
        "other": replace(scores, threshold=scores.threshold + 1),
        "shifted": replace(scores, scores=scores.scores[::-1].copy()),
    }
    resampler = Resampler(lambda one: answers[one.id], [HEADLINE], HOW)
    one, same, third = (resampler.single(each, key) for each in (cell, other, shifted))
    assert one is same
    assert third is not one
    decided = Resampler(lambda one: answers[one.id], [HEADLINE, "image_f1"], HOW)
    assert decided.single(cell, key) is not decided.single(other, key)


def test_groups_that_differ_in_their_thresholder_alone_are_compared_once(
    board, read, run_folder, monkeypatch
):
    """One data set of the made-up run has other scores by thresholder: make them equal."""
    first = {
        (c.dataset, c.protocol, c.method, c.normalizer, c.seed): c
        for s in reversed(board.standings)
        for c in s.cells
    }

    def alike(cell: CellRecord) -> ImageScores | None:
        key = (cell.dataset, cell.protocol, cell.method, cell.normalizer, cell.seed)
        return read(first[key])

    calls = counted(monkeypatch, ties, "compared")
    rankings = [
        r for r in find_rankings(board, Resampler(alike, [HEADLINE], HOW), alike) if r.leads
    ]
    settings = {(r.group.dataset, r.group.protocol, r.group.normalizer) for r in rankings}
    methods = {frozenset((one.better, one.worse) for one in r.leads) for r in rankings}
    assert len({id(r.leads) for r in rankings}) == calls["compared"] < len(rankings)
    assert calls["compared"] <= len(settings) * len(methods)
    assert {r.group for r in rankings} <= {s.group for s in board.standings}
    assert len({r.group for r in rankings}) == len(rankings)


def test_scores_are_put_in_order_once_a_method_and_not_once_a_pair(board, read, monkeypatch):
    calls = counted(monkeypatch, leads, "_ordered")
    rankings = find_rankings(board, Resampler(read, [HEADLINE], HOW), read)
    compared = [r for r in rankings if r.leads]
    assert any(lead.delong is not None for r in compared for lead in r.leads)
    assert calls["_ordered"] <= sum(
        len({m for one in r.leads for m in (one.better, one.worse)}) for r in compared
    )


def test_replicates_of_all_metrics_are_kept_of_a_few_cells_only(board, read):
    resampler = Resampler(read, [HEADLINE, "image_f1"], HOW)
    cells = [c for s in board.standings if s.rank for c in s.cells]
    assert len(cells) > KEPT_CELLS + 1
    for first, second in itertools.pairwise(cells):
        resampler.intervals(first, second)
        assert len(resampler._known) <= KEPT_CELLS


# --- what is kept ---------------------------------------------------------------------------


def test_scores_are_read_again_only_where_there_was_no_room_for_them(board, run_folder):
    cells = [s.cells[0] for s in board.standings if s.rank][:4]
    reads: list[str] = []

    def read(cell: CellRecord) -> ImageScores | None:
        reads.append(cell.id)
        return read_scores(run_folder, cell)

    roomy, narrow = KeptScores(read), KeptScores(read, room=1)
    for each in (*cells, *cells):
        roomy(each)
    assert reads == [cell.id for cell in cells]
    reads.clear()
    for each in (cells[0], cells[0], cells[1], cells[0]):
        narrow(each)
    assert reads == [cells[0].id, cells[1].id, cells[0].id]


# --- the JSON -------------------------------------------------------------------------------


@given(head=st.dictionaries(st.text(max_size=3), JSON, min_size=1, max_size=3),
       items=st.lists(JSON, max_size=3))  # fmt: skip
def test_a_document_in_pieces_is_what_it_would_be_as_a_whole(head, items):
    lists = {"of items\n": items, "none": []}
    whole = {**{k: v for k, v in head.items() if k not in lists}, **lists}
    head = {k: v for k, v in whole.items() if k not in lists} or {"x": 1}
    told = json.dumps({**head, **lists}, indent=1, ensure_ascii=False, allow_nan=False)
    assert "".join(json_document(head, lists)) == told + "\n"


def test_a_number_that_json_cannot_hold_is_refused_in_a_piece_too():
    with pytest.raises(ValueError, match="not JSON compliant"):
        list(json_document({"a": 1}, {"b": [float("nan")]}))


@given(count=st.integers(0, 3 * TOGETHER + 1))
def test_where_a_list_is_cut_into_pieces_is_not_seen(count):
    told = json.dumps({"a": 1, "b": [*range(count)]}, indent=1) + "\n"
    assert "".join(json_document({"a": 1}, {"b": range(count)})) == told


def test_the_board_comes_in_pieces_of_a_few_rows(board):
    pieces = list(json_chunks(board))
    assert "".join(pieces) == to_json(board)
    assert len(pieces) > len(board.rows) / TOGETHER > 2
    assert max(map(len, pieces)) < sum(map(len, pieces)) / 4


# --- the page -------------------------------------------------------------------------------


def test_a_board_of_few_lines_is_shown_whole(board):
    whole = leading(board)
    assert whole.board is board
    assert whole.note == ""
    assert "highest in a ranking" not in render_page(build_page(board, []))


def test_of_many_lines_the_methods_that_stand_highest_are_shown_in_detail(board):
    own = Counter(s.method for s in board.standings)
    places = {m: sorted(s.rank or np.inf for s in board.standings if s.method == m) for m in own}
    best, second, *_ = sorted(own, key=places.__getitem__)
    assert places[best] < places[second]
    for lines in (1, own[best], 2 * max(own.values()) + 1):
        detailed = leading(board, lines)
        kept = {s.method for s in detailed.board.standings}
        assert best in kept
        assert len(detailed.board.standings) <= max(lines, own[best])
        assert {row.cell.method for row in detailed.board.rows} == kept
        assert f"Of {len(own)} methods the {len(kept)} " in detailed.note
    assert kept == {best, second}


def test_a_page_that_leaves_methods_to_the_files_says_so_and_leaves_out_no_line_of_a_board(
    run_folder, board, monkeypatch, tmp_path
):
    monkeypatch.setattr("adharness.report.leading.leading.__defaults__", (60,))
    page = build_page(board, [])
    methods = set(board.run.methods)
    assert page.left_to_files
    assert render_page(page).count(page.left_to_files) >= 2
    assert {line.method for _, g in page.boards for t in g for line in t.lines} == methods
    for tables in (page.per_class, page.thresholds):
        shown = {line.method for _, g in tables for t in g for line in t.lines}
        assert shown
        assert shown < methods


def test_the_files_have_every_method_where_the_page_leaves_some_out(run_folder, board, monkeypatch):
    monkeypatch.setattr("adharness.report.leading.leading.__defaults__", (60,))
    paths = write_report(run_folder)
    rows = json.loads(paths.json.read_text("utf-8"))["rows"]
    assert {row["method"] for row in rows} == set(board.run.methods)
    assert len(rows) == len(board.rows)
    assert len(paths.csv.read_text("utf-8").splitlines()) == len(rows) + 1
    crossed = paths.cross_csv.read_text("utf-8")
    assert all(f",{method}," in crossed for method in board.run.methods)


def test_lines_say_what_the_indented_document_says() -> None:
    told = {"b": [{"k": [1, 2.5], "s": "a\nb"}, "x"], "c": [], "d": list(range(200))}
    lines = "".join(json_document({"a": 1}, told, lines=True))
    assert json.loads(lines) == {"a": 1, **told}
    assert '\n  {"k": [1, 2.5], "s": "a\\nb"},\n' in lines
