"""Farthest-first traversal (k-centre greedy), exact and lazy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from adharness import ContractError
from adharness.arrays import Bool, Float32, Float64, Int64, require_shape
from adharness_patchcore.candidates import Pool
from adharness_patchcore.cells import Cells
from adharness_patchcore.centres import Centres
from adharness_patchcore.rounded import BLOCK_ROWS, RoundedPoints

POOL = 4096  # candidates looked at together, at least
POOLS = 128  # and at least this part of all points, as finding them costs a look at many bounds
WIDE = 8  # pools in the wider one, which alone is found by a look at all bounds

Progress = Callable[[int], None]


def k_center_greedy(
    points: Float32, count: int, *, start: int, progress: Progress | None = None
) -> Int64:
    """Choose points one by one, each the farthest from those chosen before.

    Parameters
    ----------
    points : (N, D) float32
        May be a memory map; it is then read from disk in blocks and never held as a whole.
    count
        How many to choose, in [1, N].
    start
        The first one, a position in [0, N).
    progress
        Told now and then how many are chosen so far.

    Returns
    -------
    (count,) int64
        Distinct positions in the order of choice; a shorter run is a prefix of a longer one.

    Raises
    ------
    ContractError
        Where `count` or `start` is out of range, or a point is not finite.

    Notes
    -----
    Ties go to the lowest position, and a chosen point is never chosen again, so duplicates come
    last. The points are first rounded to a grid of about 2^-22 of the widest spread of a
    coordinate (for D = 128), about the precision float32 distances have; from there every
    distance that decides something is a whole number below 2^53 in float64 and hence exact. The
    choice is that of the textbook loop, on any machine and with any number of threads.

    Distances to the chosen set only shrink, so an old distance is an upper bound. Only the points
    with the largest bounds are looked at, first against the centres of their own cell (k-means on
    a sample), which rules most of them out, and then against all the centres they have missed.

    References
    ----------
    Gonzalez, Clustering to minimize the maximum intercluster distance, 1985; Minoux, Accelerated
    greedy algorithms for maximizing submodular set functions, 1978 (the lazy bounds).
    """
    grid = _grid(points, count)
    _require_positions([start], len(points), name="start")
    traversal = _Traversal.begin(grid, count, np.full(len(grid), np.inf))
    traversal.begin_at(start)
    return traversal.run(progress)


def k_center_greedy_from_anchors(
    points: Float32, count: int, *, anchors: Int64, progress: Progress | None = None
) -> Int64:
    """Choose as `k_center_greedy` does, begun by distances to anchors that are not chosen.

    A point's first distance is the mean of its Euclidean distances to the anchors (in float64, in
    their order). It stays in the minimum for good, as in the paper's code: a point near all
    anchors is never far. Everything else is as in `k_center_greedy`.

    Parameters
    ----------
    anchors : (a,) int64
        Positions in [0, N), at least one; an anchor may be chosen later like any other point.

    References
    ----------
    patchcore-inspection (Roth et al. 2022), `ApproximateGreedyCoresetSampler`: ten anchors.
    """
    grid = _grid(points, count)
    _require_positions(anchors, len(points), name="anchor")
    return _Traversal.begin(grid, count, mean_distances(grid, anchors) ** 2).run(progress)


def mean_distances(grid: RoundedPoints, anchors: Int64) -> Float64:
    """Mean Euclidean distance (N,) of each point to the anchors, in grid units."""
    total = np.zeros(len(grid))
    vectors = grid.rows(np.asarray(anchors))
    for i in range(0, len(grid), BLOCK_ROWS):
        rows = grid.rows(slice(i, i + BLOCK_ROWS))
        for vector in vectors:  # one after the other: the order of a sum shows in its last bit
            total[i : i + BLOCK_ROWS] += np.sqrt(squared_distances(rows, vector))
    return total / len(vectors)


def squared_distances(rows: Float32, vector: Float32) -> Float64:
    """Squared distances (n,) of grid rows (n, D) to one grid vector (D,), exact."""
    difference = (rows - vector).astype(np.float64)  # the difference is exact in float32 too
    distances: Float64 = np.einsum("nd,nd->n", difference, difference)
    return distances


def _grid(points: Float32, count: int) -> RoundedPoints:
    require_shape(points, (None, None), name="points")
    if not 1 <= count <= len(points):
        raise ContractError(f"{count} centres asked of {len(points)} point(s)")
    return RoundedPoints.of(points)


def _require_positions(positions: Int64 | list[int], total: int, *, name: str) -> None:
    if not len(positions):
        raise ContractError(f"no {name} is given for {total} point(s)")
    for position in positions:
        if not 0 <= position < total:
            raise ContractError(f"{name} {position} is not a position of {total} point(s)")


@dataclass(eq=False)
class _Traversal:
    """The state of one run. Distances are squared, in grid units.

    `bound[i]` is the distance of point i to the first `seen[i]` centres and perhaps to others (or
    what it began with, if smaller): exact where `seen[i]` is all of them, an upper bound
    elsewhere, and -1 once the point is chosen itself.
    """

    grid: RoundedPoints
    order: Int64  # (count,) positions of the centres
    centres: Centres
    bound: Float64  # (N,)
    seen: Int64  # (N,)
    cells: Cells
    wide: Pool  # where candidates are searched for

    @classmethod
    def begin(cls, grid: RoundedPoints, count: int, bound: Float64) -> _Traversal:
        """Nothing chosen yet, every point as far as `bound` says."""
        order, seen = np.zeros(count, dtype=np.int64), np.zeros(len(grid), dtype=np.int64)
        centres, whole = Centres.empty(count, grid.dim), Pool.whole(len(grid))
        return cls(grid, order, centres, bound, seen, Cells.of(grid, count), whole)

    def run(self, progress: Progress | None) -> Int64:
        """Choose what is missing."""
        while len(self.centres) < len(self.order) and self.advance():
            if progress is not None:
                progress(len(self.centres))
        if progress is not None and len(self.centres) < len(self.order):
            progress(len(self.order))
        return self._filled()

    def choose(self, position: int, vector: Float32) -> None:
        """Make a point the next centre."""
        self.order[len(self.centres)] = position
        self.cells.add(position, len(self.centres))
        self.centres.append(vector)
        self.bound[position] = -1.0

    def begin_at(self, start: int) -> None:
        """Choose the start and measure every point against it."""
        first = self.grid.rows(np.array([start]))[0]
        for i in range(0, len(self.grid), BLOCK_ROWS):
            part = slice(i, i + BLOCK_ROWS)
            distance = squared_distances(self.grid.rows(part), first)
            np.minimum(self.bound[part], distance, out=self.bound[part])
        self.choose(start, first)
        self.seen[:] = 1

    def advance(self) -> bool:
        """Choose what the current candidates allow; False once nothing is left to compare."""
        pool = self._candidates()
        distance, seen = self.bound[pool.positions], self.seen[pool.positions]
        if distance.max() <= 0:
            return False
        rows = self.grid.rows(pool.positions)
        self.cells.meet(pool.positions, rows, distance, self.centres)
        self.centres.refresh(rows, distance, seen, pool.level)
        self.bound[pool.positions], self.seen[pool.positions] = distance, seen
        self._choose_among(pool, rows, distance >= pool.level)  # the others cannot be next
        return True

    def _candidates(self) -> Pool:
        """Points to look at next, searched for in a wider pool while it has those."""
        size = max(POOL, len(self.bound) // POOLS)
        if not self.wide.leads(self.bound):
            self.wide = Pool.whole(len(self.bound)).largest(self.bound, WIDE * size)
        return self.wide.largest(self.bound, size)

    def _choose_among(self, pool: Pool, rows: Float32, able: Bool) -> None:
        """Choose while the farthest of the refreshed candidates is the farthest of all."""
        positions, rows = pool.positions[able], rows[able]
        vectors = rows.astype(np.float64)
        lengths = np.einsum("nd,nd->n", vectors, vectors)
        distance = self.bound[positions]
        while len(self.centres) < len(self.order) and len(distance):
            best = int(distance.argmax())
            if not pool.is_ahead(int(positions[best]), float(distance[best])):
                break
            self.choose(int(positions[best]), rows[best])
            gap = vectors @ vectors[best]
            gap *= -2.0
            gap += lengths
            gap += lengths[best]
            np.minimum(distance, gap, out=distance)
            distance[best] = -1.0
        self.bound[positions] = distance
        self.seen[positions] = len(self.centres)

    def _filled(self) -> Int64:
        """All points left lie on a centre: take the lowest positions."""
        chosen = len(self.centres)
        left = np.ones(len(self.bound), dtype=np.bool_)
        left[self.order[:chosen]] = False
        self.order[chosen:] = np.flatnonzero(left)[: len(self.order) - chosen]
        return self.order
