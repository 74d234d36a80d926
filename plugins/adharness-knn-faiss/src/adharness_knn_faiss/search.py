"""Neighbours are found by FAISS in float32; their distances are computed again in float64."""

from __future__ import annotations

from dataclasses import dataclass

import faiss
import numpy as np

from adharness.arrays import Float32, Float64, Int64
from adharness_knn_faiss.indexes import flat_index
from adharness_knn_faiss.measures import Measure

# FAISS compares in float32, where |x|^2 + |y|^2 - 2xy loses digits; a few candidates more than k,
# measured again in float64, put near-ties in their true order. They cost nothing measurable.
SPARE = 3
# Fixed, so that a query meets the same FAISS code path and the same blocks whatever the batch.
QUERY_ROWS = 4096
GATHERED_VALUES = 4 * 1024 * 1024  # 32 MiB of float64
RECALL_QUERIES = 256


@dataclass(frozen=True, eq=False)
class Search:
    """An indexed memory.

    Parameters
    ----------
    rows : (M, D) float32
    measure
        The distance.
    index
        Of the rows, prepared by the measure.
    candidates
        Rows a query that are found and then measured exactly; all of M where there are fewer.
    """

    rows: Float32
    measure: Measure
    index: faiss.Index
    candidates: int

    def distances(self, queries: Float32, k: int, *, skip: Int64 | None = None) -> Float64:
        """Distances (n, k) of queries (n, D) to the nearest rows found, ascending.

        Parameters
        ----------
        skip : (n,) int64, optional
            One row a query that does not count: itself, where a query is a row.

        Notes
        -----
        Infinite where the index has no more rows to give, or squared distances are beyond float32.
        """
        blocks = range(0, len(queries), QUERY_ROWS)
        parts = []
        for block in (slice(i, i + QUERY_ROWS) for i in blocks):
            left_out = None if skip is None else skip[block]
            parts.append(self._block(queries[block], k, left_out))
        return np.concatenate(parts)

    def _block(self, queries: Float32, k: int, skip: Int64 | None) -> Float64:
        found = self._find(self.measure.prepare(queries), k + (skip is not None))
        distances = self._measure(queries, found)
        distances[found < 0] = np.inf
        if skip is not None:
            distances[found == skip[:, None]] = np.inf
        distances.sort(axis=1)
        return distances[:, :k]

    def _find(self, queries: Float32, k: int) -> Int64:
        """Positions (n, c >= k) of candidates; -1 beyond what the index has."""
        count = min(max(self.candidates, k), len(self.rows))
        found: Int64 = self.index.search(queries, count)[1]
        short = found[:, min(k, count) - 1] < 0
        if short.any() and isinstance(self.index, faiss.IndexIVF):
            every = faiss.SearchParametersIVF()  # the cells looked into held fewer than k rows
            every.nprobe = self.index.nlist
            found[short] = self.index.search(queries[short], count, params=every)[1]
        return found

    def _measure(self, queries: Float32, found: Int64) -> Float64:
        """Distances (n, c) to the rows found, gathering few of them at once."""
        step = max(1, GATHERED_VALUES // (found.shape[1] * queries.shape[1]))
        parts = [
            self.measure.between(queries[i : i + step], self.rows[found[i : i + step]])
            for i in range(0, len(queries), step)
        ]
        return np.concatenate(parts)


def recall_of(search: Search, k: int, rng: np.random.Generator) -> float:
    """Share of the k true nearest rows that a search finds: recall@k, in [0, 1].

    Up to 256 rows are drawn from `rng`; each asks for its k nearest among the *other* rows, and
    the answers are compared with an exhaustive search.

    Notes
    -----
    A row found counts where it is no farther than the k-th true neighbour, so that it does not
    matter which of several rows at one distance is found. Fewer than k other rows: all of them.
    One row alone has nothing to miss: 1.
    """
    k = min(k, len(search.rows) - 1)
    if not k:
        return 1.0
    size = min(RECALL_QUERIES, len(search.rows))
    sample = np.sort(rng.choice(len(search.rows), size=size, replace=False))
    prepared = search.measure.prepare(search.rows)
    flat = flat_index(prepared, search.measure.faiss_metric)
    exact = Search(search.rows, search.measure, flat, k + 1 + SPARE)
    queries = search.rows[sample]
    true = exact.distances(queries, k, skip=sample)
    found = search.distances(queries, k, skip=sample)
    # the two may sum the same squares in another order: equal to the last few bits is equal
    return float((found <= true[:, -1:] * (1 + 1e-12)).mean())
