"""ROC and precision-recall curves as few points, with the area of the exact curve."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adharness.arrays import AnyArray, Bool, Float64
from adharness.metrics.ranking import Ranking, rank_sorted

POINTS = 120
"""Most points of a curve."""
GRID = 10_000
"""Steps from 0 to 1 in which a point is written."""


def image_ranking(anomalous: Bool, scores: Float64) -> Ranking:
    """Rank images as the metrics do: each distinct score is a threshold, ties enter together."""
    return rank_sorted(np.sort(scores[anomalous]), np.sort(scores[~anomalous]))


def roc_curve(ranking: Ranking) -> Float64:
    """Every corner of the ROC curve.

    Returns
    -------
    (K, 2) float64
        False-positive and true-positive rate from (0, 0) to (1, 1), joined by straight lines: a
        slanted one is a tie. The area below is the AUROC. Empty without a positive or a negative.
    """
    positives, negatives = int(ranking.positives), int(ranking.negatives)
    if not positives or not negatives:
        return np.zeros((0, 2))
    wrong = _between(ranking.normals_above, ranking.false_positives)
    found = _between(ranking.found_above, ranking.true_positives)
    corners = np.column_stack([np.r_[0, wrong, negatives], np.r_[0, found, positives]])
    return _corners(corners) / (negatives, positives)


def precision_recall(ranking: Ranking) -> Float64:
    """Every step of the precision-recall curve.

    Returns
    -------
    (K, 2) float64
        Recall at the right end of a step, and the precision of the step: the one at its right end,
        with no line drawn between thresholds. The area below is the average precision. Empty
        without a positive or a negative.
    """
    found, flagged = ranking.true_positives, ranking.true_positives + ranking.false_positives
    if not int(ranking.positives) or not int(ranking.negatives):
        return np.zeros((0, 2))
    return np.column_stack([found / int(ranking.positives), found / flagged])


def thinned_lines(curve: Float64, points: int = POINTS) -> Float64:
    """Thin a curve that rises and is joined by lines, and keep its area.

    Parameters
    ----------
    curve : (K, 2)
        Neither coordinate falls.

    Returns
    -------
    (k, 2) float64
        At most `points`. Every second point lies on the curve, in equal steps along it; the
        others are where the area between their neighbours is that of the curve.
    """
    if len(curve) <= points:
        return curve
    along = np.r_[0.0, np.cumsum(np.diff(curve, axis=0).sum(axis=1))]
    ends = np.linspace(0.0, along[-1], (points - 1) // 2 + 1)
    kept = np.column_stack([np.interp(ends, along, curve[:, axis]) for axis in range(2)])
    # Between two corners the area is no straight line of the way: it is added exactly.
    at = np.clip(np.searchsorted(along, ends, side="right") - 1, 0, len(curve) - 1)
    step = kept - curve[at]
    area = _running_area(curve)[at] + step[:, 0] * (curve[at, 1] + kept[:, 1]) / 2
    width, height = np.diff(kept, axis=0).T
    chord = width * (kept[:-1, 1] + kept[1:, 1]) / 2
    half = width * height / 2
    bulge = np.divide(np.diff(area) - chord, half, out=np.zeros(len(half)), where=half > 0)
    middle = (kept[:-1] + kept[1:]) / 2 + bulge[:, None] * np.column_stack([-width, height]) / 2
    return _between_rows(kept, middle)


def thinned_steps(curve: Float64, points: int = POINTS) -> Float64:
    """Join neighbouring steps to at most `points`, each as high as their mean: the area is kept.

    Parameters
    ----------
    curve : (K, 2)
        Right end and height of each step; the first begins at 0.
    """
    if not len(curve):
        return curve
    last = np.r_[curve[1:, 1] != curve[:-1, 1], True]  # equal neighbours are one step
    if last.sum() > points:
        climb = np.abs(np.diff(curve[:, 1], prepend=curve[0, 1]))
        along = np.cumsum(np.diff(curve[:, 0], prepend=0.0) + climb)
        cell = np.minimum((along / along[-1] * points).astype(np.int64), points - 1)
        last = np.r_[cell[1:] != cell[:-1], True]
    area = np.cumsum(np.diff(curve[:, 0], prepend=0.0) * curve[:, 1])[last]
    ends = curve[last, 0]
    height = np.diff(area, prepend=0.0) / np.diff(ends, prepend=0.0)
    return np.column_stack([ends, height])


def area_of_lines(curve: Float64) -> float:
    """Area below a curve joined by lines, (K, 2)."""
    return float(_running_area(curve)[-1])


def area_of_steps(curve: Float64) -> float:
    """Area below the steps of `precision_recall`, (K, 2)."""
    return float((np.diff(curve[:, 0], prepend=0.0) * curve[:, 1]).sum())


def written(curve: Float64) -> list[int]:
    """Write points as the steps from one to the next, in ten-thousandths: x, y, x, y."""
    places = np.rint(curve * GRID).astype(np.int64)
    steps: list[int] = np.diff(places, axis=0, prepend=0).ravel().tolist()
    return steps


def read_back(numbers: Sequence[int]) -> Float64:
    """Give the points that `written` wrote, as the page's script reads them."""
    steps = np.array(numbers, np.float64).reshape(-1, 2)
    return np.asarray(np.cumsum(steps, axis=0) / GRID)


def _between(first: AnyArray, second: AnyArray) -> AnyArray:
    return np.column_stack([first, second]).ravel()


def _between_rows(outer: Float64, inner: Float64) -> Float64:
    both = np.empty((len(outer) + len(inner), 2))
    both[::2], both[1::2] = outer, inner
    return both


def _corners(path: AnyArray) -> AnyArray:
    """Leave out what lies on the straight line between its neighbours, (K, 2) whole numbers."""
    moved = np.any(np.diff(path, axis=0, prepend=path[:1] - 1) != 0, axis=1)
    path = path[moved]
    step = np.diff(path, axis=0)
    turns = step[:-1, 0] * step[1:, 1] != step[:-1, 1] * step[1:, 0]
    return path[np.r_[True, turns, True]]


def _running_area(curve: Float64) -> Float64:
    parts = np.diff(curve[:, 0]) * (curve[1:, 1] + curve[:-1, 1]) / 2
    return np.concatenate([np.zeros(1), np.cumsum(parts)])
