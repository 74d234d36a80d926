"""What the page's curves of images are given to draw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adharness.metrics import evaluate_images
from adharness.report.curve_figures import image_curves
from adharness.report.curves import area_of_lines, area_of_steps, read_back
from adharness.report.leaderboard import Leaderboard, leaderboard
from adharness.report.reading import read_run, read_scores
from adharness.report.shelf import Shelf
from charted_run import CLASSES, METHODS, NORMALIZERS, PROTOCOLS, THRESHOLDERS, write_charted_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("charted")
    write_charted_run(made)
    return made


@pytest.fixture(scope="module")
def board(folder: Path) -> Leaderboard:
    return leaderboard(*read_run(folder))


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture(scope="module")
def figures(folder: Path, board: Leaderboard, shelf: Shelf) -> Any:
    return image_curves(board, lambda cell: read_scores(folder, cell), shelf)


def test_there_is_a_figure_for_each_protocol_and_normalizer(figures: Any) -> None:
    assert [name for name, _ in figures] == [p for p in PROTOCOLS for _ in NORMALIZERS]
    for _, figure in figures:
        assert set(figure.keys) == {"dataset", "normalizer"}
        assert [method["name"] for method in figure.data["methods"]] == list(METHODS)


def test_what_a_protocol_is_ranked_by_comes_first(figures: Any) -> None:
    first = {name: figure.data["choices"][0]["values"][0] for name, figure in figures}
    assert first == {"per-class": CLASSES[0], "absolute-unified": "pooled"}


def test_areas_and_points_are_those_of_the_metrics(
    folder: Path, board: Leaderboard, figures: Any, shelf: Shelf
) -> None:
    names = ["image_auroc", "image_ap", "image_fpr", "image_recall", "image_precision"]
    scores = read_scores(folder, board.rows[0].cell)
    assert scores is not None
    told = evaluate_images(scores.labels, scores.scores, names, threshold=scores.threshold)
    method = figures[0][1].data["methods"][0]
    line, point = method["lines"][-1], method["at"][THRESHOLDERS[0]][-1]
    assert line["areas"] == pytest.approx([told[n].value for n in names[:2]], abs=1e-4)
    fpr, recall, precision = (told[n].value for n in names[2:])
    assert point[0] == pytest.approx([fpr, recall], abs=1e-4)
    assert point[1] == pytest.approx([recall, precision], abs=1e-4)
    roc, steps = (read_back(shelf.curves[place]) for place in line["curves"])
    assert area_of_lines(roc) == pytest.approx(told["image_auroc"].value, abs=1e-3)
    assert area_of_steps(steps) == pytest.approx(told["image_ap"].value, abs=1e-3)


def test_a_curve_that_several_figures_draw_is_written_once(figures: Any, shelf: Shelf) -> None:
    # A normalizer that shifts a class moves none of its curves, only the pooled ones.
    raw, zscore = (figures[at][1].data["methods"][0]["lines"] for at in (0, 1))
    assert raw[0]["curves"] == zscore[0]["curves"]
    assert raw[-1]["curves"] != zscore[-1]["curves"]
    drawn = {
        p for _, f in figures for m in f.data["methods"] for x in m["lines"] for p in x["curves"]
    }
    assert drawn == set(range(len(shelf.curves)))


def test_the_prevalence_is_the_share_of_anomalous_images(figures: Any) -> None:
    assert figures[0][1].data["prevalence"] == [0.375, 0.375, 0.375]
