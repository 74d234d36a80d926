"""Which images a cell got wrong, and by how much: the worst false alarms and misses first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from adharness.arrays import AnyArray, Float64, Int64

Kind: TypeAlias = Literal["false alarm", "miss", "correct"]
KINDS: tuple[Kind, ...] = ("false alarm", "miss", "correct")


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How each of n test images of one cell came out.

    Parameters
    ----------
    kinds : (n,)
        Place in `KINDS`; -1 where nothing was decided: no score, or no threshold.
    excess : (n,)
        How far an image is on the wrong side of its threshold, in units of its class (`scales`):
        above 0 for errors, 0 and below for what is correct; NaN where nothing was decided.
    order : (n,)
        All images, the worst first, what was not decided last.
    classes : (n,) text
    scales
        Of each class: what an excess is counted in, on the scale of its scores.
    """

    kinds: Int64
    excess: Float64
    order: Int64
    classes: AnyArray
    scales: Mapping[str, float]

    def worst(self, kind: Kind, count: int | None = None) -> dict[str, list[int]]:
        """Positions of the first images of a kind in each class that has one, the worst first.

        Of correct decisions the worst is the nearest to its threshold.
        """
        found: dict[str, list[int]] = {}
        for i in self.order[self.kinds[self.order] == KINDS.index(kind)].tolist():
            mine = found.setdefault(str(self.classes[i]), [])
            if count is None or len(mine) < count:
                mine.append(i)
        return found


def outcomes(
    scores: Float64, thresholds: Float64, labels: Int64, classes: AnyArray
) -> Outcomes:  # 4 x (n,)
    """Tell false alarms, misses and correct decisions apart, and put the worst first.

    Parameters
    ----------
    scores, thresholds : (n,)
        An image is an alarm above its threshold, strictly. NaN: nothing was decided.
    labels : (n,)
        0 normal, 1 anomalous.
    classes : (n,) text
        Excesses are comparable between classes: each is counted in the interquartile range of the
        scores of its class, in their standard deviation where half of the scores are equal, and as
        it is where all are.

    Notes
    -----
    Of equal excesses errors come first (at its threshold an image passes), then the score decides:
    where a threshold is infinite, all excesses are. What is equal in that too stays in order.
    """
    known = ~(np.isnan(scores) | np.isnan(thresholds))
    alarms = scores > thresholds
    kinds = np.where(alarms == (labels == 1), 2, np.where(alarms, 0, 1))
    names, at = np.unique(classes, return_inverse=True)
    scales = {str(name): _scale(scores[at == i]) for i, name in enumerate(names)}
    units = np.array([scales[str(name)] for name in names], dtype=np.float64)[at]
    sign = np.where(labels == 1, -1.0, 1.0)
    with np.errstate(invalid="ignore"):  # an infinite score at an infinite threshold
        excess = np.where(known, sign * (scores - thresholds) / units, np.nan)
    return Outcomes(
        kinds=np.where(known, kinds, -1).astype(np.int64),
        excess=excess,
        order=np.lexsort((-sign * scores, kinds == 2, -excess, ~known)),
        classes=classes,
        scales=scales,
    )


def _scale(scores: Float64) -> float:
    finite = scores[np.isfinite(scores)]
    if not len(finite) or np.ptp(finite) == 0:
        return 1.0
    low, high = np.quantile(finite, (0.25, 0.75))
    return float(high - low) or float(np.std(finite))
