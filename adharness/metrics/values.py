"""A metric's value, or the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MetricValue:
    """A value, or NaN with the reason why there is none.

    Parameters
    ----------
    value
        NaN exactly if `reason` is given.
    reason
        What is missing, such as `no anomalous image`.
    per_image
        Of metrics that give each image a number of its own: that number, by image, or None for
        an image that has none. The value is their mean.
    """

    value: float
    reason: str | None = None
    per_image: tuple[float | None, ...] | None = None


def explained(value: float, present: Mapping[str, int], otherwise: str = "") -> MetricValue:
    """Give a value its reason if it is NaN.

    Parameters
    ----------
    present
        How many there are of each thing without which the metric is undefined.
    otherwise
        The reason if all of them are there.
    """
    if not math.isnan(value):
        return MetricValue(value)
    missing = [f"no {thing}" for thing, count in present.items() if count == 0]
    return MetricValue(value, ", ".join(missing) or otherwise)
