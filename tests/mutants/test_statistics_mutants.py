"""Changes to the statistics, each of which a named property must notice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

import populations as known
from adharness.statistics import Drawn, drawn, paired_tests, sampling
from adharness.statistics.drawn import over_classes
from adharness.statistics.paired_tests import delong
from adharness.statistics.sampling import bootstrap_weights

SKEWED = known.images(2.5)


# --- properties -----------------------------------------------------------------------------


def intervals_near_the_top_cover_the_truth() -> bool:
    found = known.coverage(
        SKEWED, images=60, draws=150, interval=Drawn.interval, resamples=200, seed=5
    )
    return found["image_ap"][0] >= 0.9


def a_skewed_mean_reaches_further_to_its_long_side() -> bool:
    values = np.random.default_rng(0).exponential(size=40)
    centred = values - values.mean()
    replicate = values.mean() + np.random.default_rng(1).normal(size=4000) * values.std() / 40**0.5
    one = Drawn(float(values.mean()), replicate, centred / 40, np.zeros(40, np.int64))
    low, high = one.interval()
    return high - values.mean() > 1.1 * (values.mean() - low)


def an_estimate_above_its_replicates_moves_the_interval_up() -> bool:
    replicate = np.random.default_rng(0).normal(size=4000)
    high = Drawn(0.3, replicate, np.zeros(0), np.zeros(0, np.int64)).interval()
    return high[0] > -1.7 and high[1] > 2.1


def pairs_share_the_noise_of_their_images() -> bool:
    found = known.difference().draw(np.random.default_rng(0), 200, 400)
    spread = np.std(next(iter(found.values())).replicates)
    return bool(spread < 0.034)  # 0.030 drawn together, 0.041 apart


def views_are_drawn_together() -> bool:
    units = np.repeat(np.arange(6), 3)
    weights = sampling.draw(units % 2, 20, np.random.default_rng(0), units).weights
    return bool((weights[:, ::3] == weights[:, 1::3]).all())


def holm_is_ordered_and_steps_down() -> bool:
    found = paired_tests.holm([0.01, 0.011, 0.04, 0.05])
    return bool(np.allclose(found, [0.04, 0.04, 0.08, 0.08]))


def the_influence_is_that_of_its_stratum() -> bool:
    """Unequal strata: the variance of a difference of two means."""
    rng = np.random.default_rng(0)
    labels = np.arange(60) < 12
    scores = rng.normal(size=60) + 5.0 * labels
    made = sampling.draw(labels.astype(np.int64), 10, rng)
    means = [made.weights @ (scores * of) / (made.weights @ of) for of in (labels, ~labels)]
    one = made.read(means[0] - means[1])
    exact = sum(np.var(scores[of]) / (of.sum()) for of in (labels, ~labels))
    return bool(np.isclose((one.influence**2).sum(), exact, rtol=1e-9))


def a_second_seed_is_no_second_set_of_images() -> bool:
    one = SKEWED.draw(np.random.default_rng(0), 60, 200)["image_auroc"]
    mean = drawn.over_alike([one, one])
    return bool(np.isclose((mean.influence**2).sum(), (one.influence**2).sum()))


def drawn_classes_vary_though_their_images_do_not() -> bool:
    none = np.zeros(0), np.zeros(0, np.int64)
    of_classes = [Drawn(value, np.full(500, value), *none) for value in (0.5, 0.7, 0.9)]
    return bool(np.std(drawn.macro_mean(of_classes, "hierarchical").replicates) > 0.05)


def delong_is_the_variance_of_the_pairs() -> bool:
    rng = np.random.default_rng(3)
    labels, spreads = np.arange(60) % 2, []
    differences = []
    for _ in range(300):
        shared = rng.normal(size=60)
        first, second = (shared + rng.normal(size=60) + labels for _ in range(2))
        difference, variance = paired_tests.delong(labels, first, second)
        differences.append(difference)
        spreads.append(variance)
    return bool(0.75 < np.mean(spreads) / np.var(differences) < 1.3)


def no_p_value_is_zero() -> bool:
    none = np.zeros(0), np.zeros(0, np.int64)
    return paired_tests.p_value(Drawn(1.0, np.ones(99), *none)) == 0.02


# --- mutants --------------------------------------------------------------------------------


def _accelerated(sign: float) -> property:
    ours = Drawn.acceleration.fget
    assert ours is not None
    return property(lambda one: sign * ours(one))


def _without_monotony(p_values: Any) -> list[float]:
    order = np.argsort(p_values)
    found = np.empty(len(p_values))
    found[order] = np.asarray(p_values)[order] * np.arange(len(p_values), 0, -1)
    return found.tolist()


def _bonferroni(p_values: Any) -> list[float]:
    return [min(1.0, len(p_values) * p) for p in p_values]


def _apart(self: Drawn, other: Drawn) -> Drawn:
    turned = np.roll(other.replicates, 1)
    return Drawn(
        self.estimate - other.estimate,
        self.replicates - turned,
        self.influence - other.influence,
        self.strata,
    )


def _one_stratum(left_out: Any, strata: Any) -> Any:
    return (1 - 1 / len(left_out)) * (left_out.mean() - left_out)


def _without_ones(difference: Drawn) -> float:
    values = difference.replicates
    return float(2 * min((values <= 0).mean(), (values >= 0).mean()))


def _turned_bias(self: Drawn, tails: Any, defined: Any) -> Any:
    bias = -ndtri((defined < self.estimate).mean())
    return ndtr(2 * bias + ndtri(tails))


def _unpaired_delong(labels: Any, first: Any, second: Any, classes: Any = None) -> Any:
    """Variances of both methods added, without their covariance."""
    constant = np.zeros(len(labels))
    difference, _ = delong(labels, first, second)
    return difference, delong(labels, first, constant)[1] + delong(labels, second, constant)[1]


@dataclass(frozen=True)
class Trial:
    """A place in the code, what stands there in the mutant, and what must notice."""

    holds: Callable[[], bool]
    owner: object
    name: str
    mutant: object
    label: str


TRIALS = [
    Trial(intervals_near_the_top_cover_the_truth, Drawn, "_moved",
          lambda one, tails, defined: tails, "no correction"),
    Trial(a_skewed_mean_reaches_further_to_its_long_side, Drawn, "acceleration",
          _accelerated(-1.0), "acceleration turned"),
    Trial(a_skewed_mean_reaches_further_to_its_long_side, Drawn, "acceleration",
          _accelerated(0.0), "no acceleration"),
    Trial(an_estimate_above_its_replicates_moves_the_interval_up, Drawn, "_moved",
          _turned_bias, "bias turned"),
    Trial(pairs_share_the_noise_of_their_images, Drawn, "minus", _apart, "pairs drawn apart"),
    Trial(views_are_drawn_together, sampling, "bootstrap_weights",
          lambda strata, resamples, rng, units: bootstrap_weights(strata, resamples, rng),
          "groups ignored"),
    Trial(a_second_seed_is_no_second_set_of_images, drawn, "over_alike", over_classes,
          "seeds as images"),
    Trial(no_p_value_is_zero, paired_tests, "p_value", _without_ones, "no ones added"),
    Trial(holm_is_ordered_and_steps_down, paired_tests, "holm", _without_monotony, "not in order"),
    Trial(holm_is_ordered_and_steps_down, paired_tests, "holm", _bonferroni, "no steps"),
    Trial(the_influence_is_that_of_its_stratum, sampling, "_influence", _one_stratum,
          "strata ignored"),
    Trial(drawn_classes_vary_though_their_images_do_not, drawn, "over_drawn_classes",
          lambda of_classes, rng: over_classes(of_classes), "classes stay"),
    Trial(delong_is_the_variance_of_the_pairs, paired_tests, "delong", _unpaired_delong,
          "no covariance"),
]  # fmt: skip


@pytest.mark.parametrize(
    "holds", dict.fromkeys(trial.holds for trial in TRIALS), ids=lambda h: h.__name__
)
def test_the_property_holds_for_our_own_code(holds):
    assert holds()


@pytest.mark.parametrize("trial", TRIALS, ids=[trial.label for trial in TRIALS])
def test_the_property_rejects_the_mutant(trial, monkeypatch):
    monkeypatch.setattr(trial.owner, trial.name, trial.mutant)
    assert not trial.holds()
