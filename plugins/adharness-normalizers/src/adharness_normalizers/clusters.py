"""Clusters of calibration embeddings: groups that need no label."""

from __future__ import annotations

from typing import Literal

import numpy as np

from adharness import DataError
from adharness.arrays import Float64, Int64
from adharness_normalizers import ClusterParams
from adharness_normalizers.groups import Grouping, NearestCentroid
from adharness_normalizers.normals import MORE, Normals, distances

STARTS = 3
"""Runs of k-means, of which the tightest is kept. scikit-learn's default is one for its greedy
k-means++; two more cost little."""
MOST = 20
"""Clusters that are tried where the number is not given: the public sets have up to 30 classes,
most of them 15 or fewer."""
STRUCTURE = 0.25
"""Mean silhouette width that several clusters must pass to be preferred to one: `no substantial
structure` up to it, Kaufman and Rousseeuw, Finding Groups in Data, 1990, chapter 2."""


def by_cluster(normals: Normals, name: str, asked: ClusterParams) -> Grouping:
    """Group images by k-means over their embeddings (Euclidean, as the extractor gives them).

    Where their number is `auto`, it is that of the largest mean silhouette width among 2 to 20, or
    one where none passes 0.25: labels have no say in it, nor have scores. No more clusters are
    looked for than there are distinct embeddings. Of the clusters with fewer
    than `asked.smallest` images the smallest is given up, and its images go to the nearest other
    centroid, until all have enough.

    Raises
    ------
    ContractError
        There are no embeddings.
    DataError
        There are fewer than `asked.smallest` images in all.

    Notes
    -----
    One thread, since sums of several depend on which is done first.

    References
    ----------
    Rousseeuw, Silhouettes: a graphical aid to the interpretation and validation of cluster
    analysis, J. Comput. Appl. Math. 1987.
    """
    places = normals.places(name)
    if len(places) < asked.smallest:
        fact = f"{name} needs {asked.smallest} normal images for a cluster, and has {len(places)}"
        raise DataError(fact, hint=MORE)
    centroids = _centroids(places, asked.clusters, asked.seed)
    groups = _nearest(centroids, places)
    while (counts := np.bincount(groups, minlength=len(centroids))).min() < asked.smallest:
        centroids = np.delete(centroids, counts.argmin(), axis=0)
        groups = _nearest(centroids, places)
    titles = tuple(f"cluster {i + 1} of {len(centroids)}" for i in range(len(centroids)))
    return Grouping(groups, NearestCentroid(name, centroids), titles)


def _centroids(places: Float64, asked: int | Literal["auto"], seed: int) -> Float64:
    """Centroids (k, E) of as many clusters as asked, or of the best silhouette."""
    distinct = len(np.unique(places, axis=0))
    if asked != "auto":
        return _k_means(places, min(asked, distinct), seed)
    best = STRUCTURE
    found: Float64 = places.mean(axis=0, keepdims=True)
    apart = np.stack([distances(places, place) for place in places])  # (n, n)
    for count in range(2, min(MOST, distinct - 1) + 1):
        centroids = _k_means(places, count, seed)
        width = _silhouette(apart, _nearest(centroids, places))
        if width > best:
            best, found = width, centroids
    return found


def _k_means(places: Float64, count: int, seed: int) -> Float64:
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        fitted = KMeans(count, n_init=STARTS, random_state=seed).fit(places)
    centroids: Float64 = fitted.cluster_centers_
    return centroids


def _silhouette(apart: Float64, groups: Int64) -> float:
    """Mean silhouette width of a grouping, from the distances (n, n)."""
    from sklearn.metrics import silhouette_score

    return float(silhouette_score(apart, groups, metric="precomputed"))


def _nearest(centroids: Float64, places: Float64) -> Int64:
    return np.array([distances(centroids, place).argmin() for place in places], dtype=np.int64)
