"""The rule by which a number that moved counts as a regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from adharness.metrics.table import Direction
from adharness.report.seeds import is_defined

Verdict: TypeAlias = Literal["fine", "regression", "lost", "undefined"]
BAD: tuple[Verdict, ...] = ("regression", "lost")
_ROUNDING = 1e-9
"""In percentage points: 98.5 - 99.0 is a fall of 0.5, whatever binary fractions make of it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When a metric has fallen too far.

    Parameters
    ----------
    tolerance
        Percentage points that a metric may fall, at least 0.
    at_all
        Whether a fall that chance may explain counts too.
    """

    tolerance: float = 0.5
    at_all: bool = False

    def verdict(
        self,
        before: float | None,
        after: float | None,
        interval: tuple[float, float] | None,
        direction: Direction,
    ) -> Verdict:
        """Judge one metric of one row.

        Parameters
        ----------
        before, after
            Shares of one; None or NaN where undefined.
        interval
            Of `after - before`, if there is one.
        direction
            Which way is better.

        Returns
        -------
        Verdict
            `regression` where it is worse by more than the tolerance, and the interval, if there is
            one, leaves out zero (`at_all`: whatever the interval says). `lost` where a number was
            and none is. `undefined` where none was.
        """
        if before is None or not is_defined(before):
            return "undefined"
        if after is None or not is_defined(after):
            return "lost"
        sign = -1.0 if direction == "higher" else 1.0
        fall = 100 * sign * (after - before)
        if fall <= self.tolerance + _ROUNDING:
            return "fine"
        chance = interval is not None and interval[0] <= 0 <= interval[1]
        return "regression" if self.at_all or not chance else "fine"
