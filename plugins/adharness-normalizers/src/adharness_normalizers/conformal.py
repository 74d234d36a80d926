"""Conformal p-values, as surprise: minus the logarithm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adharness import Calibration, DataError, FittedNormalizer
from adharness.arrays import Float64
from adharness_normalizers import ConformalParams
from adharness_normalizers.clusters import by_cluster
from adharness_normalizers.groups import Grouping, by_told_class, pooled
from adharness_normalizers.normals import MORE, Normals, normals_of, require_spread

NAME = "conformal"


class ConformalNormalizer:
    """Learns the sorted normal scores of each group."""

    def __init__(self, params: ConformalParams) -> None:
        self.params = params

    def fit(self, calibration: Calibration) -> FittedNormalizer:
        """Learn from the normal images of a calibration set.

        Raises
        ------
        ContractError
            Classes or embeddings are needed and not given.
        DataError
            A number is not finite, there are too few images, or more than half of a group's scores
            equal its highest.
        """
        normals = normals_of(calibration, NAME, at_least=2)

        def learn(scores: Float64, of: str) -> Surprise:
            return Surprise.learn(scores, of, exponential=self.params.tail == "exponential")

        return self._grouping(normals).fit(normals.scores, learn, at_least=2)

    def _grouping(self, normals: Normals) -> Grouping:
        if self.params.per == "class":
            return by_told_class(normals, NAME)
        if self.params.per == "cluster":
            return by_cluster(normals, NAME, self.params)
        return pooled(normals)


@dataclass(frozen=True, eq=False)
class Surprise:
    """Minus the logarithm of the conformal p-value, ties broken by the score.

    With n calibration scores `p(s) = (1 + #{calibration scores >= s}) / (n + 1)`, which takes
    n + 1 values at most. This gives exactly `-log p(s)` at each calibration score, and in between
    interpolates on a line, so that it rises strictly and `exp(-surprise) >= p(s)` everywhere: cut
    at 1, `exp(-surprise)` is itself a valid p-value, a little conservative.

    Parameters
    ----------
    scores : (m,) float64
        Distinct calibration scores of the group, ascending.
    surprises : (m,) float64
        `-log p` of each; 0 for the lowest.
    highest
        `log(n + 1)`, of the smallest p-value there is.
    excess
        Mean excess of the scores above their median: the unit of what lies outside.
    exponential
        How ties above all calibration scores are broken, where p is 1 / (n + 1) throughout and
        t = (s - scores[-1]) / excess. False: by t / (1 + t), of the way to `highest`, which is
        never passed. True: `surprises[-1] + t`, the tail of an exponential distribution with that
        mean excess: an extrapolation, and beyond `highest` no p-value.

    References
    ----------
    Bates et al., Testing for outliers with conformal p-values, Annals of Statistics 2023,
    equation 2.
    """

    scores: Float64
    surprises: Float64
    highest: float
    excess: float
    exponential: bool

    @classmethod
    def learn(cls, scores: Float64, of: str, *, exponential: bool) -> Surprise:
        """Learn from scores (n,); raises DataError where they have no excess over their median."""
        distinct, first = np.unique(require_spread(np.sort(scores), of), return_index=True)
        above = scores[scores > np.median(scores)]
        if not len(above):
            fact = f"more than half of the calibration scores of {of} are {scores.max():g}"
            raise DataError(fact + ", the highest, so their tail has no scale", hint=MORE)
        p_values = (1 + len(scores) - first) / (len(scores) + 1)
        return cls(
            distinct,
            -np.log(p_values),
            float(np.log(len(scores) + 1)),
            float(above.mean() - np.median(scores)),
            exponential,
        )

    def rescale(self, values: Float64) -> Float64:
        """Give the surprise at values of any shape; below all calibration scores negative."""
        above = np.maximum(values - self.scores[-1], 0) / self.excess
        below = np.minimum(values - self.scores[0], 0) / self.excess
        room = self.highest - self.surprises[-1]
        tail = above if self.exponential else room * (above / (1 + above))
        inside: Float64 = np.interp(values, self.scores, self.surprises)
        surprise: Float64 = inside + tail + below
        return surprise
