"""Curves of pixels, from what a judge stored to what the page draws."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adharness.report import write_report
from adharness.report.curves import area_of_lines, read_back
from adharness.report.leaderboard import Leaderboard, leaderboard
from adharness.report.pixel_figures import POINTS, overlap_area, pixel_curves, ranks_pixels
from adharness.report.reading import read_curves, read_run
from adharness.report.shelf import Shelf
from adharness.store.folder import RunFolder
from charted_run import CLASSES, NORMALIZERS, PROTOCOLS, write_charted_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("charted")
    write_charted_run(made)
    return made


@pytest.fixture(scope="module")
def board(folder: Path) -> Leaderboard:
    return leaderboard(*read_run(folder))


def test_methods_that_stored_curves_are_drawn(folder: Path, board: Leaderboard) -> None:
    shelf = Shelf()
    figures: Any = pixel_curves(board, lambda cell: read_curves(folder, cell), shelf)
    assert [name for name, _ in figures] == [p for p in PROTOCOLS for _ in NORMALIZERS]
    methods = figures[0][1].data["methods"]
    assert [method["name"] for method in methods] == ["knn", "</script>"]
    # Class, then panel; grass has no regions, and so nothing to overlap.
    assert [line["curves"][0] >= 0 for line in methods[0]["lines"]] == [True, False, True]
    assert methods[0]["lines"][1]["areas"][0] is None
    assert max(len(read_back(curve)) for curve in shelf.curves) <= POINTS


def test_the_curve_on_the_page_has_the_area_of_the_stored_one(
    folder: Path, board: Leaderboard
) -> None:
    shelf, cell = Shelf(), board.rows[0].cell
    figures: Any = pixel_curves(board, lambda cell: read_curves(folder, cell), shelf)
    line = figures[0][1].data["methods"][0]["lines"][0]
    stored = read_curves(folder, cell)[CLASSES[0]]
    assert stored.overlap is not None
    drawn = read_back(shelf.curves[line["curves"][0]])
    exact = area_of_lines(np.column_stack([stored.normal, stored.overlap]))
    assert area_of_lines(drawn) == pytest.approx(exact, abs=1e-3)
    inside = drawn[:, 0] < 0.3
    cut = np.vstack([drawn[inside], [0.3, np.interp(0.3, *drawn.T)]])
    assert area_of_lines(cut) / 0.3 == pytest.approx(overlap_area(stored), abs=2e-3)


def test_a_run_of_before_curves_says_that_it_has_none(tmp_path: Path) -> None:
    run = write_charted_run(tmp_path)
    store = RunFolder(tmp_path)
    for identity in run.cells:
        cell = store.cell(identity)
        assert cell is not None
        files = {name: digest for name, digest in cell.files.items() if name != "curves.npz"}
        older = cell.model_copy(update={"files": files})
        text = older.model_dump_json(by_alias=True)
        (tmp_path / "cells" / identity / "result.json").write_text(text, encoding="utf-8")
    assert "This run stored no curves of pixels" in write_report(tmp_path).html.read_text("utf-8")


def test_a_run_that_ranks_no_pixel_does_not_miss_curves(board: Leaderboard) -> None:
    assert ranks_pixels(board)
    images = board.run.model_copy(update={"metrics": ["image_auroc"]})
    assert not ranks_pixels(Leaderboard(images, (), (), ()))
