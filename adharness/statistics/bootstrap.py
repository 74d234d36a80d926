"""Image metrics on every resample of the test images, at once.

A resample is a row of weights: how often each image was drawn. Metrics are functions of weighted
counts, so the images are ranked once and every resample reuses the ranking. Two methods judged
with the same weights have paired replicates. Pixels of one image are not independent, so pixel and
region metrics weigh whole images too: see `pixel_bootstrap`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from adharness.arrays import Float64, Int64, require_shape
from adharness.errors import MetricError
from adharness.metrics.costs import MistakeCosts
from adharness.metrics.decisions import confusion, decide
from adharness.metrics.evaluate import DEFAULT_COSTS, find_metrics, read_counts, read_ranking
from adharness.metrics.inputs import read_labels, read_scores, read_threshold
from adharness.metrics.ranking import rank_weighted


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
        From `bootstrap_weights`, or those of a `Sampling`.
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
