"""What an approximate search misses."""

from __future__ import annotations

import numpy as np

from adharness_knn_faiss.indexes import flat_index
from adharness_knn_faiss.search import Search

QUERIES = 256


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
    size = min(QUERIES, len(search.rows))
    sample = np.sort(rng.choice(len(search.rows), size=size, replace=False))
    prepared = search.measure.prepare(search.rows)
    exact = Search(search.rows, search.measure, flat_index(prepared, search.measure.faiss_metric))
    queries = search.rows[sample]
    true = exact.nearest(queries, k, skip=sample)[0]
    found = search.nearest(queries, k, skip=sample)[0]
    return float((found <= true[:, -1:]).mean())
