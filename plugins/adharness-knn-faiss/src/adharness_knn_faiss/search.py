"""Neighbours are found in low precision; their distances are computed again in float64."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

import faiss
import numpy as np

from adharness import ContractError
from adharness.arrays import Float32, Float64, Int64
from adharness_knn_faiss.indexes import flat_index
from adharness_knn_faiss.measures import Measure, Metric, measure_of
from adharness_knn_faiss.processors import gains, has_torch

if TYPE_CHECKING:
    from adharness_knn_faiss.two_stage import TwoStage

Mode: TypeAlias = Literal["auto", "flat", "two-stage"]

# FAISS compares in float32, where |x|^2 + |y|^2 - 2xy loses digits; a few candidates more than k,
# measured again in float64, put near-ties in their true order. They cost nothing measurable.
SPARE = 3
# Fixed, so that a query meets the same FAISS code path and the same blocks whatever the batch.
QUERY_ROWS = 4096
FEW = 4  # neighbours: for more, what bfloat16 leaves takes the time it saved (measured at 9)
GATHERED_VALUES = 128 * 1024  # 1 MiB of float64, which stays in the cache


@dataclass(frozen=True, eq=False)
class Search:
    """Rows with a FAISS index.

    Parameters
    ----------
    rows : (M, D) float32
    measure
        The distance.
    index
        Of the rows, prepared by the measure.
    candidates
        Rows a query that are found and then measured exactly, all of M where there are fewer;
        None: 3 more than are asked for.
    """

    rows: Float32
    measure: Measure
    index: faiss.Index
    candidates: int | None = None

    def nearest(
        self, queries: Float32, k: int, *, skip: Int64 | None = None
    ) -> tuple[Float64, Int64]:
        """Distances and positions (n, k) of the rows found nearest to queries (n, D), ascending.

        Parameters
        ----------
        k
            At most M, and less where a row does not count.
        skip : (n,) int64, optional
            One row a query that does not count: itself, where a query is a row.

        Notes
        -----
        Of equal distances among the candidates the lowest position is first. A query whose squared
        distances are beyond float32 is measured against every row.
        """
        blocks = (slice(i, i + QUERY_ROWS) for i in range(0, max(1, len(queries)), QUERY_ROWS))
        parts = [self._block(queries[b], k, None if skip is None else skip[b]) for b in blocks]
        distances, positions = zip(*parts, strict=True)
        return np.concatenate(distances), np.concatenate(positions)

    def _block(self, queries: Float32, k: int, skip: Int64 | None) -> tuple[Float64, Int64]:
        found = self._find(self.measure.prepare(queries), k + (skip is not None))
        who = np.repeat(np.arange(len(queries)), found.shape[1])
        distances = measured(self.measure, queries, self.rows, who, found.ravel())
        distances = distances.reshape(found.shape)
        distances[found < 0] = np.inf
        if skip is not None:
            distances[found == skip[:, None]] = np.inf
        order = np.lexsort((found, distances), axis=-1)[:, :k]
        distances = np.take_along_axis(distances, order, axis=1)
        positions: Int64 = np.take_along_axis(found, order, axis=1)
        for lost in np.flatnonzero(np.isinf(distances).any(axis=1)):
            left_out = None if skip is None else int(skip[lost])
            distances[lost], positions[lost] = self._compare_all(queries[lost], k, left_out)
        return distances, positions

    def _find(self, queries: Float32, k: int) -> Int64:
        """Positions (n, c >= k) of candidates; -1 beyond what the index has."""
        wanted = k + SPARE if self.candidates is None else max(self.candidates, k)
        count = min(wanted, len(self.rows))
        found: Int64 = self.index.search(queries, count)[1]
        short = found[:, min(k, count) - 1] < 0
        if short.any() and isinstance(self.index, faiss.IndexIVF):
            every = faiss.SearchParametersIVF()  # the cells looked into held fewer than k rows
            every.nprobe = self.index.nlist
            found[short] = self.index.search(queries[short], count, params=every)[1]
        return found

    def _compare_all(self, query: Float32, k: int, skip: int | None) -> tuple[Float64, Int64]:
        everyone = np.arange(len(self.rows))
        who = np.zeros(len(everyone), dtype=np.int64)
        distances = measured(self.measure, query[None], self.rows, who, everyone)
        if skip is not None:
            distances[skip] = np.inf
        order = np.argsort(distances, kind="stable")[:k]
        return distances[order], order


@dataclass(frozen=True, eq=False)
class NearestRows:
    """Rows that are searched exhaustively; made by `NearestRows.of`.

    Parameters
    ----------
    rows : (M, D) float32
    measure
        The distance.
    mode
        How candidates are found. It changes the time, not the answer.

    Notes
    -----
    Every distance is computed in float64 from its two vectors alone, so it holds no cancellation
    and does not depend on what else is asked. Which rows are found:

    - `two-stage`: the k smallest such distances, ties to the lowest position, proved by a bound of
      the rounding errors (see `TwoStage`); but for crowded queries, which are searched as `flat`.
    - `flat`: the k smallest among the `k + 3` that FAISS finds in float32. It may miss a row for
      others whose squared distances are larger by less than about 1e-6 of the squared spread of
      the rows; where more than `k + 3` rows are as near as that, as with duplicates, any of them
      may be returned.
    """

    rows: Float32
    measure: Measure
    mode: Mode = "flat"

    @classmethod
    def of(cls, rows: Float32, metric: Metric = "euclidean", search: Mode = "auto") -> NearestRows:
        """Prepare rows (M, D), M >= 1, finite.

        Parameters
        ----------
        metric
            `euclidean`; `cosine`, 1 - cosine, where a zero vector is at 1 from all; `direction`,
            half the squared distance of unit vectors, where a zero vector stays zero.
        search
            `flat` is FAISS; `two-stage` compares in bfloat16 with torch, then measures what its
            error bound cannot tell from the nearest; `auto` takes that where the processor has
            bfloat16 products, or CUDA is there, and the search is large enough to gain.

        Raises
        ------
        ContractError
            Where `two-stage` is asked for and torch is not installed.
        """
        if search == "two-stage":
            _require_torch()
        return cls(rows, measure_of(metric, rows), search)

    def nearest(self, queries: Float32, k: int = 1) -> tuple[Float64, Int64]:
        """Distances (n, k) float64 of queries (n, D) to their nearest rows, and their positions.

        Ascending, equal distances by position; 1 <= k <= M. NaN in a query is not looked for.
        """
        if self._in_two_stages(len(queries), k):
            return self.two_stage.nearest(queries, k, crowded=self.flat.nearest)
        return self.flat.nearest(queries, k)

    def near(self, query: Float32, count: int) -> Int64:
        """Positions (count,) of the rows nearest to one query (D,)."""
        positions: Int64 = self.nearest(query[None], count)[1][0]
        return positions

    def around(self, row: int, count: int) -> Int64:
        """Positions (count,) of the rows nearest to one of them, itself first among its equals."""
        found = self.near(self.rows[row], count)
        positions: Int64 = np.concatenate([[row], found[found != row]])[:count]
        return positions

    @cached_property
    def flat(self) -> Search:
        """The search with FAISS."""
        index = flat_index(self.measure.prepare(self.rows), self.measure.faiss_metric)
        return Search(self.rows, self.measure, index)

    @cached_property
    def two_stage(self) -> TwoStage:
        """The search with torch."""
        from adharness_knn_faiss.two_stage import TwoStage

        return TwoStage.of(self.rows, self.measure)

    def _in_two_stages(self, queries: int, k: int) -> bool:
        if self.mode != "auto":
            return self.mode == "two-stage"
        return k <= FEW and gains(queries, *self.rows.shape)


def measured(
    measure: Measure, queries: Float32, rows: Float32, who: Int64, where: Int64
) -> Float64:
    """Distances (p,) between `queries[who]` and `rows[where]`, gathering few at once."""
    step = max(1, GATHERED_VALUES // queries.shape[1])
    distances = np.empty(len(who))
    for part in (slice(i, i + step) for i in range(0, len(who), step)):
        distances[part] = measure.pairs(queries[who[part]], rows[where[part]])
    return distances


def _require_torch() -> None:
    if not has_torch():
        raise ContractError(
            "search: two-stage needs torch, which is not installed",
            hint="pip install torch, or set search: flat or auto; the results are the same",
        )
