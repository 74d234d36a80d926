"""What the conformal thresholds promise, kept over many draws; what looks like them breaks it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from adharness import Calibration
from adharness_thresholds import (
    CONFORMAL_BH,
    MAX_NORMAL,
    QUANTILE,
    ConformalBHParams,
    MaxNormalParams,
    QuantileParams,
)
from guarantees import (
    SCORES,
    bh_with_ties_in_favour,
    bh_without_plus_one,
    each_at_alpha,
    false_discovery_rate,
    false_pixel_rate,
    false_positive_rate,
    plain_pixel_quantile,
    plain_quantile,
    tolerated,
)

kinds = pytest.mark.parametrize("kind", sorted(SCORES))
DRAWS = 4000


def quantile(q):
    rule = QUANTILE.make(QuantileParams(q=q))
    return lambda held, scores: scores > rule.threshold(Calibration(held)).value


def maximum(held, scores):
    return scores > MAX_NORMAL.make(MaxNormalParams()).threshold(Calibration(held)).value


def conformal_bh(alpha):
    rule = CONFORMAL_BH.make(ConformalBHParams(alpha=alpha))
    return lambda held, scores: scores > rule.rule(Calibration(held)).decide(scores).value


@kinds
@pytest.mark.parametrize(("normals", "q"), [(7, 0.8), (19, 0.95), (30, 0.9)])
def test_the_quantile_flags_no_more_new_normals_than_it_promises(kind, normals, q):
    found = false_positive_rate(
        quantile(q), SCORES[kind], normals=normals, nominal=1 - q, draws=DRAWS
    )
    assert found.kept, found


@pytest.mark.parametrize(("normals", "q"), [(7, 0.8), (30, 0.9)])
def test_the_quantile_is_no_more_cautious_than_one_rank(normals, q):
    found = false_positive_rate(
        quantile(q), SCORES["continuous"], normals=normals, nominal=1 - q, draws=DRAWS
    )
    least = 1 - q - 1 / (normals + 1)
    assert 1 - found.rate <= tolerated(1 - least, DRAWS)


@kinds
def test_with_too_few_normals_the_rate_of_the_note_is_kept(kind):
    found = false_positive_rate(maximum, SCORES[kind], normals=5, nominal=1 / 6, draws=DRAWS)
    assert found.kept, found


@pytest.mark.parametrize("kind", ["continuous", "heavy-tailed"])
def test_the_plain_quantile_breaks_the_promise_and_is_found_out(kind):
    found = false_positive_rate(
        plain_quantile(0.8), SCORES[kind], normals=7, nominal=0.2, draws=DRAWS
    )
    assert not found.kept, found


@kinds
@pytest.mark.parametrize("batch", [(10, 0), (12, 4), (1, 0)])
def test_bh_keeps_the_share_of_false_alarms_below_its_rate(kind, batch):
    found = false_discovery_rate(
        conformal_bh(0.2), SCORES[kind], normals=24, batch=batch, nominal=0.2, draws=1500
    )
    assert found.kept, found


def test_bh_finds_the_anomalies_that_are_there():
    rng = np.random.default_rng(5)
    flagged = [conformal_bh(0.2)(rng.random(49), np.append(rng.random(6), [9, 9]))[6:].mean()
               for _ in range(200)]  # fmt: skip
    assert np.mean(flagged) > 0.8


@pytest.mark.parametrize(
    ("mutant", "kind", "batch"),
    [
        (bh_without_plus_one, "continuous", (10, 0)),
        (bh_with_ties_in_favour, "two values", (10, 0)),
        (each_at_alpha, "continuous", (12, 4)),
    ],
)
def test_what_looks_like_bh_breaks_the_promise_and_is_found_out(mutant, kind, batch):
    found = false_discovery_rate(
        mutant(0.2), SCORES[kind], normals=24, batch=batch, nominal=0.2, draws=1500
    )
    assert not found.kept, found


def test_of_a_new_normal_map_no_more_pixels_pass_than_promised_however_they_depend():
    rule = QUANTILE.make(QuantileParams(q=0.8))
    found = false_pixel_rate(
        lambda maps: rule.pixel_threshold(maps).value, normals=4, nominal=0.2, draws=600
    )
    assert found.kept, found


def test_the_quantile_of_all_pixels_breaks_that_promise_and_is_found_out():
    found = false_pixel_rate(plain_pixel_quantile(0.7), normals=4, nominal=0.3, draws=3000)
    assert not found.kept, found


@pytest.mark.parametrize(("rate", "draws"), [(0.05, 4000), (0.2, 1500)])
def test_the_tolerance_is_one_that_a_binomial_passes_once_in_a_million(rate, draws):
    passed = stats.binom.sf(tolerated(rate, draws) * draws, draws, rate)
    assert 1e-9 < passed <= 1e-6
