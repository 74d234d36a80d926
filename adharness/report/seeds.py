"""Several seeds as one number: the mean, with the spread kept apart from image intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from adharness.store.records import Spread, Value


@dataclass(frozen=True, slots=True)
class Score:
    """A number as the page shows it.

    Parameters
    ----------
    value
        None where it is undefined; `reason` then says why.
    low, high
        Bootstrap interval over images, of other images: of one seed; of several, where there is
        one, of their mean.
    spread
        Smallest and largest value over the seeds, of other models; only where there are several.
    quartiles
        Of a metric that gives each image a number, over the images; only where there is one seed.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    spread: tuple[float, float] | None = None
    reason: str | None = None
    quartiles: Spread | None = None


def over_seeds(values: Sequence[Value]) -> Score:
    """Mean over seeds.

    Notes
    -----
    One seed keeps its image interval. Several seeds lose it: their spread answers another question
    (another model) than the interval (other images), and the two are never mixed. The interval of
    their mean needs the replicates: `seeds_apart` adds it to the headline. Undefined for
    one seed is undefined for all. Empty input is undefined.
    """
    if not values:
        return Score(None, reason="no result")
    for value in values:
        if not is_defined(value.value):
            return Score(None, reason=value.reason or "undefined")
    numbers = [float(value.value) for value in values if value.value is not None]
    if len(numbers) == 1:
        only = values[0]
        return Score(numbers[0], finite(only.low), finite(only.high), quartiles=only.spread)
    return Score(math.fsum(numbers) / len(numbers), spread=(min(numbers), max(numbers)))


def is_defined(value: float | None) -> bool:
    """Whether a value is a finite number."""
    return value is not None and math.isfinite(value)


def finite(value: float | None) -> float | None:
    """Turn NaN and infinities into None, which JSON can hold."""
    return value if is_defined(value) else None
