from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from adharness.metrics.mistakes import KINDS, outcomes

NAN, INF = float("nan"), float("inf")
N = 12
LABELS = arrays(np.int64, N, elements=st.integers(0, 1))
SCORES = arrays(np.float64, N, elements=st.sampled_from([-2.0, 0.0, 0.5, 1.0, 3.0, NAN]))
THRESHOLDS = arrays(np.float64, N, elements=st.sampled_from([0.0, 0.5, INF, -INF, NAN]))
CLASSES = arrays(np.int64, N, elements=st.integers(0, 2)).map(lambda drawn: drawn.astype(str))


def _of(scores, thresholds, labels, classes=None):
    names = ["a"] * len(scores) if classes is None else classes
    return outcomes(
        np.array(scores, float), np.array(thresholds, float), np.array(labels), np.array(names)
    )


@settings(deadline=None)
@given(SCORES, THRESHOLDS, LABELS, CLASSES)
def test_every_image_is_in_one_list_or_was_not_decided(scores, thresholds, labels, classes):
    found = outcomes(scores, thresholds, labels, classes)
    listed = [i for kind in KINDS for its in found.worst(kind).values() for i in its]
    undecided = np.flatnonzero(np.isnan(scores) | np.isnan(thresholds)).tolist()
    assert sorted(listed + undecided) == list(range(N))
    assert sorted(found.order[N - len(undecided) :].tolist()) == undecided
    assert (found.excess[found.kinds == 2] <= 0).all()
    assert (found.excess[(found.kinds == 0) | (found.kinds == 1)] >= 0).all()


@settings(deadline=None)
@given(SCORES, LABELS, CLASSES, st.floats(0.1, 50))
def test_margins_are_the_same_on_every_scale(scores, labels, classes, factor):
    thresholds = np.full(N, 0.5)
    here = outcomes(scores, thresholds, labels, classes)
    there = outcomes(factor * scores, factor * thresholds, labels, classes)
    assert here.kinds.tolist() == there.kinds.tolist()
    spread = [len(set(scores[(classes == name) & (scores == scores)])) > 1 for name in classes]
    np.testing.assert_allclose(here.excess[spread], there.excess[spread], rtol=1e-9, atol=1e-9)


@settings(deadline=None)
@given(SCORES, THRESHOLDS, LABELS)
def test_errors_come_before_correct_decisions(scores, thresholds, labels):
    found = outcomes(scores, thresholds, labels, np.full(N, "a"))
    decided = found.kinds[found.order]
    decided = decided[decided >= 0]
    assert (np.diff((decided == 2).astype(int)) >= 0).all()


def test_the_worst_false_alarm_is_highest_and_the_worst_miss_lowest():
    found = _of([5, 9, 2, 1, -4, 7], [3] * 6, [0, 0, 0, 1, 1, 1])
    assert found.worst("false alarm") == {"a": [1, 0]}
    assert found.worst("miss") == {"a": [4, 3]}
    assert found.worst("correct") == {"a": [2, 5]}  # the nearest to the threshold first
    assert found.worst("false alarm", 1) == {"a": [1]}


def test_equal_scores_stay_in_order_and_a_score_at_the_threshold_is_no_alarm():
    found = _of([2, 2, 1], [1, 1, 1], [0, 0, 0])
    assert found.worst("false alarm") == {"a": [0, 1]}
    assert found.worst("correct") == {"a": [2]}


def test_at_an_infinite_threshold_the_score_orders_what_it_missed():
    found = _of([1, 3, 2], [INF] * 3, [1, 1, 1])
    assert found.worst("miss") == {"a": [0, 2, 1]}


def test_without_threshold_or_score_nothing_is_decided():
    found = _of([NAN, 1], [0, NAN], [0, 1])
    assert found.kinds.tolist() == [-1, -1]
    assert all(not found.worst(kind) for kind in KINDS)


def test_a_class_of_tight_scores_counts_in_its_own_unit():
    scores = [0.0, 0.1, 0.2, 0.3, 0.0, 10, 20, 30]
    found = _of(scores, [0.15] * 4 + [15] * 4, [0] * 8, list("aaaabbbb"))
    np.testing.assert_allclose(found.excess[:4], found.excess[4:])
    assert found.scales["b"] == 100 * found.scales["a"]


def test_equal_scores_have_a_unit_all_the_same():
    assert _of([1, 1, 1], [0] * 3, [0] * 3).scales == {"a": 1.0}
    assert 0 < _of([1, 1, 1, 1, 9], [0] * 5, [0] * 5).scales["a"] < 9


def test_no_images_give_no_lists():
    found = _of([], [], np.zeros(0, int))
    assert found.worst("miss") == {}
