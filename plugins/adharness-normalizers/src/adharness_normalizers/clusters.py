"""Clusters of calibration embeddings: groups that need no label."""

from __future__ import annotations

import numpy as np

from adharness import DataError
from adharness.arrays import Float64, Int64
from adharness_normalizers import ClusterParams
from adharness_normalizers.groups import Grouping, NearestCentroid
from adharness_normalizers.normals import MORE, Normals, distances

STARTS = 10
"""Runs of k-means, of which the tightest is kept: scikit-learn's own former default."""


def by_cluster(normals: Normals, name: str, asked: ClusterParams) -> Grouping:
    """Group images by k-means over their embeddings (Euclidean, as the extractor gives them).

    No more clusters are looked for than there are distinct embeddings. Of the clusters with fewer
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


def _centroids(places: Float64, clusters: int, seed: int) -> Float64:
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    count = min(clusters, len(np.unique(places, axis=0)))
    with threadpool_limits(limits=1):
        fitted = KMeans(count, n_init=STARTS, random_state=seed).fit(places)
    centroids: Float64 = fitted.cluster_centers_
    return centroids


def _nearest(centroids: Float64, places: Float64) -> Int64:
    return np.array([distances(centroids, place).argmin() for place in places], dtype=np.int64)
