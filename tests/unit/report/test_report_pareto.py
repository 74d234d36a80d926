"""Cost against quality: the front, and its numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adharness.report.cost_groups import cost_groups, pareto_front
from adharness.report.costs import AXES, STAGES, cost_numbers, told_circumstances
from adharness.report.formats import DASH
from adharness.report.leaderboard import Leaderboard, leaderboard
from adharness.report.pareto import cost_figures
from adharness.report.reading import read_run
from adharness.store.records import Circumstances, Value
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
def board(tmp_path_factory: pytest.TempPathFactory) -> Leaderboard:
    folder = tmp_path_factory.mktemp("charted")
    write_charted_run(folder)
    return leaderboard(*read_run(folder))


@pytest.fixture(scope="module")
def figures(board: Leaderboard) -> Any:
    return cost_figures(board)


def changed(board: Leaderboard, change: Any) -> Leaderboard:
    """Arrange the run again, each cell's costs changed."""
    cells = {entry.cell.id: entry.cell for entry in board.rows}.values()
    return leaderboard(
        board.run, [c.model_copy(update={"costs": change(c, c.costs)}) for c in cells]
    )


def test_one_figure_a_protocol_says_what_its_table_says(figures: Any) -> None:
    assert [name for name, _ in figures] == PROTOCOLS
    _, drawn = figures[0]
    methods = drawn.figure.data["methods"]
    assert [line.method for line in drawn.table.lines] == [one["name"] for one in methods]
    assert methods[0]["costs"] == [14.0, 0.1, 100.0, 5.2, 5120]
    assert [shown.text for shown in drawn.table.lines[0].numbers[:6]] == [
        *("90.0", "14.0", "0.10", "100", "5.20"), "5\N{NARROW NO-BREAK SPACE}120",
    ]  # fmt: skip
    assert len(drawn.table.columns) == 1 + len(AXES) + len(STAGES)
    assert len({column.key for column in drawn.table.columns[1:]}) == len(AXES) + len(STAGES)


def test_what_was_not_recorded_is_no_zero(figures: Any, board: Leaderboard) -> None:
    drawn = figures[0][1]
    memory = [axis.title for axis in AXES].index("memory, MB")
    assert [method["costs"][memory] for method in drawn.figure.data["methods"]] == [100, 200, None]
    numbers = drawn.table.lines[2].numbers
    assert (numbers[1 + memory].text, numbers[1 + memory].note) == (DASH, "not recorded")
    shown = [number.text for number in numbers[1 + len(AXES) :]]
    assert shown.count(DASH) == len(STAGES) - 1  # only `score` is as old
    standing = next(one for one in board.standings if one.method == "</script>")
    assert [number.text for number in cost_numbers([standing])[0]] == ["2.10", "48.0", DASH, "1.73"]


def test_a_run_of_before_stages_has_no_column_of_them_and_says_so(board: Leaderboard) -> None:
    first = ("fit_s", "score_ms", "extract_ms", "bank_rows", "bank_mb")
    old = changed(board, lambda _, costs: type(costs)(**{f: getattr(costs, f) for f in first}))
    table = cost_figures(old)[0][1].table
    assert len(table.columns) == 1 + len(AXES)
    assert "not recorded" in table.caption
    assert "were not recorded" in told_circumstances(old)


def test_times_of_other_circumstances_are_told_apart(board: Leaderboard, figures: Any) -> None:
    told = told_circumstances(board)
    assert "3 circumstances, between which times cannot be compared" in told
    assert "Xeon <b>, 2 threads, one cell at a time; Xeon <b>, 2 threads, 2 cells at once" in told
    details = [line.detail for line in figures[0][1].table.lines]
    assert [("one cell" in detail, "2 cells" in detail) for detail in details] == [
        *((True, False), (False, True), (False, False)),
    ]
    alone = [Circumstances(cpu="M2", threads=8)]
    alike = changed(board, lambda _, costs: costs.model_copy(update={"measured": alone}))
    assert told_circumstances(alike) == "Models were made on M2, 8 threads, one cell at a time."
    assert not any(line.detail for line in cost_figures(alike)[0][1].table.lines)


def test_a_normalizer_that_changes_no_quality_repeats_nothing(figures: Any) -> None:
    drawn = figures[0][1]
    assert list(drawn.figure.data["under"]) == NORMALIZERS[:1]
    assert drawn.figure.note == "the same under every normalizer"
    assert drawn.figure.keys == {"dataset": "textures"}


def test_normalizers_that_differ_share_the_costs(figures: Any) -> None:
    drawn = figures[1][1]  # one of them is told the class: other bounds
    assert list(drawn.figure.data["under"]) == NORMALIZERS
    assert drawn.figure.data["choices"][1]["values"] == NORMALIZERS
    assert [column.label for column in drawn.table.columns[:2]] == NORMALIZERS
    assert [column.label for column in drawn.table.columns].count("fit") == 1
    points = drawn.figure.data["under"]["zscore"]["points"]
    assert len(points) == len(drawn.figure.data["methods"]) == len(METHODS)


def test_the_table_says_for_which_costs_a_method_is_on_the_front(figures: Any) -> None:
    lines = {line.method: line.settings[0] for line in figures[0][1].table.lines}
    assert lines == {
        "knn": "an image, ms · fit, s · memory, MB · bank, MB · bank, rows",
        "padim": "bank, MB",
        "</script>": "bank, MB",
    }
    lines = {line.method: line.settings[0] for line in figures[1][1].table.lines}
    assert lines["padim"] == "bank, MB"  # the other normalizer has upper bounds alone
    assert [column.tag for column in figures[1][1].table.columns[:2]] == ["", "upper bound"]


def test_a_front_under_one_of_several_normalizers_is_named_with_it(board: Leaderboard) -> None:
    def better(cell: Any) -> Any:
        if (cell.method, cell.normalizer) != ("padim", "zscore"):
            return cell.model_copy(update={"class_oracle": False})
        best = Value(value=0.99)
        rows = [row.model_copy(update={"metrics": {"image_auroc": best}}) for row in cell.rows]
        return cell.model_copy(update={"class_oracle": False, "rows": rows})

    cells = {entry.cell.id: entry.cell for entry in board.rows}.values()
    table = cost_figures(leaderboard(board.run, [better(cell) for cell in cells]))[1][1].table
    lines = {line.method: line.settings[0] for line in table.lines}
    assert lines["padim"] == (
        "an image, ms (zscore) · fit, s (zscore) · memory, MB (zscore) · bank, MB · "
        "bank, rows (zscore)"
    )


def test_an_upper_bound_is_on_no_front(figures: Any) -> None:
    under = figures[1][1].figure.data["under"]
    assert under["zscore"]["fronts"] == [[]] * len(AXES)
    assert all(point["bound"] for point in under["zscore"]["points"])
    assert not any(point["bound"] for point in under["raw"]["points"])


def test_judging_is_a_mean_over_the_cells_of_a_method(board: Leaderboard) -> None:
    def judged(cell: Any, costs: Any) -> Any:
        return costs.model_copy(update={"judge_s": 1.0 if cell.normalizer == "raw" else 4.0})

    table = cost_figures(changed(board, judged))[0][1].table
    assert [line.numbers[-1].text for line in table.lines[:2]] == ["2.50", "2.50"]


def test_what_was_judged_apart_has_a_figure_of_its_own(tmp_path: Path) -> None:
    write_charted_run(tmp_path)
    run, cells = read_run(tmp_path)
    otherwise = {"dataset": "textures", "method": "knn", "normalizer": "raw"}
    otherwise_judged = [
        cell.model_copy(update={"identity": {"maps": {"resolution": 64}}})
        if all(getattr(cell, name) == value for name, value in otherwise.items())
        else cell
        for cell in cells
    ]
    board = leaderboard(run, otherwise_judged)
    aparts = {standing.group.apart for standing in board.standings}
    assert len(aparts) == 2
    groups = cost_groups(board)
    assert len(cost_figures(board)) == len(groups) == len(PROTOCOLS) * len(aparts)
    assert {tuple(one.standings) for one in groups if one.apart} == {("raw",)}
