"""From labels, masks and scores to named values, each with a reason where it is undefined."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from adharness.arrays import AnyArray, Float64, Int64
from adharness.errors import MetricError
from adharness.metrics import decisions, ranking, regions
from adharness.metrics.inputs import read_labels, read_pairs, read_scores, read_threshold
from adharness.metrics.table import Level, MetricSpec, find_metric, pro_limit

RANKING: Mapping[str, Callable[[ranking.Ranking], Float64]] = MappingProxyType(
    {
        "auroc": ranking.auroc,
        "ap": ranking.average_precision,
        "f1_oracle": ranking.f1_oracle,
    }
)
DECISIONS: Mapping[str, Callable[[decisions.Confusion], Float64]] = MappingProxyType(
    {
        "f1": decisions.f1,
        "accuracy": decisions.accuracy,
        "balanced_accuracy": decisions.balanced_accuracy,
        "precision": decisions.precision,
        "recall": decisions.recall,
        "fpr": decisions.fpr,
    }
)


@dataclass(frozen=True, slots=True)
class MetricValue:
    """A value, or NaN with the reason why there is none.

    Parameters
    ----------
    value
        NaN exactly if `reason` is given.
    reason
        What is missing, such as `no anomalous image`.
    """

    value: float
    reason: str | None = None


def evaluate_images(
    labels: ArrayLike,
    scores: ArrayLike,
    metrics: Iterable[str],
    *,
    threshold: ArrayLike | None = None,
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
    >>> evaluate_images([0, 0, 1], [0.1, 0.7, 0.9], ["image_auroc"])
    {'image_auroc': MetricValue(value=1.0, reason=None)}
    >>> evaluate_images([0, 0], [0.1, 0.7], ["image_recall"], threshold=0.5)
    {'image_recall': MetricValue(value=nan, reason='no anomalous image')}
    """
    specs = find_metrics(metrics, {"image"})
    anomalous = read_labels(labels)
    values = read_scores(scores, len(anomalous))
    ranked = ranking.rank_sorted(np.sort(values[anomalous]), np.sort(values[~anomalous]))
    found = {spec.name: _ranked(spec, ranked) for spec in specs if spec.quantity in RANKING}
    deciding = [spec for spec in specs if spec.quantity in DECISIONS]
    if deciding:
        flagged = decisions.decide(values, read_threshold(threshold, len(anomalous)))
        counts = decisions.confusion(anomalous, flagged)
        found |= {spec.name: _decided(spec, counts) for spec in deciding}
    return {spec.name: found[spec.name] for spec in specs}


def evaluate_pixels(
    masks: Sequence[AnyArray | None], maps: Sequence[AnyArray], metrics: Iterable[str]
) -> dict[str, MetricValue]:
    """Compute pixel and region metrics over all images together, from one ranking.

    Parameters
    ----------
    masks
        Of each image (H, W) bool, or 0 and 1; None means that all pixels are normal.
    maps
        Of each image (H, W) real, higher = more anomalous; compared in float32. Sizes may
        differ. Read once each, by index, so a lazily loading sequence will do.
    metrics
        Ids of the pixel or the region level.

    Returns
    -------
    dict of str to MetricValue
        In the order of `metrics`; NaN with a reason where undefined.

    Raises
    ------
    MetricError
        If there is no image, the lengths or the shapes of an image differ, a mask is not binary,
        a score is not finite in float32, or an id is unknown or of the image level.

    Examples
    --------
    >>> mask = np.array([[True, False, False]])
    >>> evaluate_pixels([mask, None], [mask * 0.9, mask * 0.0], ["region_aupro_30"])
    {'region_aupro_30': MetricValue(value=1.0, reason=None)}
    """
    specs = find_metrics(metrics, {"pixel", "region"})
    pixels = regions.rank_pixels(read_pairs(masks, maps))
    return {spec.name: _pixel_value(spec, pixels) for spec in specs}


def find_metrics(names: Iterable[str], levels: set[Level]) -> list[MetricSpec]:
    """Look the ids up, and refuse those of a level other than the given ones.

    Raises
    ------
    MetricError
        If an id is unknown or of another level.
    """
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


def _ranked(spec: MetricSpec, ranked: ranking.Ranking) -> MetricValue:
    value = float(RANKING[spec.quantity](ranked))
    return _explained(value, _classes(spec.level, ranked.positives, ranked.negatives))


def _decided(spec: MetricSpec, counts: decisions.Confusion) -> MetricValue:
    value = float(DECISIONS[spec.quantity](counts))
    if spec.quantity == "precision":
        return _explained(value, {"image above the threshold": int(counts.flagged)})
    return _explained(value, _classes("image", counts.positives, counts.negatives))


def _pixel_value(spec: MetricSpec, pixels: regions.PixelRanking) -> MetricValue:
    limit = pro_limit(spec.name)
    if limit is None:
        return _ranked(spec, pixels.ranking)
    value = float(regions.aupro(pixels, limit=limit))
    present = _classes("pixel", pixels.ranking.positives, pixels.ranking.negatives)
    return _explained(value, present)


def _classes(level: Level, positives: Int64, negatives: Int64) -> dict[str, int]:
    return {f"anomalous {level}": int(positives), f"normal {level}": int(negatives)}


def _explained(value: float, present: Mapping[str, int]) -> MetricValue:
    if not math.isnan(value):
        return MetricValue(value)
    missing = [f"no {thing}" for thing, count in present.items() if count == 0]
    return MetricValue(value, ", ".join(missing))
