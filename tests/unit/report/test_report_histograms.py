"""Scores and thresholds of every class, as the page is given them to draw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adharness.report.histograms import BINS, counts, score_axis, score_histograms
from adharness.report.leaderboard import leaderboard
from adharness.report.reading import ImageScores, read_run, read_scores
from charted_run import (
    ANOMALIES,
    CLASSES,
    METHODS,
    NORMALS,
    PROTOCOLS,
    THRESHOLD,
    image_scores,
    write_charted_run,
)

FINITE = st.floats(-1e6, 1e6)


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("charted")
    write_charted_run(folder)
    board = leaderboard(*read_run(folder))
    return score_histograms(board, lambda cell: read_scores(folder, cell))


def test_every_method_of_every_protocol_can_be_chosen(figures: Any) -> None:
    assert {name for name, _ in figures} == set(PROTOCOLS)
    for _, figure in figures:
        assert figure.data["choices"][0]["values"] == list(METHODS)
        told = figure.data["methods"]["knn"]["classes"]
        assert [one["name"] for one in told] == CLASSES
        assert [list(map(sum, one["counts"])) for one in told] == [[NORMALS, ANOMALIES]] * 2


def test_the_shares_are_those_above_the_threshold(figures: Any) -> None:
    scores = image_scores("knn", "raw", "youden")
    cut = figures[0][1].data["methods"]["knn"]["classes"][1]["cuts"]["youden"]
    own = scores["classes"] == CLASSES[1]
    flagged = (scores["scores"] > THRESHOLD["youden"])[own]
    assert cut["at"] == [THRESHOLD["youden"]]
    normal = scores["labels"][own] == 0
    assert cut["shares"] == pytest.approx([flagged[normal].mean(), flagged[~normal].mean()])


def test_scores_that_are_all_the_same_still_have_an_axis() -> None:
    low, high = score_axis(np.ones(3), [1.0])
    assert low < 1.0 < high
    assert sum(counts(np.ones(3), (low, high))) == 3


@example([0.0, 5e-324], [])
@example([1.0, float(np.nextafter(1.0, 2.0))], [])
@example([1e30, 1e30], [1e30])
@given(st.lists(FINITE, min_size=1), st.lists(FINITE | st.just(float("inf")), max_size=3))
def test_no_score_is_left_out_and_every_threshold_is_on_the_axis(
    scores: list[float], cuts: list[float]
) -> None:
    ends = score_axis(np.array(scores), cuts)
    found = counts(np.array(scores), ends)
    assert len(found) == BINS
    assert sum(found) == len(scores)
    assert all(ends[0] <= cut <= ends[1] for cut in cuts if np.isfinite(cut))


def test_a_class_without_images_says_nothing_of_rates(tmp_path: Path) -> None:
    write_charted_run(tmp_path)
    board = leaderboard(*read_run(tmp_path))

    def brick_alone(_: Any) -> ImageScores:
        scores = image_scores("knn", "raw", "f1")
        own = (scores["classes"] == CLASSES[0]) & (scores["labels"] == 0)
        return ImageScores(**{name: scores[name][own] for name in ImageScores.__slots__})

    told = score_histograms(board, brick_alone)[0][1].data["methods"]["knn"]["classes"]  # type: ignore[call-overload,index]
    assert told[0]["cuts"]["f1"]["shares"][1] is None
    assert told[1]["cuts"]["f1"] is None
