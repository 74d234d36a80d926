"""Thresholders of images that look at normal scores alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import stats

from adharness import Calibration, DataError
from adharness_thresholds import (
    FIXED,
    MAX_NORMAL,
    MEAN_STD,
    MEDIAN_MAD,
    POT,
    QUANTILE,
    FixedParams,
    MaxNormalParams,
    MeanStdParams,
    MedianMadParams,
    PotParams,
    QuantileParams,
)
from adharness_thresholds.tail import PeaksOverThreshold

RULES = {
    "max-normal": lambda: MAX_NORMAL.make(MaxNormalParams()),
    "mean-std": lambda: MEAN_STD.make(MeanStdParams(k=2.5)),
    "median-mad": lambda: MEDIAN_MAD.make(MedianMadParams(k=2.5)),
    "pot": lambda: POT.make(PotParams()),
    "quantile": lambda: QUANTILE.make(QuantileParams(q=0.9)),
}
every = pytest.mark.parametrize("name", sorted(RULES))
SCORES = st.lists(st.integers(-40, 40).map(lambda i: i / 8), min_size=1, max_size=60)


def choose(rule, scores, labels=None):
    labels = None if labels is None else np.array(labels)
    return rule.threshold(Calibration(np.array(scores, dtype=np.float64), labels))


@every
@given(scores=SCORES, shift=st.integers(-9, 9), power=st.integers(-3, 3))
def test_shifting_and_scaling_the_scores_shifts_and_scales_the_threshold(
    name, scores, shift, power
):
    moved = np.array(scores) * 2.0**power + shift
    expected = choose(RULES[name](), scores).value * 2.0**power + shift
    assert choose(RULES[name](), moved).value == pytest.approx(expected, rel=1e-9, abs=1e-9)


@every
@given(scores=SCORES, data=st.data())
def test_the_order_of_calibration_images_does_not_matter(name, scores, data):
    shuffled = data.draw(st.permutations(scores))
    one, other = choose(RULES[name](), scores), choose(RULES[name](), shuffled)
    assert one.value == pytest.approx(other.value, rel=1e-12, abs=1e-12)
    assert (one.normals, one.note) == (other.normals, other.note)


@every
def test_equal_scores_give_exactly_their_value(name):
    assert choose(RULES[name](), [0.1] * 30).value == 0.1


@every
def test_one_normal_image_gives_its_score_and_the_note_says_what_is_missing(name):
    found = choose(RULES[name](), [4.25])
    assert (found.value, found.normals, found.anomalies) == (4.25, 1, 0)
    assert found.note


@every
def test_anomalous_images_of_calibration_are_left_out(name):
    scores = [*range(20), 1000.0]
    found = choose(RULES[name](), scores, [0] * 20 + [1])
    assert found == choose(RULES[name](), scores[:20])
    assert found.anomalies == 0


@every
@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([], None, "no normal image"),
        ([1.0, 2.0], [1, 1], "no normal image"),
        ([1.0, math.nan], None, "not finite"),
        ([1.0, math.inf], None, "not finite"),
    ],
)
def test_calibration_that_cannot_decide_is_refused(name, scores, labels, message):
    with pytest.raises(DataError, match=message):
        choose(RULES[name](), scores, labels)


def test_mean_std_is_the_mean_and_k_deviations_of_the_population():
    scores = np.random.default_rng(2).normal(50, 3, 31)
    found = choose(MEAN_STD.make(MeanStdParams(k=3)), scores)
    assert found.value == pytest.approx(scores.mean() + 3 * scores.std(), rel=1e-13)
    assert (found.normals, found.note) == (31, None)


def test_median_mad_equals_mean_std_on_normal_data_and_shrugs_at_outliers():
    scores = np.random.default_rng(2).normal(50, 3, 20_001)
    robust, plain = MEDIAN_MAD.make(MedianMadParams()), MEAN_STD.make(MeanStdParams())
    assert choose(robust, scores).value == pytest.approx(choose(plain, scores).value, abs=0.3)
    spoilt = np.where(np.arange(len(scores)) < 2000, 1e6, scores)
    assert choose(robust, spoilt).value < 63
    assert choose(plain, spoilt).value > 1e5


def test_median_mad_says_where_half_of_the_scores_are_equal():
    found = choose(RULES["median-mad"](), [1.0, 1.0, 1.0, 7.0])
    assert found.value == 1.0
    assert found.note is not None
    assert "MAD is 0" in found.note


def test_max_normal_says_what_rate_to_expect():
    found = choose(RULES["max-normal"](), range(19))
    assert found.value == 18.0
    assert found.note is not None
    assert "5.0% false positives" in found.note


@pytest.mark.parametrize("shape", [0.3, 0.0, -0.2])
def test_pot_finds_the_far_quantile_of_a_generalised_pareto_tail(shape):
    rng = np.random.default_rng(4)
    scores = stats.genpareto.rvs(shape, size=20_000, random_state=rng)
    found = choose(PeaksOverThreshold(0.9, 0.001), scores)
    assert found.value == pytest.approx(stats.genpareto.ppf(0.999, shape), rel=0.08)
    assert found.note is not None
    assert "2000 scores" in found.note


def test_pot_follows_its_equation():
    rng = np.random.default_rng(5)
    scores = np.sort(rng.exponential(2.0, 400))
    start, excesses = scores[359], scores[360:] - scores[359]
    shape, _, scale = stats.genpareto.fit(excesses, floc=0.0)
    by_hand = start + scale / shape * ((0.001 * 400 / 40) ** -shape - 1)
    assert choose(RULES["pot"](), scores).value == pytest.approx(by_hand, rel=1e-3)


def test_pot_with_few_scores_in_the_tail_takes_it_as_exponential_and_says_so():
    scores = np.arange(1.0, 41.0)  # 36 is the 0.9-quantile; 1 to 4 lie above it, 2.5 on average
    found = choose(RULES["pot"](), scores)
    assert found.value == pytest.approx(36 - 2.5 * math.log(0.001 * 40 / 4))
    assert found.note is not None
    assert "needs 10 scores in it, it has 4" in found.note


def test_pot_of_scores_that_end_gives_the_highest_and_says_so():
    found = choose(RULES["pot"](), np.linspace(0, 1, 301))
    assert found.value == 1.0
    assert found.note is not None
    assert "the highest score" in found.note


def test_pot_whose_fit_fails_takes_the_tail_as_exponential_and_says_so(monkeypatch):
    def fails(*_args, **_named):
        raise stats.FitError("no way")

    monkeypatch.setattr(stats.genpareto, "fit", fails)
    found = choose(RULES["pot"](), np.random.default_rng(1).exponential(size=300))
    assert math.isfinite(found.value)
    assert found.note is not None
    assert "no shape could be fitted" in found.note


def test_pot_with_equal_scores_at_the_top_gives_them():
    found = choose(RULES["pot"](), [1.0, 2.0, *[5.0] * 30])
    assert found.value == 5.0
    assert found.note is not None


@given(scores=SCORES)
def test_pot_never_lies_below_the_quantile_that_its_tail_begins_at(scores):
    start = np.sort(scores)[max(math.ceil(0.9 * len(scores)), 1) - 1]
    found = choose(RULES["pot"](), scores).value
    assert found >= start
    assert math.isfinite(found)


@given(value=st.floats(-1e9, 1e9), scores=SCORES)
def test_fixed_gives_the_declared_number_and_counts_no_image(value, scores):
    found = choose(FIXED.make(FixedParams(value=value)), scores)
    assert (found.value, found.normals, found.anomalies) == (value, 0, 0)
    assert found.note is not None
    assert "declared" in found.note


@pytest.mark.parametrize(
    ("params", "values"),
    [
        (PotParams, {"level": 0.9, "risk": 0.1}),
        (PotParams, {"level": 1.0}),
        (PotParams, {"risk": 0.0}),
        (MeanStdParams, {"k": -1}),
        (MedianMadParams, {"k": math.nan}),
        (FixedParams, {}),
        (FixedParams, {"value": math.inf}),
        (FixedParams, {"value": math.nan}),
    ],
)
def test_parameters_without_meaning_are_refused(params, values):
    with pytest.raises(ValidationError):
        params(**values)
