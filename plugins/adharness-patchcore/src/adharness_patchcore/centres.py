"""The centres chosen so far, and exact distances to those that a point has missed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adharness.arrays import Bool, Float32, Float64, Int64

CHUNK = 256  # centres in one matrix product: the product should stay in the cache
WORTH = 0.9  # share still in the race above which a copy of those costs more than it spares
CROWD = 4  # near-ties a row beyond which one float64 product is cheaper


@dataclass(eq=False)
class Centres:
    """Centres (count, D) as they are chosen; whole numbers, see `RoundedPoints`.

    Minimal distances are found with float32 matrix products whose error is bounded, and decided
    in float64, where they are exact: only the centres that the bound cannot tell from the nearest
    are measured again.

    Parameters
    ----------
    rows : (count, D + 1) float32
        The vectors times -2, then their squared lengths, rounded: a product with (x, 1) gives the
        squared distance to x, less the squared length of x.
    lengths : (count,) float64
        Their squared lengths, exact.
    """

    rows: Float32
    lengths: Float64
    chosen: int = 0

    @classmethod
    def empty(cls, count: int, dim: int) -> Centres:
        """Room for `count` centres."""
        return cls(np.zeros((count, dim + 1), dtype=np.float32), np.zeros(count))

    def __len__(self) -> int:
        return self.chosen

    def append(self, vector: Float32) -> None:
        """Add a grid vector (D,)."""
        exact = vector.astype(np.float64)
        self.lengths[self.chosen] = exact @ exact
        self.rows[self.chosen, :-1] = -2.0 * vector
        self.rows[self.chosen, -1] = self.lengths[self.chosen]
        self.chosen += 1

    def distances_to_near(self, rows: Float32, numbers: Int64) -> Float64:
        """Squared distances (n,) of grid vectors (n, D) to a near one each of these centres (c,).

        The nearest, but for the rounding of float32; its distance is exact.
        """
        centres = self.rows[numbers]
        gap = rows @ centres[:, :-1].T
        gap += centres[:, -1]
        return _exact(rows, centres[gap.argmin(axis=1)])

    def refresh(self, rows: Float32, distance: Float64, seen: Int64, level: float) -> None:
        """Measure points against centres they have missed, until they have met all or fall back.

        Parameters
        ----------
        rows : (n, D) float32
            Grid vectors.
        distance : (n,) float64
            Their squared distances to the first `seen` centres, and perhaps to others: the
            smallest, exact.
        seen : (n,) int64
            Grows to the number of centres, or to less where `distance` falls below `level`.
        level
            Who is below cannot be chosen now, and need not be known better.
        """
        able = np.flatnonzero(distance >= level)
        group = _Group.of(rows[able], distance[able], seen[able], able)
        begin = int(group.seen[0]) if len(able) else self.chosen
        for first in range(begin // CHUNK * CHUNK, self.chosen, CHUNK):
            last = min(first + CHUNK, self.chosen)
            missing = int(np.searchsorted(group.seen, last))  # who has not met all of the chunk
            if missing:
                group.meet(missing, self.rows[first:last], self.lengths[first:last])
                group.seen[:missing] = last
                group = group.thinned(level, distance, seen)
        group.write(distance, seen)


@dataclass(eq=False)
class _Group:
    """Candidates that meet centres, those who have met fewest first.

    Parameters
    ----------
    positions : (n,) int64
        Where they are in the arrays of the caller.
    rows : (n, D + 1) float32
        Grid vectors, then a 1.
    lengths, distance : (n,) float64
        Squared lengths of the vectors, exact; squared distances to the centres met.
    seen : (n,) int64
        How many they have met, ascending.
    """

    positions: Int64
    rows: Float32
    lengths: Float64
    distance: Float64
    seen: Int64

    @classmethod
    def of(cls, rows: Float32, distance: Float64, seen: Int64, positions: Int64) -> _Group:
        """Sort candidates by age."""
        exact = rows.astype(np.float64)
        lengths = np.einsum("nd,nd->n", exact, exact)
        with_one = np.hstack([rows, np.ones((len(rows), 1), dtype=np.float32)])
        return cls(positions, with_one, lengths, distance, seen).kept(
            np.argsort(seen, kind="stable")
        )

    def kept(self, which: Int64 | Bool) -> _Group:
        """Keep these, in this order."""
        return _Group(
            self.positions[which],
            self.rows[which],
            self.lengths[which],
            self.distance[which],
            self.seen[which],
        )

    def thinned(self, level: float, distance: Float64, seen: Int64) -> _Group:
        """Let go of those below `level`, once they are many enough to pay for the copy."""
        able = self.distance >= level
        if np.count_nonzero(able) > WORTH * len(able):
            return self
        self.write(distance, seen)
        return self.kept(able)

    def write(self, distance: Float64, seen: Int64) -> None:
        """Hand the caller what is known now."""
        distance[self.positions] = self.distance
        seen[self.positions] = self.seen

    def meet(self, count: int, centres: Float32, lengths: Float64) -> None:
        """Lower the distances of the first `count` rows to the nearest of these centres."""
        gap = self.rows[:count] @ centres.T  # (count, c) float32, less the rows' lengths
        slack = self._slack(count, centres.shape[1], float(lengths.max()))
        reach = self.distance[:count] - self.lengths[:count] + slack
        near = gap <= _rounded_up(reach)[:, None]  # who may be nearer than what is known already
        found = int(np.count_nonzero(near))
        if found > count:  # too many: only who may be the nearest of the chunk as well
            near &= gap <= _rounded_up(gap.min(axis=1) + 2.0 * slack)[:, None]
            found = int(np.count_nonzero(near))
        if found > CROWD * count:
            self._measure_all(count, centres, lengths)
        elif found:
            self._measure_pairs(np.flatnonzero(near), centres)

    def _slack(self, count: int, terms: int, longest: float) -> Float64:
        """Largest error (count,) of a float32 product of `terms` terms, in any order.

        With u = 2^-24 it is u * terms / (1 - u * terms) times the sum of the terms' sizes (Higham
        2002, section 3.1), which Cauchy and Schwarz bound by the lengths; three more terms cover
        the rounding of the last column.
        """
        unit = (terms + 3) * 2.0**-24
        sizes = 2.0 * np.sqrt(self.lengths[:count] * longest) + longest
        slack: Float64 = 1.01 * unit / (1.0 - unit) * sizes
        return slack

    def _measure_pairs(self, pairs: Int64, centres: Float32) -> None:
        row, column = np.divmod(pairs, len(centres))
        np.minimum.at(self.distance, row, _exact(self.rows[row, :-1], centres[column]))

    def _measure_all(self, count: int, centres: Float32, lengths: Float64) -> None:
        gap = self.rows[:count, :-1].astype(np.float64) @ centres[:, :-1].T.astype(np.float64)
        gap += lengths
        nearest = gap.min(axis=1) + self.lengths[:count]
        np.minimum(self.distance[:count], nearest, out=self.distance[:count])


def _exact(rows: Float32, centres: Float32) -> Float64:
    """Squared distances (n,) of grid vectors (n, D) to one centre each, (n, D + 1) as kept."""
    difference = rows.astype(np.float64)
    difference += 0.5 * centres[:, :-1]
    distances: Float64 = np.einsum("nd,nd->n", difference, difference)
    return distances


def _rounded_up(values: Float64) -> Float32:
    """Give the values (n,) as float32 not below them."""
    rounded: Float32 = np.nextafter(values.astype(np.float32), np.float32(np.inf))
    return rounded
