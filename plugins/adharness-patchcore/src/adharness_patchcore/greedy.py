"""Farthest-first traversal (k-centre greedy), exact and lazy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adharness import ContractError
from adharness.arrays import Float32, Float64, Int64, require_finite, require_shape

POOL = 2048  # candidates looked at together: their float64 vectors should stay in the cache
GROUP = 512  # pool members refreshed by one matrix product; they have missed about as many centres
CENTRES = 4096  # in one such product
BLOCK_ROWS = 16_384  # points read at once where all are


def k_center_greedy(points: Float32, count: int, *, start: int) -> Int64:
    """Choose points one by one, each the farthest from those chosen before.

    Parameters
    ----------
    points : (N, D) float32
    count
        How many to choose, in [1, N].
    start
        The first one, a position in [0, N).

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
    coordinate (for D = 128), about the precision float32 distances have; from there all
    arithmetic is on integers below 2^53 in float64 and hence exact. Matrix products therefore
    give the same choice as the textbook loop, on any machine and with any number of threads.

    Distances to the chosen set only shrink, so an old distance is an upper bound. Only the points
    with the largest bounds are looked at, and only against the centres they have missed.

    References
    ----------
    Gonzalez, Clustering to minimize the maximum intercluster distance, 1985; Minoux, Accelerated
    greedy algorithms for maximizing submodular set functions, 1978 (the lazy bounds).
    """
    require_shape(points, (None, None), name="points")
    require_finite(points, name="points")
    if not 1 <= count <= len(points):
        raise ContractError(f"{count} centres asked of {len(points)} point(s)")
    if not 0 <= start < len(points):
        raise ContractError(f"start {start} is not a position of {len(points)} point(s)")
    traversal = _Traversal.begin(round_to_grid(points), count, start)
    while traversal.chosen < count and traversal.advance():
        pass
    return traversal.order


def round_to_grid(points: Float32) -> Float32:
    """Round (N, D) to whole numbers, small enough that squared distances are exact in float64.

    The result is moved to the middle of each coordinate's range and scaled so that its largest
    value is 2^b, with D * (2 * 2^b)^2 <= 2^53 and b <= 23; float32 holds such numbers exactly.
    """
    low, high = points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64)
    bits = min(23, (51 - int(np.ceil(np.log2(points.shape[1])))) // 2)
    reach = float((high - low).max()) / 2
    scale = 2.0**bits / reach if reach > 0 else 0.0
    rounded = np.empty(points.shape, dtype=np.float32)
    for i in range(0, len(points), BLOCK_ROWS):
        block = points[i : i + BLOCK_ROWS].astype(np.float64) - (low + high) / 2
        rounded[i : i + BLOCK_ROWS] = np.rint(block * scale)
    return rounded


@dataclass(eq=False)
class _Traversal:
    """The state of one run. Distances are squared, in grid units, and whole numbers.

    `bound[i]` is the distance of point i to the first `seen[i]` centres: exact where `seen[i]` is
    `chosen`, an upper bound elsewhere, and -1 once the point is chosen itself.
    """

    points: Float32  # (N, D) whole numbers
    order: Int64  # (count,) positions of the centres
    centres: Float64  # (count, D)
    norms: Float64  # (count,) squared lengths of the centres
    bound: Float64  # (N,)
    seen: Int64  # (N,)
    chosen: int

    @classmethod
    def begin(cls, points: Float32, count: int, start: int) -> _Traversal:
        """Choose the start and measure every point against it."""
        new = cls(
            points=points,
            order=np.zeros(count, dtype=np.int64),
            centres=np.zeros((count, points.shape[1])),
            norms=np.zeros(count),
            bound=np.full(len(points), np.inf),
            seen=np.ones(len(points), dtype=np.int64),
            chosen=0,
        )
        new._choose(start, points[start].astype(np.float64))
        for i in range(0, len(points), BLOCK_ROWS):
            difference = points[i : i + BLOCK_ROWS] - new.centres[0]
            new.bound[i : i + BLOCK_ROWS] = np.einsum("nd,nd->n", difference, difference)
        new.bound[start] = -1.0
        return new

    def advance(self) -> bool:
        """Choose what the current candidates allow; False once nothing is left to compare."""
        pool, level, barrier = self._candidates()
        if self.bound[pool].max() <= 0:
            self._fill()
            return False
        vectors = self.points[pool].astype(np.float64)
        lengths = np.einsum("nd,nd->n", vectors, vectors)
        distance = self._refreshed(pool, vectors, lengths)
        while self.chosen < len(self.order):
            best = int(distance.argmax())
            # Nobody outside the pool is above `level`, nor at it before `barrier`.
            if distance[best] < level or (distance[best] == level and pool[best] > barrier):
                break
            self._choose(int(pool[best]), vectors[best])
            np.minimum(distance, self._to_last(vectors, lengths), out=distance)
            distance[best] = -1.0
            self.bound[pool[best]] = -1.0
        self._keep(pool, distance)
        return True

    def _candidates(self) -> tuple[Int64, float, int]:
        """Pool of the largest bounds, ascending; the largest bound outside and who first has it."""
        total = len(self.bound)
        if total <= POOL:
            return np.arange(total), -np.inf, total
        level = float(np.partition(self.bound, total - POOL)[total - POOL])
        above = np.flatnonzero(self.bound > level)
        equal = np.flatnonzero(self.bound == level)
        taken = POOL - len(above)
        barrier = int(equal[taken]) if taken < len(equal) else total
        return np.sort(np.concatenate([above, equal[:taken]])), level, barrier

    def _refreshed(self, pool: Int64, vectors: Float64, lengths: Float64) -> Float64:
        """Exact distances (pool,) to the centres chosen so far."""
        distance = self.bound[pool]
        by_age = np.argsort(self.seen[pool], kind="stable")
        for i in range(0, len(pool), GROUP):
            group = by_age[i : i + GROUP]
            missed = int(self.seen[pool[group[0]]])  # by the oldest; the others meet some again
            for first in range(missed, self.chosen, CENTRES):
                part = slice(first, min(first + CENTRES, self.chosen))
                gap = vectors[group] @ self.centres[part].T
                gap *= -2.0
                gap += self.norms[part]
                distance[group] = np.minimum(distance[group], gap.min(axis=1) + lengths[group])
        return distance

    def _to_last(self, vectors: Float64, lengths: Float64) -> Float64:
        last = self.chosen - 1
        distance: Float64 = lengths + (self.norms[last] - 2.0 * (vectors @ self.centres[last]))
        return distance

    def _choose(self, position: int, vector: Float64) -> None:
        self.order[self.chosen] = position
        self.centres[self.chosen] = vector
        self.norms[self.chosen] = vector @ vector
        self.chosen += 1

    def _keep(self, pool: Int64, distance: Float64) -> None:
        self.bound[pool] = distance
        self.seen[pool] = self.chosen

    def _fill(self) -> None:
        """All points left lie on a centre: take the lowest positions."""
        left = np.ones(len(self.bound), dtype=np.bool_)
        left[self.order[: self.chosen]] = False
        missing = len(self.order) - self.chosen
        self.order[self.chosen :] = np.flatnonzero(left)[:missing]
        self.chosen = len(self.order)
