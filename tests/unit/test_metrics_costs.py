"""Expected cost: by hand, against a brute force, and against readings that get it wrong."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adharness.errors import MetricError
from adharness.metrics import MistakeCosts, evaluate_images
from adharness.statistics.bootstrap import replicates, replicates_of
from adharness.suite.schema import DeploymentSettings

LABELS = np.array([0, 0, 0, 0, 1, 1])
SCORES = np.array([1.0, 2.0, 3.0, 6.0, 2.5, 7.0])
COSTS = MistakeCosts(miss=20.0, false_alarm=2.0, defect_rate=0.1)


def cost(labels, scores, threshold, costs=COSTS):
    names = ["image_cost", "image_cost_oracle"]
    found = evaluate_images(labels, scores, names, threshold=threshold, costs=costs)
    return found["image_cost"].value, found["image_cost_oracle"].value


def by_definition(labels, scores, threshold, costs):
    """Walk the line: each part is defective or not, and judged as the test images are."""
    missed = float(np.mean([s <= threshold for s, y in zip(scores, labels, strict=True) if y]))
    alarmed = float(np.mean([s > threshold for s, y in zip(scores, labels, strict=True) if not y]))
    rate = costs.defect_rate
    return rate * costs.miss * missed + (1 - rate) * costs.false_alarm * alarmed


def test_a_cost_by_hand():
    # Half of the defects are missed (0.1 * 20 * 0.5), a quarter of the good parts flagged
    # (0.9 * 2 * 0.25).
    assert cost(LABELS, SCORES, 5.0)[0] == pytest.approx(1.0 + 0.45)


@st.composite
def cases(draw):
    labels = [0, 1, *draw(st.lists(st.integers(0, 1), max_size=10))]
    scores = [draw(st.integers(-3, 3)) / 2 for _ in labels]
    share = draw(st.sampled_from([0.001, 0.1, 0.5, 0.9]))
    costs = MistakeCosts(draw(st.sampled_from([0.5, 10.0])), 1.0, share)
    return np.array(labels), np.array(scores), draw(st.integers(-4, 4)) / 2, costs


@given(case=cases())
def test_both_costs_are_those_of_a_brute_force(case):
    labels, scores, threshold, costs = case
    here, oracle = cost(labels, scores, threshold, costs)
    assert here == pytest.approx(by_definition(labels, scores, threshold, costs))
    every = [-math.inf, *scores]
    least = min(by_definition(labels, scores, t, costs) for t in every)
    assert oracle == pytest.approx(least)
    assert oracle <= here


@given(case=cases())
def test_bootstrap_replicates_of_the_whole_set_are_the_value(case):
    labels, scores, threshold, costs = case
    once = np.ones((1, len(labels)), dtype=np.int64)
    for name, value in zip(
        ["image_cost", "image_cost_oracle"], cost(labels, scores, threshold, costs), strict=True
    ):
        drawn = replicates_of([name], labels, scores, once, threshold=threshold, costs=costs)
        assert drawn[name][0] == value


def test_the_costs_default_to_those_of_the_docs():
    drawn = replicates("image_cost", LABELS, SCORES, np.ones((1, 6), np.int64), threshold=5.0)
    assert drawn[0] == cost(LABELS, SCORES, 5.0, MistakeCosts(10.0, 1.0, 0.01))[0]


def test_a_suites_defaults_are_those_of_the_metric_and_stand_in_the_docs():
    told, own = DeploymentSettings(), MistakeCosts()
    assert (told.miss_cost, told.false_alarm_cost, told.defect_rate) == (
        own.miss,
        own.false_alarm,
        own.defect_rate,
    )
    page = (Path(__file__).parents[2] / "docs" / "protocols.md").read_text("utf-8")
    stated = f"{{miss_cost: {own.miss:g}, false_alarm_cost: {own.false_alarm:g}, "
    assert f"deployment: {stated}defect_rate: {own.defect_rate:g}}}" in page


# --- readings that look right: each differs on a case where ours is what the definition says ------


def with_the_test_sets_rate(labels, scores, threshold, costs):
    """The share of defects in the test set taken for that of the line."""
    here = MistakeCosts(costs.miss, costs.false_alarm, float(np.mean(labels)))
    return by_definition(labels, scores, threshold, here)


def with_equal_scores_flagged(labels, scores, threshold, costs):
    return by_definition(labels, scores, np.nextafter(threshold, -np.inf), costs)


def with_costs_swapped(labels, scores, threshold, costs):
    here = MistakeCosts(costs.false_alarm, costs.miss, costs.defect_rate)
    return by_definition(labels, scores, threshold, here)


@pytest.mark.parametrize(
    "mutant", [with_the_test_sets_rate, with_equal_scores_flagged, with_costs_swapped]
)
def test_other_readings_of_the_cost_are_told_apart(mutant):
    threshold = 6.0
    ours = cost(LABELS, SCORES, threshold)[0]
    assert ours == pytest.approx(by_definition(LABELS, SCORES, threshold, COSTS))
    assert mutant(LABELS, SCORES, threshold, COSTS) != pytest.approx(ours)


def test_taking_every_normal_image_twice_changes_no_cost():
    twice = np.repeat(np.arange(6), 2 - LABELS)
    before, after = cost(LABELS, SCORES, 5.0), cost(LABELS[twice], SCORES[twice], 5.0)
    assert after == pytest.approx(before)


def test_without_an_anomalous_or_a_normal_image_there_is_no_cost():
    for labels, reason in (([0, 0], "no anomalous image"), ([1, 1], "no normal image")):
        names = ["image_cost", "image_cost_oracle"]
        found = evaluate_images(labels, [1.0, 2.0], names, threshold=1.5)
        assert all(math.isnan(value) and value.reason == reason for value in found.values())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"miss": 0.0}, "the cost miss is 0.0"),
        ({"miss": math.inf}, "the cost miss is inf"),
        ({"false_alarm": -1.0}, "the cost false_alarm is -1.0"),
        ({"false_alarm": math.nan}, "the cost false_alarm is nan"),
        ({"defect_rate": 0.0}, "the defect rate is 0.0"),
        ({"defect_rate": 1.0}, "the defect rate is 1.0"),
    ],
)
def test_costs_without_meaning_are_refused(values, message):
    with pytest.raises(MetricError, match=message):
        MistakeCosts(**values)
