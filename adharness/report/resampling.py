"""The seam to `adharness.statistics.bootstrap`: replace this file's two functions by its own.

Bootstrap of image AUROC by integer weights: an image drawn twice weighs two.
"""

from __future__ import annotations

import numpy as np

from adharness.arrays import AnyArray, Float64, Int64


def bootstrap_weights(strata: AnyArray, draws: int, rng: np.random.Generator) -> Int64:
    """Draw how often each image is taken, stratum by stratum with replacement: (draws, n)."""
    weights = np.zeros((draws, len(strata)), dtype=np.int64)
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        even = np.full(len(members), 1.0 / len(members))
        weights[:, members] = rng.multinomial(len(members), even, size=draws)
    return weights


def weighted_auroc(labels: Int64, scores: Float64, weights: Int64) -> Float64:
    """AUROC of each row of weights, ties counted half; NaN where a label is missing. (draws,)."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) > 0])  # first image of each tie
    taken = weights[:, order]
    anomalous = np.add.reduceat(taken * (labels[order] == 1), starts, axis=1).astype(float)
    normal = np.add.reduceat(taken * (labels[order] == 0), starts, axis=1).astype(float)
    below = np.cumsum(normal, axis=1) - normal
    pairs = anomalous.sum(axis=1) * normal.sum(axis=1)
    wins = (anomalous * (below + normal / 2)).sum(axis=1)
    aurocs = np.full(len(pairs), np.nan)
    np.divide(wins, pairs, out=aurocs, where=pairs > 0)
    return aurocs
