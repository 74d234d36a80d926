"""Exact nearest rows of a bank, found in float32 and measured in float64."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adharness.arrays import Float32, Float64, Int64

BANK_ROWS = 8192  # compared in one matrix product
QUERY_ROWS = 2048  # fixed, so that a query's sums do not depend on the batch
SPARE = 7  # candidates more than asked for: float32 may swap near-ties


@dataclass(frozen=True, eq=False)
class NearestRows:
    """A bank that is searched exhaustively.

    The search moves bank and queries by the bank's mean, where float32 loses the fewest digits.
    Distances are computed again from the two vectors in float64, so they hold no cancellation;
    among rows whose squared distances differ by less than about 1e-6 of the squared spread of the
    bank, either may be taken for the nearest.

    Parameters
    ----------
    rows : (M, D) float32
    centre : (D,) float32
    centred : (M, D) float32
        The rows less the centre.
    lengths : (M,) float32
        Their squared lengths.
    """

    rows: Float32
    centre: Float32
    centred: Float32
    lengths: Float32

    @classmethod
    def of(cls, rows: Float32) -> NearestRows:
        """Prepare the rows of a bank."""
        centre = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        centred = rows - centre
        return cls(rows, centre, centred, np.einsum("md,md->m", centred, centred))

    def nearest(self, queries: Float32) -> tuple[Float64, Int64]:
        """Euclidean distance and position (n,) of the row nearest to each query (n, D)."""
        blocks = range(0, len(queries), QUERY_ROWS)
        found = np.concatenate([self._nearest(queries[i : i + QUERY_ROWS]) for i in blocks])
        distance = [
            _distances(queries[i : i + QUERY_ROWS], self.rows[found[i : i + QUERY_ROWS]])
            for i in blocks
        ]
        return np.concatenate(distance), found

    def around(self, row: int, count: int) -> Int64:
        """Positions (count,) of the rows nearest to one of them, itself first among its equals."""
        return self._closest(self.rows[row], self.centred[row], count, first=row)

    def near(self, query: Float32, count: int) -> Int64:
        """Positions (count,) of the rows nearest to a query (D,); ties to the lowest position."""
        return self._closest(query, query - self.centre, count, first=None)

    def _closest(
        self, vector: Float32, centred: Float32, count: int, *, first: int | None
    ) -> Int64:
        gap = self.lengths - 2.0 * (self.centred @ centred)  # (M,)
        if first is not None:
            gap[first] = -np.inf  # it belongs to its neighbours, whatever the rounding
        wanted = min(count + SPARE, len(gap))
        close = np.sort(np.argpartition(gap, wanted - 1)[:wanted])
        distance = _distances(self.rows[close], vector[None])
        if first is not None:
            distance[close == first] = -1.0
        return close[np.argsort(distance, kind="stable")[:count]]

    def _nearest(self, queries: Float32) -> Int64:
        centred = queries - self.centre
        gap = np.full(len(queries), np.inf, dtype=np.float32)
        found = np.zeros(len(queries), dtype=np.int64)
        for first in range(0, len(self.rows), BANK_ROWS):
            part = slice(first, first + BANK_ROWS)
            here = centred @ self.centred[part].T
            here *= -2.0
            here += self.lengths[part]
            best = here.argmin(axis=1)
            value = np.take_along_axis(here, best[:, None], axis=1)[:, 0]
            found = np.where(value < gap, best + first, found)
            gap = np.minimum(gap, value)
        return found


def _distances(left: Float32, right: Float32) -> Float64:
    """Euclidean distances (n,) between vectors (n, D) that belong together."""
    difference = left.astype(np.float64) - right
    distances: Float64 = np.sqrt(np.einsum("nd,nd->n", difference, difference))
    return distances
