"""How a cost grows with the number of images: measured at a few sizes, told for the size asked."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

UNSURE = 0.2
"""How far an exponent from two short measurements may be off, either way."""
UNSEEN = 0.5
"""And how far below 1 it may be where one size alone was measured."""
NOISE = 1.2
"""Two measurements of one thing differ by this factor on a machine that has other work too."""


@dataclass(frozen=True, slots=True)
class Span:
    """What is likely, and the range it may well lie in."""

    low: float = 0.0
    likely: float = 0.0
    high: float = 0.0

    def __add__(self, other: Span) -> Span:
        """Add two costs; their errors may go together, so ends add to ends."""
        return Span(self.low + other.low, self.likely + other.likely, self.high + other.high)

    def times(self, count: float) -> Span:
        """Give the cost of `count` of these."""
        return Span(self.low * count, self.likely * count, self.high * count)

    @classmethod
    def about(cls, value: float, *, off: float = NOISE) -> Span:
        """Give a measurement that may be off by a factor."""
        return cls(value / off, value, value * off)

    @classmethod
    def sum(cls, spans: Iterable[Span]) -> Span:
        """Add any number of costs; nothing where there is none."""
        total = cls()
        for span in spans:
            total += span
        return total

    @classmethod
    def largest(cls, spans: Iterable[Span]) -> Span:
        """Give the largest of each end: what is needed where one follows the other."""
        listed = [cls(), *spans]
        return cls(*(max(getattr(s, end) for s in listed) for end in ("low", "likely", "high")))


@dataclass(frozen=True, slots=True)
class Growth:
    """A cost that was measured at one size or more, ascending.

    Parameters
    ----------
    sizes
        Numbers of images, each at least 1.
    values
        What was measured, in any one unit; at least one.
    steepest
        Largest exponent that can be: 2 for a fit, as a coreset of a share of all patches compares
        all with all; 1 for scoring an image, and for memory.

    Notes
    -----
    Beyond what was measured the cost is `last * (size / last size) ** exponent`. The exponent is
    the slope between the two largest sizes on logarithmic axes, held between 0 and `steepest`. Of
    what costs a fixed time as well as one that grows, the small sizes show too little growth, so
    the upper end of the range never grows less than the number of images. One size shows none:
    then it is taken to be linear, and the range goes up to the steepest growth. Within the sizes
    that were measured the cost is read between them.

    Examples
    --------
    >>> Growth((8, 16), (1.0, 4.0)).exponent
    2.0
    >>> Growth((8, 16), (1.0, 4.0)).at(32).likely
    16.0
    >>> Growth((8, 16), (1.0, 4.0)).at(8) == Span.about(1.0)
    True
    """

    sizes: tuple[int, ...]
    values: tuple[float, ...]
    steepest: float = 2.0

    @property
    def exponent(self) -> float:
        """Growth between the two largest sizes; 1 where only one was measured."""
        if len(self.sizes) < 2 or min(self.values[-2:]) <= 0:
            return 1.0
        rise = math.log(self.values[-1] / self.values[-2])
        return min(max(rise / math.log(self.sizes[-1] / self.sizes[-2]), 0.0), self.steepest)

    def at(self, size: int) -> Span:
        """Tell the cost at a size, with the range that it may lie in."""
        if size <= self.sizes[-1] and (len(self.sizes) > 1 or size == self.sizes[-1]):
            return Span.about(self._between(size))
        ratio, last = size / self.sizes[-1], self.values[-1]
        seen = len(self.sizes) > 1
        steep = min(max(self.exponent, 1.0) + UNSURE, self.steepest) if seen else self.steepest
        flat = max(self.exponent - (UNSURE if seen else UNSEEN), 0.0)
        ends = sorted((last * ratio**flat / NOISE, last * ratio**steep * NOISE))
        return Span(ends[0], last * ratio**self.exponent, ends[1])

    def _between(self, size: int) -> float:
        """Read between the two sizes around, on logarithmic axes; at the ends, the end."""
        pairs = list(zip(self.sizes, self.values, strict=True))
        below = max((p for p in pairs if p[0] <= size), default=pairs[0])
        above = min((p for p in pairs if p[0] >= size), default=pairs[-1])
        if below[0] == above[0] or min(below[1], above[1]) <= 0:
            return above[1]
        place = math.log(size / below[0]) / math.log(above[0] / below[0])
        return below[1] * math.pow(above[1] / below[1], place)
