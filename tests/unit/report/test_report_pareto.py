"""Cost against quality: the front, and its numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adharness.report.curve_figures import figure_groups
from adharness.report.leaderboard import leaderboard
from adharness.report.pareto import AXES, cost_figures, pareto_front
from adharness.report.reading import read_run
from charted_run import METHODS, NORMALIZERS, PROTOCOLS, write_charted_run

POINTS = st.lists(st.tuples(st.integers(0, 6) | st.none(), st.integers(0, 6)), max_size=12)


def beats(one: tuple[Any, Any], other: tuple[Any, Any]) -> bool:
    return one[0] <= other[0] and one[1] >= other[1] and one != other


@given(POINTS)
def test_the_front_is_what_no_other_one_beats(points: list[tuple[Any, int]]) -> None:
    front = pareto_front([cost for cost, _ in points], [value for _, value in points])
    known = [at for at, (cost, _) in enumerate(points) if cost is not None]
    unbeaten = [at for at in known if not any(beats(points[o], points[at]) for o in known)]
    assert sorted(front) == unbeaten
    assert [points[at][0] for at in front] == sorted(points[at][0] for at in front)


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("charted")
    write_charted_run(folder)
    return cost_figures(leaderboard(*read_run(folder)))


def test_one_figure_a_protocol_and_normalizer_says_what_its_table_says(figures: Any) -> None:
    assert [name for name, _ in figures] == [p for p in PROTOCOLS for _ in NORMALIZERS]
    _, drawn = figures[0]
    methods = drawn.figure.data["methods"]
    assert [line.method for line in drawn.table.lines] == [one["name"] for one in methods]
    assert methods[0]["costs"] == [14.0, 0.1, 5.2, 5120]
    assert [shown.text for shown in drawn.table.lines[0].numbers] == [
        *("90.0", "14.0", "0.10", "5.20"), "5\N{NARROW NO-BREAK SPACE}120",
    ]  # fmt: skip


def test_the_table_says_for_which_costs_a_method_is_on_the_front(figures: Any) -> None:
    lines = {line.method: line.settings[0] for line in figures[0][1].table.lines}
    assert lines == {
        "knn": "an image, ms · fit, s · bank, MB · bank, rows",
        "padim": "bank, MB",
        "</script>": "bank, MB",
    }


def test_an_upper_bound_is_on_no_front(figures: Any) -> None:
    bounds = [drawn for name, drawn in figures if name == PROTOCOLS[1]][1]
    assert bounds.figure.data["fronts"] == [[]] * len(AXES)
    assert all(method["bound"] for method in bounds.figure.data["methods"])
    assert len(bounds.figure.data["methods"]) == len(METHODS)


def test_what_was_judged_apart_has_a_figure_of_its_own(tmp_path: Path) -> None:
    write_charted_run(tmp_path)
    run, cells = read_run(tmp_path)
    otherwise = {"dataset": "textures", "method": "knn", "normalizer": "raw"}
    changed = [
        cell.model_copy(update={"identity": {"maps": {"resolution": 64}}})
        if all(getattr(cell, name) == value for name, value in otherwise.items())
        else cell
        for cell in cells
    ]
    board = leaderboard(run, changed)
    groups = {standing.group.apart for standing in board.standings}
    assert len(groups) == 2
    drawn = [figure for _, figure in cost_figures(board)]
    assert len(drawn) == len(PROTOCOLS) * len(NORMALIZERS) + len(PROTOCOLS) * (len(groups) - 1)
    assert len(figure_groups(board)) == len(drawn)
