"""The two public calls: from labels, masks and scores to named values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from adharness.arrays import AnyArray, Float64
from adharness.declared import DeclaredRegions
from adharness.errors import MetricError
from adharness.metrics import decisions
from adharness.metrics.costs import MistakeCosts, expected_cost, least_cost
from adharness.metrics.inputs import read_labels, read_pixels, read_scores, read_threshold
from adharness.metrics.pixel_pass import PixelPass
from adharness.metrics.quantities import QUANTITIES
from adharness.metrics.ranking import Ranking, rank_sorted
from adharness.metrics.table import MetricSpec, find_metric
from adharness.metrics.traits import Level
from adharness.metrics.values import MetricValue, explained

DEFAULT_COSTS = MistakeCosts()

MEMORY_MB = 1024
"""Scores that a sort holds in memory, unless told otherwise."""


def evaluate_images(
    labels: ArrayLike,
    scores: ArrayLike,
    metrics: Iterable[str],
    *,
    threshold: ArrayLike | None = None,
    costs: MistakeCosts = DEFAULT_COSTS,
) -> dict[str, MetricValue]:
    """Compute image-level metrics.

    Parameters
    ----------
    labels : (n,) int or bool
        0 normal, 1 anomalous.
    scores : (n,) real
        Higher = more anomalous; compared in float64.
    metrics
        Ids of the image level.
    threshold : () or (n,) float64, optional
        The deployed threshold, one for all or one an image. Above it, strictly, is anomalous.
    costs
        What `image_cost` and `image_cost_oracle` count by.

    Returns
    -------
    dict of str to MetricValue
        In the order of `metrics`; NaN with a reason where undefined.

    Raises
    ------
    MetricError
        If n is 0, the shapes differ, a label is not 0 or 1, a score is not finite, a threshold is
        missing or NaN, or an id is unknown or of another level.

    Examples
    --------
    >>> evaluate_images([0, 0, 1], [0.1, 0.7, 0.9], metrics=["image_auroc"])
    {'image_auroc': MetricValue(1.0)}
    >>> evaluate_images([0, 0], [0.1, 0.7], metrics=["image_recall"], threshold=0.5)
    {'image_recall': MetricValue(nan, 'no anomalous image')}
    """
    specs = find_metrics(metrics, {"image"})
    anomalous = read_labels(labels)
    values = read_scores(scores, len(anomalous))
    ranked = rank_sorted(np.sort(values[anomalous]), np.sort(values[~anomalous]))
    found = {spec.name: _ranked(spec, ranked, costs) for spec in specs if not spec.at_threshold}
    deciding = [spec for spec in specs if spec.at_threshold]
    if deciding:
        flagged = decisions.decide(values, read_threshold(threshold, len(anomalous)))
        counts = decisions.confusion(anomalous, flagged)
        found |= {spec.name: _decided(spec, counts, costs) for spec in deciding}
    return {spec.name: found[spec.name] for spec in specs}


def evaluate_pixels(
    masks: Sequence[AnyArray | DeclaredRegions | None],
    maps: Sequence[AnyArray],
    metrics: Iterable[str],
    *,
    threshold: ArrayLike | None = None,
    memory_mb: int = MEMORY_MB,
    spill_to: Path | None = None,
) -> dict[str, MetricValue]:
    """Compute pixel and region metrics over all images together, from one sort.

    Parameters
    ----------
    masks
        Of each image (H, W) bool, or 0 and 1; None means that all pixels are normal. Or its
        `DeclaredRegions`, which the saturated overlap needs.
    maps
        Of each image (H, W) real, higher = more anomalous; compared in float32. Sizes may
        differ. Masks and maps are read once each, by index and in order, so lazily loading
        sequences will do.
    metrics
        Ids of the pixel or the region level.
    threshold : () or (n,) float64, optional
        The deployed pixel threshold, one for all or one an image. Above it, strictly, is
        anomalous.
    memory_mb
        Scores held in memory, in MiB: 4 bytes for a normal and 8 for an anomalous pixel. What
        goes beyond is sorted in runs on disk, 4 to 8 bytes a pixel, with the same result. In all
        a call takes this much, some 100 MiB, and a few times the size of one map.
    spill_to
        An existing folder for the runs; the system's folder for temporary files if not given.

    Returns
    -------
    dict of str to MetricValue
        In the order of `metrics`; NaN with a reason where undefined.

    Raises
    ------
    MetricError
        If there is no image, the lengths or the shapes of an image differ, a mask is not binary,
        a score is not finite in float32, a threshold is missing or NaN, an id is unknown or of
        the image level, or `spill_to` is missing or full.

    Examples
    --------
    >>> mask = np.array([[True, False, False]])
    >>> maps = [mask * 0.9, mask * 0.0]
    >>> evaluate_pixels([mask, None], maps, metrics=["region_aupro_30"])
    {'region_aupro_30': MetricValue(1.0)}
    """
    specs = find_metrics(metrics, {"pixel", "region"})
    images = read_pixels(masks, maps)
    if memory_mb < 1:
        raise MetricError(f"memory_mb is {memory_mb}, expected at least 1")
    taken = PixelPass(specs, len(maps), threshold, memory_mb * 2**20, spill_to)
    taken.read(images)
    return taken.values()


def find_metrics(names: Iterable[str], levels: set[Level]) -> list[MetricSpec]:
    """Look the ids up, and refuse those of a level other than the given ones.

    Raises
    ------
    MetricError
        If an id is unknown or of another level, or a string is given instead of a list.
    """
    if isinstance(names, str):
        raise MetricError(f"metrics is the text '{names}'", hint=f"give a list: ['{names}']")
    specs = [find_metric(name) for name in names]
    for spec in specs:
        if spec.level not in levels:
            wanted = " or ".join(sorted(levels))
            other = "evaluate_images" if spec.level == "image" else "evaluate_pixels"
            raise MetricError(
                f"'{spec.name}' is of the {spec.level} level, not of the {wanted} level",
                hint=f"ask {other} for it",
            )
    return specs


def read_ranking(spec: MetricSpec, ranked: Ranking, costs: MistakeCosts) -> Float64:
    """Read an image metric without a threshold off its ranking, (...) float64."""
    costly = spec.quantity == "cost_oracle"
    quantity = least_cost(costs) if costly else QUANTITIES[spec.reading]
    return quantity.of([ranked])


def read_counts(spec: MetricSpec, counts: decisions.Confusion, costs: MistakeCosts) -> Float64:
    """Read a metric at a threshold off the counts, (...) float64."""
    if spec.quantity == "cost":
        return expected_cost(counts, costs)
    return decisions.DECISIONS[spec.quantity](counts)


def _ranked(spec: MetricSpec, ranked: Ranking, costs: MistakeCosts) -> MetricValue:
    value = float(read_ranking(spec, ranked, costs))
    return explained(value, _classes("image", int(ranked.positives), int(ranked.negatives)))


def _decided(spec: MetricSpec, counts: decisions.Confusion, costs: MistakeCosts) -> MetricValue:
    value = float(read_counts(spec, counts, costs))
    if spec.quantity == "precision":
        return explained(value, {"image above the threshold": int(counts.flagged)})
    return explained(value, _classes("image", int(counts.positives), int(counts.negatives)))


def _classes(level: Level, positives: int, negatives: int) -> dict[str, int]:
    return {f"anomalous {level}": positives, f"normal {level}": negatives}
