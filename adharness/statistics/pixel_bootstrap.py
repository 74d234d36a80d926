"""Replicates of pixel and region metrics: the sorted pixels weighted anew, never sorted anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from adharness.arrays import AnyArray, Float64, Int64, require_shape
from adharness.declared import DeclaredRegions
from adharness.errors import MetricError
from adharness.metrics.evaluate import MEMORY_MB, find_metrics
from adharness.metrics.inputs import read_pixels
from adharness.metrics.pixel_curves import PixelCurve
from adharness.metrics.pixel_pass import PixelPass, read_decider
from adharness.metrics.table import MetricSpec
from adharness.metrics.values import MetricValue
from adharness.statistics.knots import KnotCounts, choose_knots, count_at
from adharness.statistics.weighted_pixels import WeightedSums

BLOCK = 1024
"""Resamples weighted together: some tens of MiB."""


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """A metric of the images as they are, and of every resample of them.

    Parameters
    ----------
    value
        As `evaluate_pixels` gives it.
    replicates : (B,) float64, optional
        NaN in the resamples in which the metric is undefined. None of a dialect.
    """

    value: MetricValue
    replicates: Float64 | None


def resample_pixels(
    masks: Sequence[AnyArray | DeclaredRegions | None],
    maps: Sequence[AnyArray],
    metrics: Iterable[str],
    weights: Int64,
    *,
    threshold: ArrayLike | None = None,
    spill_to: Path | None = None,
) -> dict[str, Resampled]:
    """Compute pixel and region metrics, and each of them on every resample of the images.

    Parameters
    ----------
    masks, maps, metrics, threshold, spill_to
        As of `evaluate_pixels`; but masks and maps are read twice if a metric without a threshold
        is asked for. The thresholds are kept fixed over the resamples.
    weights : (B, n) int64
        How often each resample drew each image, from `bootstrap_weights`.

    Returns
    -------
    dict of str to Resampled
        In the order of `metrics`.

    Raises
    ------
    MetricError
        As `evaluate_pixels`, or if the weights are not (B, n) or negative.

    Notes
    -----
    At a threshold, replicates are exact. Others are read off the counts of each image at up to
    720 scores, the knots: exactly the metric of the weighted images with each score rounded down
    to a knot. What the rounding does to the value of the images as they are is known exactly, and
    taken off every replicate; so weights of one give the value itself. Where at most 5,800 images
    have at most 160 anomalous pixels together, no knot is missing and replicates are exact. Else
    the pixels that one knot stands for are at most 1/159 of the anomalous ones, but for ties, and
    at most 6.7 % of the normal ones above, of up to 10**9. The area under a curve whose steps hold
    a share d of the drawn pixels each moves by no more than d/2. Measured against the metric of the
    images as often as drawn, areas were off by less than 0.001, oracle F1 and IoU by less than
    0.002, and all by less than 1 % of half the interval.

    References
    ----------
    Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 6.2 (weights in place of
    repeated data).
    """
    return judge_pixels(masks, maps, metrics, weights, threshold=threshold, spill_to=spill_to)[0]


def judge_pixels(
    masks: Sequence[AnyArray | DeclaredRegions | None],
    maps: Sequence[AnyArray],
    metrics: Iterable[str],
    weights: Int64,
    *,
    threshold: ArrayLike | None = None,
    spill_to: Path | None = None,
) -> tuple[dict[str, Resampled], PixelCurve | None]:
    """Do what `resample_pixels` does, and give the curves of the images as they are.

    Parameters
    ----------
    weights : (B, n) int64
        B may be 0: then masks and maps are read once, and there are no replicates.

    Returns
    -------
    dict of str to Resampled
        In the order of `metrics`.
    PixelCurve, optional
        Read from the same pass; None where no metric ranks pixels, or there are none of a kind.
    """
    specs = find_metrics(metrics, {"pixel", "region"})
    images = read_pixels(masks, maps)
    require_shape(weights, (None, len(maps)), name="weights", error=MetricError)
    if np.any(weights < 0):
        raise MetricError(f"a weight is {weights.min()}, expected counts")
    taken = PixelPass(specs, len(maps), threshold, MEMORY_MB * 2**20, spill_to)
    taken.read(images)
    values = taken.values()
    ranked = [s for s in specs if not s.at_threshold and s.dialect is None]
    drawn = {spec.name: np.full(len(weights), np.nan) for spec in ranked if len(weights)}
    defined = [spec for spec in ranked if np.isfinite(values[spec.name].value)]
    if defined and taken.ranked and len(weights):
        low_rates = any(spec.quantity == "aupimo" for spec in defined)
        knots = choose_knots(taken.ranked.pixels, len(maps), low_rates=low_rates)
        counts = count_at(knots, taken.ranked.pixels, read_pixels(masks, maps), len(maps))
        drawn |= _replicates(defined, values, counts, weights)
    if taken.decider and len(weights):
        deciding = [spec for spec in specs if spec.at_threshold]
        drawn |= {spec.name: read_decider(spec, taken.decider, weights) for spec in deciding}
    found = {spec.name: Resampled(values[spec.name], drawn.get(spec.name)) for spec in specs}
    return found, taken.ranked.curve if taken.ranked else None


def _replicates(
    specs: Sequence[MetricSpec],
    values: Mapping[str, MetricValue],
    counts: KnotCounts,
    weights: Int64,
) -> dict[str, Float64]:
    """Read every metric of every resample, each moved by what the knots do to the value itself."""
    whole = WeightedSums(counts, np.ones((1, weights.shape[1]), np.int64)).values(specs)
    blocks = [
        WeightedSums(counts, weights[start : start + BLOCK]).values(specs)
        for start in range(0, len(weights), BLOCK)
    ]
    found = {spec.name: np.concatenate([block[spec.name] for block in blocks]) for spec in specs}
    return {
        spec.name: np.clip(
            found[spec.name] + (values[spec.name].value - whole[spec.name][0]), *spec.range
        )
        for spec in specs
    }
