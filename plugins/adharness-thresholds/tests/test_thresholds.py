from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from adharness import Calibration, DataError
from adharness_thresholds import (
    F1,
    QUANTILE,
    YOUDEN,
    F1Params,
    QuantileParams,
    YoudenParams,
)

MAKERS = {"f1": lambda: F1.make(F1Params()), "youden": lambda: YOUDEN.make(YoudenParams())}
both = pytest.mark.parametrize("name", sorted(MAKERS))


def choose(name, scores, labels):
    calibration = Calibration(np.array(scores, dtype=np.float64), np.array(labels, dtype=np.int64))
    return MAKERS[name]().threshold(calibration)


def quantile(scores, q, labels=None):
    labels = None if labels is None else np.array(labels)
    calibration = Calibration(np.array(scores, dtype=np.float64), labels)
    return QUANTILE.make(QuantileParams(q=q)).threshold(calibration)


def merit(name, scores, labels, threshold):
    """Straight from the definitions."""
    flagged, anomalous = np.array(scores) > threshold, np.array(labels) == 1
    hits, alarms = int((flagged & anomalous).sum()), int((flagged & ~anomalous).sum())
    if name == "youden":
        return hits / anomalous.sum() - alarms / (~anomalous).sum()
    return 2 * hits / (2 * hits + alarms + int((~flagged & anomalous).sum()))


TIED = st.integers(-8, 8)


@st.composite
def labelled(draw, values=TIED):
    labels = [0, 1, *draw(st.lists(st.integers(0, 1), max_size=14))]
    scores = draw(st.lists(values, min_size=len(labels), max_size=len(labels)))
    return [float(s) for s in scores], labels


@both
@given(case=labelled(st.floats(-1e6, 1e6, width=32)) | labelled())
def test_no_threshold_beats_the_chosen_one_on_calibration(name, case):
    scores, labels = case
    chosen = merit(name, scores, labels, choose(name, scores, labels).value)
    best = max(merit(name, scores, labels, t) for t in [-math.inf, *scores])
    assert chosen == pytest.approx(best, abs=1e-12)


@both
@given(case=labelled())
def test_of_equally_good_cuts_the_one_with_the_fewest_alarms_is_taken(name, case):
    scores, labels = case
    chosen = choose(name, scores, labels).value
    ours = merit(name, scores, labels, chosen)
    for other in [s for s in scores if s > chosen]:
        assert merit(name, scores, labels, other) < ours - 1e-12


@both
@given(case=labelled(), shift=st.integers(-9, 9), power=st.integers(-3, 3))
def test_an_affine_transform_of_the_scores_carries_the_threshold_along(name, case, shift, power):
    scores, labels = case
    if len(set(scores)) == 1:
        return  # then the threshold may lie one float below the score
    moved = [s * 2.0**power + shift for s in scores]  # exact in floats
    expected = choose(name, scores, labels).value * 2.0**power + shift
    assert choose(name, moved, labels).value == expected


@both
@given(case=labelled())
def test_any_increasing_transform_leaves_the_decisions_on_calibration(name, case):
    scores, labels = np.array(case[0]), case[1]
    curved = np.exp(scores / 3) + scores
    before = scores > choose(name, scores, labels).value
    np.testing.assert_array_equal(before, curved > choose(name, curved, labels).value)


@both
@given(case=labelled(), data=st.data())
def test_the_order_of_calibration_images_does_not_matter(name, case, data):
    scores, labels = case
    order = data.draw(st.permutations(range(len(labels))))
    shuffled = choose(name, [scores[i] for i in order], [labels[i] for i in order])
    assert shuffled == choose(name, scores, labels)


@both
def test_separated_scores_are_cut_in_the_middle_of_the_gap(name):
    result = choose(name, [1.0, 2.0, 6.0, 9.0], [0, 0, 1, 1])
    assert (result.value, result.normals, result.anomalies) == (4.0, 2, 2)


@pytest.mark.parametrize("low", [1.0, float(np.nextafter(1, 2)), 0.0, 5e-324])
def test_where_no_float_lies_between_two_scores_the_lower_one_is_taken(low):
    high = float(np.nextafter(low, 2))  # the midpoint rounds down for some of these, up for others
    assert choose("f1", [low, high], [0, 1]).value == low


def test_the_midpoint_of_huge_scores_does_not_overflow():
    assert choose("f1", [1.5e308, 1.7e308], [0, 1]).value == pytest.approx(1.6e308)
    assert choose("f1", [-1.7e308, 1.7e308], [0, 1]).value == 0.0


def test_f1_flags_every_image_where_that_is_best():
    scores, labels = [3.0, 3.0, 5.0], [1, 1, 0]
    assert choose("f1", scores, labels).value == 2.0  # half a gap under the lowest
    assert choose("f1", [7.0, 7.0], [0, 1]).value < 7.0


def test_youden_flags_none_where_the_scores_point_the_wrong_way():
    assert choose("youden", [1.0, 2.0], [1, 0]).value == 2.0


@both
@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([1.0, 2.0], [0, 0], "2 normal and 0 anomalous"),
        ([1.0], [1], "0 normal and 1 anomalous"),
        ([], [], "0 normal and 0 anomalous"),
        ([1.0, math.nan], [0, 1], "not finite"),
    ],
)
def test_calibration_that_cannot_decide_is_refused(name, scores, labels, message):
    with pytest.raises(DataError, match=message):
        choose(name, scores, labels)


@both
def test_calibration_without_labels_is_refused(name):
    with pytest.raises(DataError, match="needs both"):
        MAKERS[name]().threshold(Calibration(np.array([1.0, 2.0])))


@pytest.mark.parametrize(
    ("count", "q", "rank"), [(19, 0.95, 19), (20, 0.95, 20), (99, 0.07, 7), (39, 0.5, 20)]
)
def test_quantile_takes_the_conformal_rank(count, q, rank):
    scores = np.random.default_rng(1).permutation(count) + 1.0
    result = quantile(scores, q)
    assert (result.value, result.normals, result.anomalies, result.note) == (rank, count, 0, None)


def test_too_few_normals_give_the_maximum_and_say_so():
    result = quantile([3.0, 1.0, 2.0], 0.95)
    assert result.value == 3.0
    assert result.note is not None
    assert "level 0.95 needs 19" in result.note
    assert quantile(range(18), 0.95).note is not None
    assert quantile(range(19), 0.95).note is None


@pytest.mark.parametrize(("count", "q"), [(7, 0.8), (19, 0.95), (50, 0.9), (24, 0.5)])
def test_quantile_flags_at_most_1_minus_q_of_new_normals_on_average(count, q):
    rng = np.random.default_rng(3)
    # For uniform scores the false-positive rate of a threshold is known: 1 - threshold.
    rates = np.array([1 - quantile(rng.random(count), q).value for _ in range(1500)])
    error = 3 * rates.std() / math.sqrt(len(rates))
    assert rates.mean() <= 1 - q + error
    assert rates.mean() >= 1 - q - 1 / (count + 1) - error  # and no more cautious than needed


@given(
    scores=st.lists(st.integers(-9, 9), min_size=1, max_size=20),
    q=st.floats(0.01, 0.99),
    data=st.data(),
)
def test_quantile_moves_with_increasing_transforms_and_ignores_order(scores, q, data):
    order = data.draw(st.permutations(scores))
    value = quantile(scores, q).value
    assert quantile(order, q).value == value
    assert quantile(np.exp(np.array(order) / 4), q).value == np.exp(np.array([value]) / 4)[0]


def test_quantile_looks_at_normal_images_only():
    result = quantile([1.0, 2.0, 99.0], 0.5, labels=[0, 0, 1])
    assert (result.value, result.normals) == (2.0, 2)


@pytest.mark.parametrize(("scores", "labels"), [([], None), ([5.0], [1])])
def test_quantile_without_a_normal_image_is_refused(scores, labels):
    with pytest.raises(DataError, match="no normal image"):
        quantile(scores, 0.9, labels)


@pytest.mark.parametrize("q", [0, 1, -0.1, 1.5])
def test_a_level_outside_0_and_1_is_refused(q):
    with pytest.raises(ValidationError):
        QuantileParams(q=q)


def test_only_f1_and_youden_declare_that_they_need_labels():
    assert [spec.needs_labels for spec in (F1, YOUDEN, QUANTILE)] == [True, True, False]
