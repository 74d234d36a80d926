"""The points that may be chosen next: those with the largest bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adharness.arrays import Float64, Int64


@dataclass(frozen=True, eq=False)
class Pool:
    """Some points, ascending, and what is known of all others.

    Nobody outside is above `level`, nor at it before `barrier`. That stays true, as bounds only
    fall.
    """

    positions: Int64
    level: float
    barrier: int

    @classmethod
    def whole(cls, total: int) -> Pool:
        """All points."""
        return cls(np.arange(total), -np.inf, total)

    def is_ahead(self, position: int, distance: float) -> bool:
        """Tell whether a point of the pool comes before all outside, and is off every centre."""
        ahead = distance > self.level or (distance == self.level and position < self.barrier)
        return ahead and distance > 0

    def leads(self, bound: Float64) -> bool:
        """Tell whether the pool's largest of all bounds (N,) comes before all outside."""
        inside = bound[self.positions]
        best = int(inside.argmax())
        return self.is_ahead(int(self.positions[best]), float(inside[best]))

    def largest(self, bound: Float64, size: int) -> Pool:
        """Give the pool's `size` points of the largest of all bounds (N,), ties to the lowest."""
        if len(self.positions) <= size:
            return self
        inside, cut = bound[self.positions], len(self.positions) - size
        level = float(np.partition(inside, cut)[cut])
        above, equal = np.flatnonzero(inside > level), np.flatnonzero(inside == level)
        taken = size - len(above)
        left = self.positions[equal[taken:]]
        barrier = int(left[0]) if len(left) else len(bound)
        if self.level >= level:  # those outside this pool may come before those left in it
            barrier = min(barrier, self.barrier) if self.level == level else self.barrier
        kept = np.sort(np.concatenate([above, equal[:taken]]))
        return Pool(self.positions[kept], max(level, self.level), barrier)
