"""A metric's value, or the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping


class MetricValue(float):
    """A number that knows why it is NaN, if it is.

    Parameters
    ----------
    value
        NaN exactly if `reason` is given.
    reason
        What is missing, such as `no anomalous image`.
    per_image
        Of metrics that give each image a number of its own: that number, by image, or None for
        an image that has none. The value is their mean.

    Examples
    --------
    >>> MetricValue(0.5) + 0.25
    0.75
    >>> MetricValue(float("nan"), "no anomalous image")
    MetricValue(nan, 'no anomalous image')
    """

    __slots__ = ("_per_image", "_reason")
    _reason: str | None
    _per_image: tuple[float | None, ...] | None

    def __new__(
        cls,
        value: float,
        reason: str | None = None,
        per_image: tuple[float | None, ...] | None = None,
    ) -> MetricValue:
        """Make a number that carries its reason and its parts."""
        made = super().__new__(cls, value)
        made._reason, made._per_image = reason, per_image
        return made

    def __repr__(self) -> str:
        if self._reason is None:
            return f"MetricValue({float(self)!r})"
        return f"MetricValue({float(self)!r}, {self._reason!r})"

    @property
    def value(self) -> float:
        """The bare number."""
        return float(self)

    @property
    def reason(self) -> str | None:
        """Why the value is NaN; None if it is not."""
        return self._reason

    @property
    def per_image(self) -> tuple[float | None, ...] | None:
        """The number of each image, where the metric has such."""
        return self._per_image


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
