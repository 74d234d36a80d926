"""Whether two methods differ beyond chance: p-values, and their adjustment for many pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import scipy  # scipy.stats loads at its first use, not here
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from adharness.arrays import AnyArray, Float64, require_shape
from adharness.errors import MetricError
from adharness.metrics.inputs import read_labels, read_scores
from adharness.statistics.drawn import ROUNDING, Drawn

POWER = 0.8
"""Of `detectable`: how often a difference of this size would be found."""


def p_value(difference: Drawn) -> float:
    """Two-sided p-value of no difference, from its replicates.

    Parameters
    ----------
    difference
        Of two statistics of the same draws, from `Drawn.minus`.

    Returns
    -------
    float
        2 (1 + k) / (B + 1), at most 1, where k of the B replicates lie on the other side of zero
        than most, or on it; never below `least_p`. NaN where most replicates are undefined.

    References
    ----------
    Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 4.2.3 (the ones).
    """
    defined = difference.replicates[~np.isnan(difference.replicates)]
    if 2 * len(defined) < len(difference.replicates) or len(defined) == 0:
        return float("nan")
    sides = [np.count_nonzero(sign * defined <= ROUNDING) for sign in (1, -1)]
    return min(1.0, 2 * (1 + min(sides)) / (len(defined) + 1))


def least_p(resamples: int) -> float:
    """Give the smallest p-value that so many resamples can show."""
    return 2 / (resamples + 1)


def normal_p(difference: float, deviation: float) -> float:
    """Two-sided p-value of a normal difference with this standard deviation.

    Without any spread it is 1 where there is no difference and 0 where there is one.
    """
    if deviation <= ROUNDING:
        return 1.0 if abs(difference) <= ROUNDING else 0.0
    return float(2 * ndtr(-abs(difference) / deviation))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for their number, step by step.

    Returns
    -------
    list of float
        In the order given: to reject those below a level wrongly rejects any one of them with at
        most that probability.

    Notes
    -----
    A larger p-value never gets a smaller adjusted one. NaN stays, and counts as a pair.

    References
    ----------
    Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of
    Statistics 6, 1979.
    """
    given = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(given)  # NaN last
    steps = given[order] * np.arange(len(given), 0, -1)
    adjusted = np.empty(len(given))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return [float(value) for value in adjusted]


def detectable(deviation: float, level: float = 0.95, power: float = POWER) -> float:
    """Give the smallest true difference that would be found with this power.

    Parameters
    ----------
    deviation
        Standard deviation of the paired difference.
    level
        Of the interval that must leave out zero.

    References
    ----------
    Cohen, Statistical Power Analysis for the Behavioral Sciences, 1988, chapter 1.
    """
    return float(ndtri((1 + level) / 2) + ndtri(power)) * deviation


def delong(
    labels: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    classes: Sequence[str] | None = None,
) -> tuple[float, float]:
    """Compare two AUROCs on the same images without resampling.

    Parameters
    ----------
    labels : (n,) int or bool
        0 normal, 1 anomalous; the images are independent.
    first, second : (n,) real
        Scores of two methods, higher = more anomalous.
    classes
        Class of each image, where as many images of each class are there as there should be: then
        only the variance within classes counts, as in a bootstrap that draws within them.

    Returns
    -------
    difference, variance
        Of the first AUROC minus the second. The variance is NaN where there are fewer than two
        images of a label, or of a class and label; both are where a label is missing.

    Raises
    ------
    MetricError
        If the shapes differ, a label is not 0 or 1, or a score is not finite.

    Notes
    -----
    A tied pair counts half.

    References
    ----------
    DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988; Sun and Xu, Fast implementation of
    DeLong's algorithm, IEEE Signal Processing Letters 21, 2014 (midranks).
    """
    anomalous = read_labels(labels)
    both = [read_scores(scores, len(anomalous)) for scores in (first, second)]
    for scores in both:
        require_shape(scores, anomalous.shape, name="scores", error=MetricError)
    if anomalous.all() or not anomalous.any():
        return math.nan, math.nan
    placed = [_placements(scores[anomalous], scores[~anomalous]) for scores in both]
    parts = [mine - other for mine, other in zip(*placed, strict=True)]
    names = np.full(len(anomalous), "") if classes is None else np.asarray(classes)
    require_shape(names, anomalous.shape, name="classes", error=MetricError)
    of_parts = names[anomalous], names[~anomalous]
    variances = [_variance(part, of) for part, of in zip(parts, of_parts, strict=True)]
    return float(parts[0].mean()), math.fsum(variances)


def _variance(values: Float64, classes: AnyArray) -> float:
    """Estimate the variance of the mean of values that are drawn within their classes."""
    sums = [
        len(mine) * float(np.var(mine, ddof=1)) if len(mine) > 1 else math.nan
        for mine in (values[classes == name] for name in np.unique(classes))
    ]
    return math.fsum(sums) / len(values) ** 2


def _placements(anomalous: AnyArray, normal: AnyArray) -> tuple[Float64, Float64]:
    """Share of the normal images below each anomalous one, and of anomalous above each normal."""
    together = scipy.stats.rankdata(np.concatenate([anomalous, normal]))
    above, below = together[: len(anomalous)], together[len(anomalous) :]
    return (
        (above - scipy.stats.rankdata(anomalous)) / len(normal),
        1 - (below - scipy.stats.rankdata(normal)) / len(anomalous),
    )
