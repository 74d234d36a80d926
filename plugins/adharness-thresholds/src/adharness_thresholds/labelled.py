"""Thresholds that maximise an objective on labelled calibration images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from adharness import Calibration, DataError, Threshold
from adharness.arrays import Float64, Int64, require_finite

Objective: TypeAlias = Callable[[Int64, Int64, int, int], Float64 | Int64]
"""True and false positives at each cut, number of anomalies and of normals -> value at each cut."""


def f1(true: Int64, false: Int64, anomalies: int, normals: int) -> Float64:  # noqa: ARG001
    """2 TP / (2 TP + FP + FN). Equal fractions give equal floats, so ties are exact."""
    return 2 * true / (true + false + anomalies)


def youden(true: Int64, false: Int64, anomalies: int, normals: int) -> Int64:
    """TP / P - FP / N, times P N: whole numbers, so ties are exact."""
    return true * normals - false * anomalies


@dataclass(frozen=True)
class BestCut:
    """The threshold that maximises `objective` over every cut between distinct scores.

    Notes
    -----
    An image is anomalous where its score is strictly greater than the threshold. With distinct
    scores v1 < ... < vk the cuts are: below v1 (all anomalous), between each pair, above vk (none).
    Between v and w the threshold is their midpoint, or v where no float lies between them; below v1
    it lies half the first gap under v1 (one float under it if k = 1); above vk it is vk.

    Of cuts with equal objective the highest is taken: the fewest alarms. The rule looks at ranks
    only, so a strictly increasing transform of the scores never changes which images are flagged,
    and an affine one carries the threshold along.
    """

    objective: Objective

    def threshold(self, calibration: Calibration) -> Threshold:
        """Choose from calibration scores with labels.

        Raises
        ------
        DataError
            If there is no anomalous or no normal image, or a score is not finite.
        """
        labels = calibration.labels
        scores = calibration.scores.astype(np.float64)
        require_finite(scores, name="calibration scores", error=DataError)
        anomalies = 0 if labels is None else int((labels == 1).sum())
        normals = len(scores) - anomalies
        if labels is None or anomalies == 0 or normals == 0:
            raise DataError(
                f"calibration has {normals} normal and {anomalies} anomalous images; "
                "this threshold needs both",
                hint="split: {calibration: {normal: 0.2, anomalous: 0.3}}, or use: quantile",
            )
        values, true, false = _counts(scores, labels)
        merit = self.objective(true, false, anomalies, normals)
        cut = len(merit) - 1 - int(np.argmax(merit[::-1]))  # the last of equals
        return Threshold(_place(values, cut), normals, anomalies)


def _counts(scores: Float64, labels: Int64) -> tuple[Float64, Int64, Int64]:
    """Distinct scores (k,), and true and false positives (k + 1,) where the lowest j pass."""
    values, place = np.unique(scores, return_inverse=True)
    above = []
    for label in (1, 0):
        each = np.bincount(place[labels == label], minlength=len(values))
        above.append(each.sum() - np.concatenate([[0], np.cumsum(each)]))
    return values, above[0].astype(np.int64), above[1].astype(np.int64)


def _place(values: Float64, cut: int) -> float:
    """Return the threshold under which the lowest `cut` of the distinct values pass."""
    if cut == len(values):
        return float(values[-1])
    if cut > 0:
        return _between(float(values[cut - 1]), float(values[cut]))
    lowest = float(values[0])
    below = lowest - (float(values[1]) - lowest) / 2 if len(values) > 1 else lowest
    return below if -np.inf < below < lowest else float(np.nextafter(lowest, -np.inf))


def _between(low: float, high: float) -> float:
    middle = low / 2 + high / 2  # the sum itself could overflow
    return middle if low <= middle < high else low
