"""Benjamini-Hochberg on conformal p-values, as a threshold of the batch."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adharness import Calibration, ContractError, DataError
from adharness_thresholds import (
    CONFORMAL_BH,
    F1,
    FIXED,
    MAX_NORMAL,
    MEAN_STD,
    MEDIAN_MAD,
    POT,
    QUANTILE,
    REGION_AREA,
    YOUDEN,
    ConformalBHParams,
)
from adharness_thresholds.batch import p_values

STEPS = st.integers(-6, 6).map(float)
ALPHAS = st.sampled_from([0.05, 0.1, 0.25, 0.3, 0.5, 0.9])


def decide(calibration, scores, alpha):
    held = Calibration(np.array(calibration, dtype=np.float64))
    rule = CONFORMAL_BH.make(ConformalBHParams(alpha=alpha)).rule(held)
    return rule.decide(np.array(scores, dtype=np.float64))


def by_definition(calibration, scores, alpha):
    """Step-up on exact fractions, straight from the papers."""
    count = len(calibration)
    p = [Fraction(1 + sum(c >= s for c in calibration), count + 1) for s in scores]
    level, batch = Fraction(str(alpha)), len(scores)
    passing = [k for k in range(1, batch + 1) if sorted(p)[k - 1] <= level * k / batch]
    cut = level * max(passing) / batch if passing else Fraction(-1)
    return [one <= cut for one in p]


@given(
    calibration=st.lists(STEPS, min_size=1, max_size=30),
    scores=st.lists(STEPS, min_size=1, max_size=15),
    alpha=ALPHAS,
)
def test_the_threshold_flags_what_benjamini_and_hochberg_reject(calibration, scores, alpha):
    found = decide(calibration, scores, alpha)
    flagged = [s > found.value for s in scores]
    assert flagged == by_definition(calibration, scores, alpha)


def test_p_values_count_the_image_itself_and_ties_against_it():
    found = p_values(np.array([1.0, 2.0, 2.0, 3.0]), np.array([0.0, 2.0, 2.5, 9.0]))
    np.testing.assert_allclose(found, np.array([5, 4, 2, 1]) / 5)


@given(
    calibration=st.lists(STEPS, min_size=1, max_size=20),
    scores=st.lists(STEPS, min_size=1, max_size=15),
    alpha=ALPHAS,
    data=st.data(),
)
def test_neither_order_matters_and_affine_maps_carry_the_threshold_along(
    calibration, scores, alpha, data
):
    found = decide(calibration, scores, alpha)
    held, batch = (data.draw(st.permutations(each)) for each in (calibration, scores))
    assert decide(held, batch, alpha) == found
    moved = decide([4 * c - 3 for c in held], [4 * s - 3 for s in batch], alpha)
    assert moved.value == 4 * found.value - 3


def test_a_batch_decision_depends_on_which_images_are_decided_together():
    calibration = np.arange(99.0)
    few, many = [98.5, *[0.0] * 19], [98.5] * 10 + [0.0] * 10
    alone, together = (decide(calibration, batch, 0.1).value for batch in (few, many))
    assert not alone < 98.5
    assert together < 98.5  # the same score, flagged among many of its kind


def test_where_nothing_is_flagged_the_threshold_is_the_highest_score_there_is():
    assert decide([1.0, 2.0], [7.0, 3.0], 0.1).value == 7.0
    assert decide([1.0, 9.0], [7.0, 3.0], 0.1).value == 9.0


def test_the_threshold_says_that_it_depends_on_the_batch_and_counts_it():
    found = decide(np.arange(99.0), [1.0, 200.0], 0.1)
    assert (found.normals, found.anomalies, found.batch) == (99, 0, 2)
    assert found.note is not None
    assert "decided over a batch of 2 test images: it depends on all of them" in found.note


def test_calibration_too_small_to_ever_flag_says_so():
    found = decide(np.arange(8.0), [100.0] * 5, 0.1)
    assert found.value == 100.0
    assert found.note is not None
    assert "8 normal images can never flag" in found.note
    assert "can never" not in (decide(np.arange(9.0), [100.0] * 5, 0.1).note or "")
    assert decide(np.arange(9.0), [100.0] * 5, 0.1).value < 100


def test_a_batch_too_large_for_few_alarms_says_how_many_it_would_take():
    found = decide(np.arange(39.0), [*[100.0] * 3, *[0.0] * 97], 0.1)
    assert found.note is not None
    assert "at least 25 must score above all of them" in found.note
    assert decide(np.arange(39.0), [*[100.0] * 24, *[0.0] * 76], 0.1).value >= 100
    assert decide(np.arange(39.0), [*[100.0] * 25, *[0.0] * 75], 0.1).value < 100


def test_bad_scores_are_refused():
    with pytest.raises(DataError, match="no normal image"):
        decide([], [1.0], 0.1)
    with pytest.raises(DataError, match="not finite"):
        decide([np.nan], [1.0], 0.1)
    with pytest.raises(ContractError, match="not finite"):
        decide([1.0], [np.nan], 0.1)


def test_an_empty_batch_gives_the_highest_calibration_score():
    assert decide([1.0, 3.0], [], 0.1).value == 3.0


def test_each_record_says_what_it_decides_and_what_it_needs():
    specs = (F1, YOUDEN, QUANTILE, MAX_NORMAL, MEAN_STD, MEDIAN_MAD, POT, FIXED)
    assert [s.name for s in (*specs, REGION_AREA, CONFORMAL_BH) if s.batch] == ["conformal-bh"]
    assert REGION_AREA.levels == ("pixel",)
    both = {s.name for s in specs if s.levels == ("image", "pixel")}
    assert both == {"quantile", "max-normal", "mean-std", "median-mad", "fixed"}
