from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adharness.report.boards import board_tables
from adharness.report.drop_columns import BOARD_GROUP
from adharness.report.drop_view import drop_tables
from adharness.report.drops import Drops, without_shifts
from adharness.report.export import csv_columns, to_csv, to_json
from adharness.report.findings import findings
from adharness.report.formats import points
from adharness.report.leaderboard import (
    Leaderboard,
    find_value,
    headline_class,
    leaderboard,
)
from adharness.report.page import build_page, render_page
from adharness.report.reading import read_run
from adharness.store.records import Failure, Row
from adharness.store.run_record import ShiftRecord

LOST = Failure(stage="judge", type="DataError", message="gone")


def shift(corruption: str, of: str = "textures") -> ShiftRecord:
    return ShiftRecord(of=of, corruption=corruption, severity=3, seed=0, version=1)


@pytest.fixture(scope="module")
def made(fake_run: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = fake_run(faults=False, seeds=[0, 1], thresholders=["f1"])
    return run.write(tmp_path_factory.mktemp("shifted"))


@pytest.fixture
def board(made: Path) -> Leaderboard:
    """`solar-cells` is taken for `textures` under noise, though its name does not say so."""
    run, cells = read_run(made)
    data = [
        d if d.name == "textures" else d.model_copy(update={"shift": shift("noise")})
        for d in run.datasets
    ]
    return leaderboard(run.model_copy(update={"datasets": data}), cells)


def of_dataset(board: Leaderboard, name: str) -> list[Any]:
    return [s for s in board.standings if s.group.dataset == name]


def test_pairs_are_what_the_run_declared_whatever_the_sets_are_called(board):
    drops = Drops(board)
    clean = of_dataset(board, "textures")[0]
    other = next(
        s for s in of_dataset(board, "solar-cells")
        if s.method == clean.method and s.group._replace(dataset="textures") == clean.group
    )  # fmt: skip
    for first, second in zip(clean.cells, other.cells, strict=True):
        sides = [find_value(c, "macro", "image_auroc").value for c in (first, second)]
        expected = sides[0] - sides[1]
        for cell in (first, second):
            value = drops.of(cell, "macro", "image_auroc")
            assert value is not None
            assert value.value == pytest.approx(expected)


def test_a_set_of_a_like_name_is_no_shift(made):
    run, cells = read_run(made)
    alike = [d.model_copy(update={"name": "textures+noise-3"}) if d.name != "textures" else d
             for d in run.datasets]  # fmt: skip
    board = leaderboard(run.model_copy(update={"datasets": alike}), cells)
    assert not Drops(board).any
    assert drop_tables(board, Drops(board)) == []
    assert "drop" not in json.loads(to_json(board))["rows"][0]


def test_seeds_are_paired_one_by_one_and_their_spread_is_shown(board):
    drops = Drops(board)
    standing = of_dataset(board, "textures")[0]
    singles = [drops.of(cell, "macro", "image_auroc") for cell in standing.cells]
    numbers = [one.value for one in singles if one]
    score = drops.score(standing.cells, "macro", "image_auroc")
    assert score.value == pytest.approx(sum(numbers) / 2)
    assert score.spread == (min(numbers), max(numbers))


def test_a_mean_over_corruptions_is_undefined_where_one_has_no_number(board):
    run = board.run.model_copy(update={"datasets": [
        *board.run.datasets,
        board.run.datasets[0].model_copy(update={"name": "lost", "shift": shift("blur")}),
    ]})  # fmt: skip
    cells = list({entry.cell.id: entry.cell for entry in board.rows}.values())
    drops = Drops(leaderboard(run, cells))
    clean = next(cell for cell in cells if cell.dataset == "textures")
    value = drops.of(clean, "macro", "image_auroc")
    assert value is not None
    assert (value.value, value.reason) == (None, "no result of lost")
    assert drops.singles(clean, "macro", "image_auroc")["solar-cells"].value is not None


def test_a_side_that_failed_leaves_the_drop_undefined_with_the_reason(board):
    cells = list({entry.cell.id: entry.cell for entry in board.rows}.values())
    bad = Row(class_name="macro", status="failed", failure=LOST)
    broken = [
        cell.model_copy(update={"rows": [bad], "status": "failed"})
        if cell.dataset == "solar-cells"
        else cell
        for cell in cells
    ]
    drops = Drops(leaderboard(board.run, broken))
    value = drops.of(broken[0], "macro", "image_auroc")
    assert value is not None
    assert value.value is None
    assert value.reason == "solar-cells: DataError while judge: gone"


def test_a_single_drop_has_the_paired_interval_of_its_own_row(board):
    asked: list[tuple[str, str]] = []

    def resample(first: Any, second: Any) -> dict[tuple[str, str], tuple[float, float]]:
        asked.append((first.dataset, second.dataset))
        return {("image_auroc", "macro"): (-0.1, 0.3)}

    drops = Drops(board, resample)
    cell = of_dataset(board, "solar-cells")[0].cells[0]
    for _ in range(3):
        value = drops.of(cell, "macro", "image_auroc")
        assert value is not None
        assert (value.low, value.high) == (-0.1, 0.3)
    pooled = drops.of(cell, "pooled", "image_auroc")
    assert pooled is not None
    assert pooled.low is None
    assert asked == [("textures", "solar-cells")]  # once, and clean first


def test_boards_show_clean_sets_with_the_drop_of_ranking_and_decisions(board):
    drops, shown = Drops(board), without_shifts(board)
    for table in board_tables(shown, drops):
        labels = [column.label for column in table.columns if column.group == BOARD_GROUP]
        assert labels == ["AUROC drop", "F1 drop", "FPR drop"]
        assert {line.keys["dataset"] for line in table.lines} == {"textures"}
        assert {len(line.numbers) for line in table.lines} == {len(table.columns)}
    assert all(c.group != BOARD_GROUP for t in board_tables(shown) for c in t.columns)


def test_a_shift_without_its_clean_set_keeps_its_board(board):
    alone = [d for d in board.run.datasets if d.shift]
    run = board.run.model_copy(update={"datasets": alone})
    cells = [entry.cell for entry in board.rows if entry.cell.dataset == "solar-cells"]
    shown = without_shifts(leaderboard(run, cells))
    assert {s.group.dataset for s in shown.standings} == {"solar-cells"}


def test_the_tables_have_the_clean_number_the_mean_and_each_corruption(board):
    tables = drop_tables(without_shifts(board), Drops(board))
    first = tables[0]
    assert [column.label for column in first.columns] == ["clean", "mean", "noise 3"]
    assert "ImageNet-C" in first.columns[2].note
    line = first.lines[0]
    assert line.numbers[1].text == line.numbers[2].text  # the mean over one corruption
    lower = next(t for t in tables if t.label == "Image FPR")
    assert "Below zero: lost" in lower.caption


def test_the_files_and_the_page_have_them(board):
    drops = Drops(board)
    lines = list(csv.DictReader(io.StringIO(to_csv(board, drops))))
    assert list(lines[0]) == csv_columns(board.run.metrics, shifts=True)
    rows = json.loads(to_json(board, drops))["rows"]
    for line, row in zip(lines, rows, strict=True):
        value = row["drop"]["image_auroc"]["value"]
        assert line["image_auroc_drop"] == ("" if value is None else repr(value))
        assert (value is None) == (row["class"] not in ("macro", "pooled"))  # other classes
        assert line["corruption"] == ("noise" if row["dataset"] == "solar-cells" else "")
    page = render_page(build_page(without_shifts(board), [], drops=drops))
    assert 'id="shift"' in page


def test_the_page_says_who_loses_least_and_most(board):
    drops, shown = Drops(board), without_shifts(board)
    (told,) = [one for one in findings(shown, [], drops=drops) if "corrupted" in one]
    ranked = [s for s in shown.standings if s.unranked is None]
    losses = {
        (s.method, s.group.protocol): drops.score(
            s.cells, headline_class(s.group.protocol), "image_auroc"
        ).value
        for s in ranked
    }
    least, most = min(losses, key=losses.__getitem__), max(losses, key=losses.__getitem__)
    assert told == (
        "On textures, corrupted test images (1 corruption) cost the least headline AUROC with "
        f"{least[0]} under {least[1]} ({points(losses[least])} points) and the most with "
        f"{most[0]} under {most[1]} ({points(losses[most])})."
    )
    assert not any("corrupted" in one for one in findings(shown, []))


def test_a_run_without_a_shift_has_the_columns_it_always_had(made):
    board = leaderboard(*read_run(made))
    assert next(csv.reader(io.StringIO(to_csv(board)))) == csv_columns(board.run.metrics)
    page = render_page(build_page(board, []))
    assert 'id="shift"' not in page
    assert BOARD_GROUP not in page
