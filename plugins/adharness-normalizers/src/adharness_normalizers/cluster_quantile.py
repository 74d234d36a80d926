"""The share of normal images of an image's cluster that score below it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adharness import Calibration, FittedNormalizer
from adharness.arrays import Float64
from adharness_normalizers import ClusterQuantileParams
from adharness_normalizers.clusters import by_cluster
from adharness_normalizers.normals import normals_of, require_spread

NAME = "cluster-quantile"


class ClusterQuantileNormalizer:
    """Learns the empirical distribution of each cluster's normal scores."""

    def __init__(self, params: ClusterQuantileParams) -> None:
        self.params = params

    def fit(self, calibration: Calibration) -> FittedNormalizer:
        """Learn from the normal images of a calibration set.

        Raises
        ------
        ContractError
            Embeddings are not given.
        DataError
            A number is not finite, there are too few images, or a cluster's scores are all equal.
        """
        normals = normals_of(calibration, NAME, at_least=2)
        grouping = by_cluster(normals, NAME, self.params)
        return grouping.fit(normals.scores, Quantiles.learn, at_least=2)


@dataclass(frozen=True, eq=False)
class Quantiles:
    """A piecewise linear rise through the distinct calibration scores, without end.

    Parameters
    ----------
    scores : (m,) float64
        Distinct calibration scores of the group, ascending.
    heights : (m,) float64
        The mean rank of each, 1 to n, over n + 1: in (0, 1), ascending.

    Notes
    -----
    Between two scores the height is interpolated. Outside the calibration scores the rise goes on
    as steeply as it is on average within: `(heights[-1] - heights[0]) / (scores[-1] - scores[0])`.
    What lies above all calibration scores is thus ranked by its distance in units of their range,
    and heights above 1 or below 0 are no shares.
    """

    scores: Float64
    heights: Float64

    @classmethod
    def learn(cls, scores: Float64, of: str) -> Quantiles:
        """Learn from scores (n,); raises DataError where all are equal."""
        distinct, counts = np.unique(require_spread(scores, of), return_counts=True)
        ranks = np.cumsum(counts) - (counts - 1) / 2
        return cls(distinct, ranks / (len(scores) + 1))

    def rescale(self, values: Float64) -> Float64:
        """Give the heights of values of any shape."""
        low, high = self.scores[0], self.scores[-1]
        steepness = (self.heights[-1] - self.heights[0]) / (high - low)
        beyond = np.maximum(values - high, 0) + np.minimum(values - low, 0)
        inside: Float64 = np.interp(values, self.scores, self.heights)
        height: Float64 = inside + steepness * beyond
        return height
