"""The nearest of each query's candidates."""

from __future__ import annotations

import numpy as np

from adharness.arrays import Float64, Int64


def ranked(who: Int64, distances: Float64, where: Int64, k: int) -> tuple[Float64, Int64]:
    """Distances and positions (m, k) of the k nearest candidates of each of m queries.

    Parameters
    ----------
    who, distances, where : (p,)
        Query, distance and position of a candidate; at least k for each query that occurs.

    Notes
    -----
    Queries ascending; equal distances by position.
    """
    order = np.lexsort((where, distances, who))
    _, first = np.unique(who[order], return_index=True)
    best = order[first[:, None] + np.arange(k)]
    return distances[best], where[best]
