"""Counts and rates at one given threshold: what a deployed detector would do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from adharness.arrays import Bool, Float64, Int64
from adharness.metrics.ranking import ratio


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
    # Float64 products run in BLAS and are exact for counts below 2**53.
    totals = np.rint(counts.astype(np.float64) @ outcomes.T.astype(np.float64)).astype(np.int64)
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


def precision(counts: Confusion) -> Float64:
    """TP / (TP + FP); NaN if nothing is above the threshold."""
    return ratio(counts.true_positives, counts.flagged)


def recall(counts: Confusion) -> Float64:
    """TP / (TP + FN); NaN without a positive."""
    return ratio(counts.true_positives, counts.positives)


def fpr(counts: Confusion) -> Float64:
    """FP / (FP + TN); NaN without a negative."""
    return ratio(counts.false_positives, counts.negatives)
