"""Curves of images: exact, and thinned without losing area."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adharness.metrics import evaluate_images
from adharness.report.curves import (
    POINTS,
    area_of_lines,
    area_of_steps,
    image_ranking,
    precision_recall,
    read_back,
    roc_curve,
    thinned_lines,
    thinned_steps,
    written,
)

TOLERANCE = 0.001


@st.composite
def judged(draw: Any) -> tuple[Any, Any]:
    """Labels of both kinds with scores; few distinct scores give many ties."""
    count = draw(st.integers(2, 2000))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = rng.random(count) < draw(st.floats(0.02, 0.98))
    labels[:2] = False, True
    scores = rng.normal(size=count) + labels * draw(st.floats(-1, 4))
    step = draw(st.sampled_from([0.0, 0.01, 0.5, 3.0]))
    return labels, np.round(scores / step) * step if step else scores


@given(judged())
def test_the_areas_of_the_exact_curves_are_the_metrics(case: tuple[Any, Any]) -> None:
    labels, scores = case
    ranking = image_ranking(labels, scores)
    told = evaluate_images(labels, scores, ["image_auroc", "image_ap"])
    assert area_of_lines(roc_curve(ranking)) == pytest.approx(told["image_auroc"].value)
    assert area_of_steps(precision_recall(ranking)) == pytest.approx(told["image_ap"].value)


@given(judged())
def test_a_curve_as_it_is_drawn_has_few_points_and_the_same_area(case: tuple[Any, Any]) -> None:
    ranking = image_ranking(*case)
    exact, steps = roc_curve(ranking), precision_recall(ranking)
    drawn = read_back(written(thinned_lines(exact)))
    drawn_steps = read_back(written(thinned_steps(steps)))
    assert max(len(drawn), len(drawn_steps)) <= POINTS
    assert abs(area_of_lines(drawn) - area_of_lines(exact)) < TOLERANCE
    assert abs(area_of_steps(drawn_steps) - area_of_steps(steps)) < TOLERANCE


@given(judged())
def test_a_thinned_roc_curve_rises_from_corner_to_corner(case: tuple[Any, Any]) -> None:
    curve = thinned_lines(roc_curve(image_ranking(*case)))
    assert curve[0].tolist() == [0, 0]
    assert curve[-1] == pytest.approx([1, 1])
    assert np.diff(curve, axis=0).min() >= -1e-9


def test_fine_stairs_are_thinned_without_a_drift() -> None:
    # Dropping every second corner of such stairs would move the area by 0.0025.
    stairs = np.cumsum(np.tile([[0, 0.005], [0.005, 0]], (200, 1)), axis=0)
    stairs = np.vstack([[0, 0], stairs])
    thin = thinned_lines(stairs)
    assert len(thin) <= POINTS < len(stairs)
    assert area_of_lines(thin) == pytest.approx(area_of_lines(stairs), abs=1e-12)


def test_a_tie_of_both_kinds_is_a_slanted_line() -> None:
    ranking = image_ranking(np.array([True, False]), np.array([1.0, 1.0]))
    assert roc_curve(ranking).tolist() == [[0, 0], [1, 1]]
    assert precision_recall(ranking).tolist() == [[1, 0.5]]


def test_a_straight_run_has_two_ends_only() -> None:
    labels = np.array([True, True, True, False, False])
    curve = roc_curve(image_ranking(labels, np.array([5.0, 4, 3, 2, 1])))
    assert curve.tolist() == [[0, 0], [0, 1], [1, 1]]


@pytest.mark.parametrize("labels", [[True, True], [False, False]])
def test_one_kind_of_image_alone_has_no_curve(labels: list[bool]) -> None:
    ranking = image_ranking(np.array(labels), np.array([1.0, 2.0]))
    assert len(roc_curve(ranking)) == len(precision_recall(ranking)) == 0
    assert written(roc_curve(ranking)) == []
