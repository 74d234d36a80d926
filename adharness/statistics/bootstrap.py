"""Stratified bootstrap over test images, all resamples of a metric at once.

A resample is a row of weights: how often each image was drawn. Metrics are functions of weighted
counts, so the images are ranked once and every resample reuses the ranking. Two methods judged
with the same weights have paired replicates. Pixels of one image are not independent, so pixel and
region metrics weigh whole images too: see `pixel_bootstrap`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from adharness.arrays import AnyArray, Float64, Int64, require_shape
from adharness.errors import MetricError
from adharness.metrics.costs import MistakeCosts
from adharness.metrics.decisions import confusion, decide
from adharness.metrics.evaluate import DEFAULT_COSTS, find_metrics, read_counts, read_ranking
from adharness.metrics.inputs import read_labels, read_scores, read_threshold
from adharness.metrics.ranking import rank_weighted


def strata_of(labels: ArrayLike, classes: Sequence[str] | None = None) -> Int64:
    """Give images of one label, or of one class and label, the same number.

    Parameters
    ----------
    labels : (n,) int or bool
        0 normal, 1 anomalous.
    classes
        Class of each image, if the images of several are pooled.

    Returns
    -------
    (n,) int64
        Equal for images of one class and one label.
    """
    anomalous = read_labels(labels)
    names = np.zeros(len(anomalous), np.int64) if classes is None else np.asarray(classes)
    require_shape(names, anomalous.shape, name="classes", error=MetricError)
    _, class_numbers = np.unique(names, return_inverse=True)
    return 2 * class_numbers.astype(np.int64) + anomalous


def bootstrap_weights(strata: Int64, resamples: int, rng: np.random.Generator) -> Int64:
    """Draw resamples with replacement, each stratum to its own size.

    Parameters
    ----------
    strata : (n,) int64
        Images with equal numbers form a stratum, as from `strata_of`.
    resamples
        B, at least 1.
    rng
        Source of all randomness; the same state gives the same weights.

    Returns
    -------
    (B, n) int64
        How often each image was drawn. Every row sums to n, and over a stratum to its size.

    Raises
    ------
    MetricError
        If there is no image or B < 1.
    """
    numbers = np.asarray(strata)
    if numbers.ndim != 1 or numbers.size == 0 or resamples < 1:
        raise MetricError(f"{resamples} resamples of strata of shape {numbers.shape}")
    weights = np.empty((resamples, len(numbers)), dtype=np.int64)
    for stratum in np.unique(numbers):
        members = np.flatnonzero(numbers == stratum)
        weights[:, members] = _draw(len(members), resamples, rng)
    return weights


def _draw(size: int, resamples: int, rng: np.random.Generator) -> Int64:
    drawn = rng.integers(size, size=(resamples, size))
    rows = np.arange(resamples)[:, None] * size
    return np.bincount((drawn + rows).ravel(), minlength=resamples * size).reshape(resamples, size)


def replicates(
    metric: str,
    labels: ArrayLike,
    scores: ArrayLike,
    weights: Int64,
    threshold: ArrayLike | None = None,
) -> Float64:
    """Compute one image-level metric on every resample; see `replicates_of`.

    Returns
    -------
    (B,) float64
    """
    return replicates_of([metric], labels, scores, weights, threshold)[metric]


def replicates_of(
    metrics: Iterable[str],
    labels: ArrayLike,
    scores: ArrayLike,
    weights: Int64,
    threshold: ArrayLike | None = None,
    costs: MistakeCosts = DEFAULT_COSTS,
) -> dict[str, Float64]:
    """Compute image-level metrics on every resample, ranking the images once.

    Parameters
    ----------
    metrics
        Ids of the image level.
    labels : (n,) int or bool
        0 normal, 1 anomalous.
    scores : (n,) real
        Higher = more anomalous.
    weights : (B, n) int64
        From `bootstrap_weights`.
    threshold : () or (n,) float64, optional
        The deployed threshold, kept fixed over the resamples.
    costs
        As of `evaluate_images`.

    Returns
    -------
    dict of str to (B,) float64
        NaN in the resamples in which a metric is undefined.

    Raises
    ------
    MetricError
        As `evaluate_images`, or if the weights are not (B, n) or negative, or if a pixel or
        region metric is asked for: see `resample_pixels`.
    """
    specs = find_metrics(metrics, {"image"})
    anomalous = read_labels(labels)
    values = read_scores(scores, len(anomalous))
    require_shape(weights, (None, len(anomalous)), name="weights", error=MetricError)
    if np.any(weights < 0):
        raise MetricError(f"a weight is {weights.min()}, expected counts")
    found: dict[str, Float64] = {}
    ranked = [spec for spec in specs if not spec.at_threshold]
    if ranked:
        ranking = rank_weighted(anomalous, values, weights)
        found |= {spec.name: read_ranking(spec, ranking, costs) for spec in ranked}
    deciding = [spec for spec in specs if spec.at_threshold]
    if deciding:
        flagged = decide(values, read_threshold(threshold, len(anomalous)))
        counts = confusion(anomalous, flagged, weights)
        found |= {spec.name: read_counts(spec, counts, costs) for spec in deciding}
    return {spec.name: found[spec.name] for spec in specs}


def macro_replicates(of_classes: Sequence[Float64]) -> Float64:
    """Mean over classes of each resample: replicates of a macro mean.

    Parameters
    ----------
    of_classes
        Of each class (B,) replicates, drawn independently of the other classes.

    Returns
    -------
    (B,) float64
        NaN where one class is, so that no class drops out of the mean unseen.

    Raises
    ------
    MetricError
        If there is no class or the lengths differ.
    """
    if not of_classes:
        raise MetricError("a macro mean of no class")
    _same_length(of_classes)
    return np.asarray(np.mean(np.stack(of_classes), axis=0), dtype=np.float64)


def paired_difference(first: Float64, second: Float64) -> Float64:
    """Difference of two methods on each resample; both must come from the same weights.

    Raises
    ------
    MetricError
        If the lengths differ.
    """
    _same_length([first, second])
    return first - second


def _same_length(several: Sequence[AnyArray]) -> None:
    for replicate in several:
        require_shape(replicate, (len(several[0]),), name="replicates", error=MetricError)


def interval(values: Float64, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of replicates.

    Parameters
    ----------
    values : (B,) float64
        Replicates of a metric, of a macro mean or of a paired difference.
    level
        Share of the replicates inside, in (0, 1).

    Returns
    -------
    low, high
        Both NaN if the metric is undefined in more than half of the resamples; else those in
        which it is undefined are left out.

    Raises
    ------
    MetricError
        If the level is not in (0, 1).

    References
    ----------
    Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3.
    """
    if not 0 < level < 1:
        raise MetricError(f"the level is {level}, expected a share between 0 and 1", hint="0.95")
    defined = values[~np.isnan(values)]
    if 2 * len(defined) < len(values) or len(defined) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
