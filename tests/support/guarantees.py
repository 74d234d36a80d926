"""Simulations of what conformal thresholds promise, and the largest rate that chance allows.

A rule that keeps its promise has a mean of at most the nominal rate over calibration sets and test
images drawn anew each time. What is measured in a draw lies between 0 and 1: whether a new normal
image is flagged, the share of false alarms, the share of a normal map above the threshold.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize

Float64 = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Float64]
Rule = Callable[[Float64, Float64], npt.NDArray[np.bool_]]
"""Calibration scores (n,) and scores of a batch (m,) -> which of the batch are flagged (m,)."""
MapRule = Callable[[list[npt.NDArray[np.float32]]], float]
"""Maps of normal images -> pixel threshold."""
WRONGLY_FAILED = 1e-6
"""How often a rule that keeps its promise exactly would be taken for one that breaks it."""

SCORES: Mapping[str, Draw] = {
    "continuous": lambda rng, count: rng.gamma(2.0, size=count),
    "heavy-tailed": lambda rng, count: rng.standard_t(2, size=count),
    "tied": lambda rng, count: np.floor(rng.gamma(2.0, 1.5, size=count)),
    "two values": lambda rng, count: rng.integers(0, 2, size=count).astype(np.float64),
}
"""Independent normal images, with and without equal scores."""


@dataclass(frozen=True)
class Measured:
    """The mean over draws, and the range that the promise leaves to chance."""

    rate: float
    nominal: float
    draws: int

    @property
    def allowed(self) -> float:
        """The largest mean that chance allows."""
        return tolerated(self.nominal, self.draws)

    @property
    def kept(self) -> bool:
        """Whether the promise may be kept."""
        return self.rate <= self.allowed


def tolerated(rate: float, draws: int) -> float:
    """Give the mean that one of at most `rate` exceeds once in 1 / WRONGLY_FAILED simulations.

    By Chernoff's bound for the binomial, which holds for all variables in [0, 1] (Hoeffding 1963):
    P(mean >= a) <= exp(-draws KL(a, rate)).
    """

    def short(mean: float) -> float:
        told = mean * math.log(mean / rate) + (1 - mean) * math.log((1 - mean) / (1 - rate))
        return draws * told + math.log(WRONGLY_FAILED)

    top = 1 - 1e-12
    return float(optimize.brentq(short, rate, top)) if short(top) > 0 else 1.0


def false_positive_rate(
    rule: Rule, draw: Draw, *, normals: int, nominal: float, draws: int, seed: int = 0
) -> Measured:
    """Calibrate anew and judge one new normal image, each time."""
    rng = np.random.default_rng([seed, normals, draws])
    flagged = 0
    for _ in range(draws):
        scores = draw(rng, normals + 1)
        flagged += int(rule(scores[:-1], scores[-1:])[0])
    return Measured(flagged / draws, nominal, draws)


def false_discovery_rate(
    rule: Rule,
    draw: Draw,
    *,
    normals: int,
    batch: tuple[int, int],
    nominal: float,
    draws: int,
    shift: float = 6.0,
    seed: int = 0,
) -> Measured:
    """Calibrate anew and decide a batch of (normal, anomalous) images, each time.

    The promise is the rate times the share of normal images. Anomalous ones score `shift` higher.
    """
    good, bad = batch
    rng = np.random.default_rng([seed, normals, good, bad, draws])
    shares = []
    for _ in range(draws):
        scores = draw(rng, normals + good + bad)
        scores[normals + good :] += shift
        flagged = rule(scores[:normals], scores[normals:])
        shares.append(flagged[:good].sum() / max(flagged.sum(), 1))
    return Measured(float(np.mean(shares)), nominal * good / (good + bad), draws)


def false_pixel_rate(
    rule: MapRule, *, normals: int, nominal: float, draws: int, side: int = 4, seed: int = 0
) -> Measured:
    """Calibrate on maps whose pixels share most of their noise, and look at one new normal map."""
    rng = np.random.default_rng([seed, normals, side, draws])
    shares = []
    for _ in range(draws):
        of_image = rng.standard_t(3, size=(normals + 1, 1, 1))
        maps = of_image + 0.05 * rng.normal(size=(normals + 1, side, side))
        maps = maps.astype(np.float32)
        shares.append(float((maps[-1] > rule(list(maps[:-1]))).mean()))
    return Measured(float(np.mean(shares)), nominal, draws)


# --- rules that break the promise -------------------------------------------------------------


def plain_quantile(q: float) -> Rule:
    """Numpy's quantile of the calibration scores, as most tools take it."""
    return lambda held, scores: scores > np.quantile(held, q)


def plain_pixel_quantile(q: float) -> MapRule:
    """The quantile of all pixels of all maps, as if each were an observation of its own."""
    return lambda maps: float(np.quantile(np.stack(maps), q))


def stepped_up(p: Float64, alpha: float) -> npt.NDArray[np.bool_]:
    """Benjamini-Hochberg on given p-values."""
    below = np.sort(p) <= alpha * np.arange(1, len(p) + 1) / len(p)
    cut = alpha * (np.flatnonzero(below)[-1] + 1) / len(p) if below.any() else -1.0
    return p <= cut


def bh_without_plus_one(alpha: float) -> Rule:
    """P-values without the image itself: 0 for any score above all of calibration."""

    def rule(held: Float64, scores: Float64) -> npt.NDArray[np.bool_]:
        return stepped_up((held >= scores[:, None]).mean(axis=1), alpha)

    return rule


def bh_with_ties_in_favour(alpha: float) -> Rule:
    """P-values that count only higher calibration scores: ties make them too small."""

    def rule(held: Float64, scores: Float64) -> npt.NDArray[np.bool_]:
        higher = (held > scores[:, None]).sum(axis=1)
        return stepped_up((1 + higher) / (len(held) + 1), alpha)

    return rule


def each_at_alpha(alpha: float) -> Rule:
    """No step-up at all: every image flagged whose own p-value is small enough."""

    def rule(held: Float64, scores: Float64) -> npt.NDArray[np.bool_]:
        p = (1 + (held >= scores[:, None]).sum(axis=1)) / (len(held) + 1)
        return np.asarray(p <= alpha)

    return rule
