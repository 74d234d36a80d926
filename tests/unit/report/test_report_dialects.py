"""Dialects beside the exact number, and quartiles of metrics that each image has a number of."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adharness.report.boards import board_tables
from adharness.report.class_tables import class_tables
from adharness.report.dialect_tables import dialect_tables
from adharness.report.export import to_csv, to_json
from adharness.report.formats import DASH, points
from adharness.report.gallery import galleries
from adharness.report.gap import unification_gaps
from adharness.report.headings import metric_columns, ordered_metrics
from adharness.report.leaderboard import Leaderboard, leaderboard
from adharness.report.metric_names import compared
from adharness.report.page import build_page, render_page
from adharness.report.reading import read_run
from adharness.report.seeds import over_seeds
from adharness.report.view import Footnotes, Table, number
from adharness.store.records import CellRecord, Row, Spread, ThresholdRecord, Value

ADER = "region_aupro_30@ader"
SPREAD = Spread(min=0.0, q1=0.25, median=0.5, q3=0.875, max=1.0)


def spoken(row: Row) -> Row:
    """Add the dialect, three points above the exact number, and the number an image has."""
    exact = row.metrics.get("region_aupro_30", Value(value=None))
    higher = None if exact.value is None else exact.value + 0.03
    more = {
        ADER: Value(value=higher, reason=None if higher else "no region"),
        "pixel_aupimo": Value(value=0.51, spread=SPREAD),
    }
    return row if row.failure else row.model_copy(update={"metrics": row.metrics | more})


@pytest.fixture(scope="module")
def board(fake_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Leaderboard:
    made = fake_run(faults=False, thresholders=["f1", "youden"])
    run, cells = read_run(made.write(tmp_path_factory.mktemp("spoken")))
    metrics = [*run.metrics[:3], ADER, *run.metrics[3:], "pixel_aupimo"]

    def changed(cell: CellRecord) -> CellRecord:
        return cell.model_copy(update={"rows": [spoken(row) for row in cell.rows]})

    return leaderboard(
        run.model_copy(update={"metrics": metrics}), [changed(cell) for cell in cells]
    )


def column_of(table: Table, kind: str) -> int:
    return next(at for at, column in enumerate(table.columns) if column.kind == kind)


def test_a_dialect_stands_after_its_own_metric_and_oracles_stay_last() -> None:
    metrics = ["pixel_f1_oracle@ader", ADER, "pixel_f1_oracle", "image_auroc", "region_aupro_30"]
    assert ordered_metrics(metrics) == [
        "image_auroc", "region_aupro_30", ADER, "pixel_f1_oracle", "pixel_f1_oracle@ader",
    ]  # fmt: skip
    heads = metric_columns(ordered_metrics(metrics))
    assert [(head.label, head.tag, head.kind) for head in heads[1:]] == [
        ("AUPRO 30 %", "", "metric"), ("as ader", "", "dialect"),
        ("pixel F1", "", "oracle"), ("as ader", "", "oracle"),
    ]  # fmt: skip
    assert "ADer prints it" in heads[2].note
    assert "ADer prints it" in heads[4].note


def test_a_dialect_without_its_own_metric_says_what_it_reads() -> None:
    (head,) = metric_columns([ADER])
    assert (head.label, head.tag) == ("AUPRO 30 %", "as ader")


def test_a_dialect_is_on_the_board_but_never_the_best_of_it(board: Leaderboard) -> None:
    for table in board_tables(board):
        at = column_of(table, "dialect")
        assert [table.columns[at - 1].label, table.columns[at].label] == ["AUPRO 30 %", "as ader"]
        assert any(line.numbers[at - 1].best for line in table.lines if line.numbers)
        assert not any(line.numbers[at].best for line in table.lines if line.numbers)
        assert all(len(line.numbers) == len(table.columns) for line in table.lines)


def test_a_dialect_is_in_no_table_that_compares_methods(board: Leaderboard) -> None:
    assert ADER not in compared(board.run.metrics)
    assert {gap.metric for gap in unification_gaps(board)} == set(board.run.metrics) - {ADER}
    assert all(c.kind != "dialect" for table in class_tables(board) for c in table.columns)


def test_the_panel_shows_exact_dialect_and_the_difference_of_macro_and_pooled(
    board: Leaderboard,
) -> None:
    tables = dialect_tables(board)
    assert [table.id for table in tables] == ["dialect-1-1", "dialect-2-1"]
    lines = tables[0].lines
    assert {line.settings[1] for line in lines} == {"macro", "pooled"}
    assert {line.numbers[2].text for line in lines} == {points(0.03)}
    # 4 methods x 3 protocols x 2 normalizers x macro and pooled; the thresholder touches nothing.
    assert len(lines) == 48
    assert tables[1].lines == ()  # no masks, so nothing is defined: the boards say why


def test_the_page_has_the_panel_only_if_a_dialect_is_asked_for(board: Leaderboard) -> None:
    exact = replace(
        board,
        run=board.run.model_copy(
            update={"metrics": [m for m in board.run.metrics if "@" not in m]}
        ),
    )
    pages = [render_page(build_page(each, unification_gaps(each))) for each in (board, exact)]
    assert ["Exact and dialect" in page for page in pages] == [True, False]
    assert ["as ader" in page for page in pages] == [True, False]


def test_quartiles_stand_under_the_number_and_in_its_tooltip(board: Leaderboard) -> None:
    table = board_tables(board)[0]
    at = next(i for i, column in enumerate(table.columns) if column.label == "AUPIMO")
    shown = table.lines[0].numbers[at]
    assert (shown.text, shown.aside) == ("51.0", f"IQR 25.0{DASH}87.5")
    assert shown.note.endswith("min 0, q1 0.25, median 0.5, q3 0.875, max 1")


def test_an_interval_takes_the_place_of_quartiles_which_stay_in_the_tooltip() -> None:
    value = Value(value=0.51, low=0.4, high=0.6, spread=SPREAD)
    shown = number(over_seeds([value]), Footnotes())
    assert shown.aside == f"40.0{DASH}60.0"
    assert "median 0.5" in shown.note


def test_json_and_csv_hold_the_ids_as_they_are(board: Leaderboard) -> None:
    rows = json.loads(to_json(board))["rows"]
    lines = list(csv.DictReader(io.StringIO(to_csv(board))))
    assert len(lines) == len(rows)
    for row, line in zip(rows, lines, strict=True):
        value = row["metrics"][ADER]["value"]
        assert line[ADER] == ("" if value is None else repr(value))
    assert rows[0]["metrics"]["pixel_aupimo"]["spread"] == SPREAD.model_dump()
    assert "spread" not in rows[0]["metrics"]["image_auroc"]


def test_the_gallery_says_which_pixel_threshold_was_deployed(fake_run: Any, tmp_path: Path) -> None:
    folder = fake_run(faults=False, thresholders=["f1"]).write(tmp_path)
    deployed = ThresholdRecord(class_name=None, value=2.5, normals=9, anomalies=0)
    run, cells = read_run(folder)
    told = [cell.model_copy(update={"pixel_thresholds": [deployed]}) for cell in cells]
    for pixels, expected in ((told, 2.5), (cells, None)):
        shown = galleries(folder, leaderboard(run, pixels))
        verdicts = [v for g in shown for e in g.exhibits for v in e.verdicts]
        assert {verdict.pixel_threshold for verdict in verdicts} == {expected}
