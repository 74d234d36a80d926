"""Counts and rates at given thresholds: what a deployed detector would do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from adharness.arrays import Bool, Float32, Float64, Int64
from adharness.metrics.inputs import PixelImage
from adharness.metrics.ranking import ratio
from adharness.metrics.segments import label_regions


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """The four counts of a decision, each (...) int64; `...` may stand for B resamples."""

    true_positives: Int64
    false_positives: Int64
    false_negatives: Int64
    true_negatives: Int64

    @property
    def positives(self) -> Int64:
        """Anomalous images."""
        return self.true_positives + self.false_negatives

    @property
    def negatives(self) -> Int64:
        """Normal images."""
        return self.false_positives + self.true_negatives

    @property
    def flagged(self) -> Int64:
        """Images above the threshold."""
        return self.true_positives + self.false_positives


def decide(scores: Float64, threshold: ArrayLike) -> Bool:
    """Judge as anomalous what scores strictly above the threshold; equal is normal.

    Parameters
    ----------
    scores : (n,) float64
    threshold : () or (n,) float64
        One threshold, or one an image (thresholds of classes in pooled rows).
    """
    # A Python float would be rounded to the type of float32 scores first: 0.1 > 0.1 in disguise.
    return np.asarray(scores, np.float64) > np.asarray(threshold, np.float64)


def same_decision(thresholds: ArrayLike, *, strict: bool = True) -> Float32:
    """Round thresholds to float32 so that they flag the same float32 scores as before.

    Comparing in float64 would need a copy of every map at twice its size.

    Parameters
    ----------
    thresholds : (...) float64
    strict
        Whether a score must be above the threshold to be flagged, or may equal it.

    Returns
    -------
    (...) float32
        The nearest number below the threshold if `strict`, else above it, or itself.
    """
    exact = np.asarray(thresholds, np.float64)
    with np.errstate(over="ignore"):  # beyond float32 nothing or everything is flagged
        single = exact.astype(np.float32)
    beyond = np.float32(-np.inf if strict else np.inf)
    off = single > exact if strict else single < exact
    return np.where(off, np.nextafter(single, beyond), single)


def confusion(anomalous: Bool, flagged: Bool, weights: Int64 | None = None) -> Confusion:
    """Count the four outcomes.

    Parameters
    ----------
    anomalous : (n,) bool
        The truth.
    flagged : (n,) bool
        The decision.
    weights : (..., n) int64, optional
        How often each image counts; once if not given.
    """
    counts = np.ones(len(anomalous), np.int64) if weights is None else weights
    outcomes = np.stack(
        [anomalous & flagged, ~anomalous & flagged, anomalous & ~flagged, ~anomalous & ~flagged]
    )
    totals = _weighted(outcomes.T, counts)
    return Confusion(*(np.asarray(totals[..., column]) for column in range(4)))


def f1(counts: Confusion) -> Float64:
    """2 TP / (2 TP + FP + FN); 0 if no anomaly is found, NaN if there is none to find."""
    defined = np.where(counts.positives > 0, counts.flagged + counts.positives, 0)
    return ratio(2 * counts.true_positives, defined)


def accuracy(counts: Confusion) -> Float64:
    """(TP + TN) / n; NaN without images."""
    right = counts.true_positives + counts.true_negatives
    return ratio(right, counts.positives + counts.negatives)


def balanced_accuracy(counts: Confusion) -> Float64:
    """Mean of recall and specificity; NaN without a positive or without a negative."""
    specificity = ratio(counts.true_negatives, counts.negatives)
    return (recall(counts) + specificity) / 2


def iou(counts: Confusion) -> Float64:
    """TP / (TP + FP + FN); 0 if no anomaly is found, NaN if there is none to find."""
    union = np.where(counts.positives > 0, counts.flagged + counts.false_negatives, 0)
    return ratio(counts.true_positives, union)


def precision(counts: Confusion) -> Float64:
    """TP / (TP + FP); NaN if nothing is above the threshold."""
    return ratio(counts.true_positives, counts.flagged)


def recall(counts: Confusion) -> Float64:
    """TP / (TP + FN); NaN without a positive."""
    return ratio(counts.true_positives, counts.positives)


def fpr(counts: Confusion) -> Float64:
    """FP / (FP + TN); NaN without a negative."""
    return ratio(counts.false_positives, counts.negatives)


DECISIONS: Mapping[str, Callable[[Confusion], Float64]] = MappingProxyType(
    {
        "f1": f1,
        "seg_f1": f1,
        "iou": iou,
        "accuracy": accuracy,
        "balanced_accuracy": balanced_accuracy,
        "precision": precision,
        "recall": recall,
        "fpr": fpr,
    }
)
"""By quantity: what is read off the counts at a threshold, but for the cost."""


class PixelDecider:
    """Counts pixels and regions at the deployed pixel thresholds, image by image.

    Parameters
    ----------
    thresholds : (n,) float64
        Of each image; a pixel is flagged if its score is strictly above.
    """

    def __init__(self, thresholds: Float64) -> None:
        self._thresholds = same_decision(thresholds)
        self._counts = np.zeros((len(thresholds), 4), np.int64)
        self._regions = np.zeros((len(thresholds), 2), np.int64)

    def add(self, image: PixelImage) -> None:
        """Take one image."""
        flagged = image.scores > self._thresholds[image.number]
        alarms, pixels = int(np.count_nonzero(flagged)), flagged.size
        hits, anomalous = 0, 0
        if image.mask is not None:
            labels, regions = label_regions(image.mask)
            found = labels[flagged & image.mask]
            hits, anomalous = len(found), int(np.count_nonzero(image.mask))
            regions_found = np.count_nonzero(np.bincount(found))
            self._regions[image.number] = regions_found, regions
        missed, false = anomalous - hits, alarms - hits
        self._counts[image.number] = hits, false, missed, pixels - anomalous - false

    @property
    def regions(self) -> int:
        """Regions of all images."""
        return int(self._regions[:, 1].sum())

    def confusion(self, weights: Int64 | None = None) -> Confusion:
        """Give the counts over all pixels, each image as often as its weights, (..., n), say."""
        counts = _weighted(self._counts, weights)
        return Confusion(*(np.asarray(counts[..., column]) for column in range(4)))

    def region_recall(self, weights: Int64 | None = None) -> Float64:
        """Give the share of regions with a flagged pixel, (...); NaN without a region."""
        counts = _weighted(self._regions, weights)
        return ratio(counts[..., 0], counts[..., 1])


def _weighted(of_images: Int64 | Bool, weights: Int64 | None) -> Int64:
    """Add up rows, (n, C), each as often as its weights, (..., n); once if not given."""
    if weights is None:
        return np.asarray(of_images.sum(axis=0, dtype=np.int64))
    # Float64 products run in BLAS and are exact for counts below 2**53.
    totals = weights.astype(np.float64) @ of_images.astype(np.float64)
    return np.asarray(np.rint(totals).astype(np.int64))
