"""Points rounded to whole numbers, on which squared distances are exact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adharness.arrays import Float32, Float64, Int64, require_finite

BLOCK_ROWS = 16_384  # points read at once where all are


@dataclass(frozen=True, eq=False)
class RoundedPoints:
    """Points (N, D) as whole numbers, rounded when they are read; the source is never copied.

    The middle of each coordinate's range becomes 0 and the widest range becomes 2 * 2^b, with
    D * (2 * 2^b)^2 <= 2^53 and b <= 23. float32 holds such numbers exactly, float64 their squared
    distances, in whatever order a sum is taken.

    Parameters
    ----------
    source : (N, D) float32
        May be a memory map: a block at a time is read from it.
    middle : (D,) float64
    scale
        RoundedPoints steps a unit of the source; 0 where all points are equal.
    """

    source: Float32
    middle: Float64
    scale: float

    @classmethod
    def of(cls, source: Float32) -> RoundedPoints:
        """Lay a grid over points (N, D), N >= 1.

        Raises
        ------
        ContractError
            Where a value is not finite, naming the first one's block.
        """
        low, high = source[0].astype(np.float64), source[0].astype(np.float64)
        for i in range(0, len(source), BLOCK_ROWS):
            block = np.asarray(source[i : i + BLOCK_ROWS])
            require_finite(block, name=_name(i, len(source)))
            low, high = np.minimum(low, block.min(axis=0)), np.maximum(high, block.max(axis=0))
        bits = min(23, (51 - int(np.ceil(np.log2(source.shape[1])))) // 2)
        reach = float((high - low).max()) / 2
        return cls(source, (low + high) / 2, 2.0**bits / reach if reach > 0 else 0.0)

    def __len__(self) -> int:
        return len(self.source)

    @property
    def dim(self) -> int:
        """Length D of a point."""
        return int(self.source.shape[1])

    def rows(self, positions: Int64 | slice) -> Float32:
        """Whole numbers (n, D) float32 of the points at these positions."""
        moved = self.source[positions].astype(np.float64)
        moved -= self.middle
        moved *= self.scale
        return np.rint(moved, out=moved).astype(np.float32)


def _name(first: int, total: int) -> str:
    return "points" if total <= BLOCK_ROWS else f"the block of points from {first}"
