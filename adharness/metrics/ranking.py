"""The counts from which every ranking metric is read, at every score that matters.

Every distinct score is a threshold and equal scores enter together. Where the score of no
positive lies, only false positives are added: the curve is a flat line there. So the distinct
scores *of the positives*, with the negatives above and at each, hold the whole curve. On pixels
that is a few percent of the scores, which is what keeps the metrics fast and small in memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from adharness.arrays import AnyArray, Bool, Float64, Int64


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Counts at K distinct scores of the positives, in descending order.

    A leading axis `...` may stand for B weighted resamples of one ranking. On pixels a ranking
    may be one bracket of the whole: then the counts still are those of all pixels, and `gains`
    adds up to the totals over all brackets.

    Parameters
    ----------
    gains : (..., K) int64
        Positives that enter at each score.
    found_above : (..., K) int64
        Positives with a higher score.
    true_positives : (..., K) int64
        Positives with this score or a higher one.
    normals_above : (..., K) int64
        Negatives with a higher score.
    false_positives : (..., K) int64
        Negatives with this score or a higher one.
    positives, negatives : (...) int64
        Totals.
    """

    gains: Int64
    found_above: Int64
    true_positives: Int64
    normals_above: Int64
    false_positives: Int64
    positives: Int64
    negatives: Int64


def rank_sorted(anomalous: AnyArray, normal: AnyArray) -> Ranking:
    """Rank the scores of the positives among those of the negatives.

    Parameters
    ----------
    anomalous : (P,)
        Scores of the positives, sorted ascending, in any type with an order.
    normal : (N,)
        Scores of the negatives, sorted ascending, of the same type.
    """
    starts = distinct_starts(anomalous)
    scores = anomalous[starts][::-1]
    found = len(anomalous) - starts[::-1]
    gains = np.diff(found, prepend=0)
    return Ranking(
        gains=gains,
        found_above=found - gains,
        true_positives=found,
        normals_above=len(normal) - np.searchsorted(normal, scores, side="right"),
        false_positives=len(normal) - np.searchsorted(normal, scores, side="left"),
        positives=np.asarray(len(anomalous), dtype=np.int64),
        negatives=np.asarray(len(normal), dtype=np.int64),
    )


def rank_weighted(anomalous: Bool, scores: Float64, weights: Int64) -> Ranking:
    """Rank the images once, and count each as often as each resample drew it.

    Parameters
    ----------
    anomalous : (n,) bool
    scores : (n,) float64
    weights : (B, n) int64

    Returns
    -------
    Ranking
        With B as the leading axis; K distinct scores of anomalous images.
    """
    positives = _descending(np.flatnonzero(anomalous), scores)
    negatives = _descending(np.flatnonzero(~anomalous), scores)
    starts = distinct_starts(scores[positives])
    distinct = -scores[positives][starts]  # ascending, as searchsorted wants it
    normal = -scores[negatives]
    ends = np.append(starts[1:], len(positives))[: len(starts)]
    found = _cumulated(weights, positives)
    false = _cumulated(weights, negatives)
    return Ranking(
        gains=found[:, ends] - found[:, starts],
        found_above=found[:, starts],
        true_positives=found[:, ends],
        normals_above=false[:, np.searchsorted(normal, distinct, side="left")],
        false_positives=false[:, np.searchsorted(normal, distinct, side="right")],
        positives=found[:, -1],
        negatives=false[:, -1],
    )


def _descending(images: Int64, scores: Float64) -> Int64:
    return images[np.argsort(-scores[images], kind="stable")]


def _cumulated(weights: Int64, order: Int64) -> Int64:
    """Weight of the first 0, 1, ... images of an order, (B, len(order) + 1)."""
    sums = np.zeros((len(weights), len(order) + 1), dtype=np.int64)
    np.cumsum(weights[:, order], axis=1, out=sums[:, 1:])
    return sums


def distinct_starts(ascending: AnyArray) -> Int64:
    """Index of the first of each run of equal values in a sorted array."""
    first = np.ones(len(ascending), dtype=np.bool_)
    np.not_equal(ascending[1:], ascending[:-1], out=first[1:])
    return np.flatnonzero(first)


def ratio(numerator: ArrayLike, denominator: ArrayLike) -> Float64:
    """Divide, with NaN where the denominator is zero and without a warning."""
    top, bottom = np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    out = np.full(np.broadcast_shapes(top.shape, bottom.shape), np.nan)
    np.divide(top, bottom, out=out, where=bottom != 0)
    return out
