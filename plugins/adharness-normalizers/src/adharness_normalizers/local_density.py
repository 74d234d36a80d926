"""Scores relative to what is usual for normal images nearby."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adharness import Calibration, DataError, FittedNormalizer, ImageContext
from adharness.arrays import Float64, Int64
from adharness_normalizers import LocalDensityParams
from adharness_normalizers.normals import (
    MORE,
    Normals,
    distances,
    each_image,
    normals_of,
    place_of,
)

NAME = "local-density"


class LocalDensityNormalizer:
    """Divides a score by what is usual around the image's neighbours among calibration normals.

    With N(x) the k calibration images whose embeddings are nearest to that of x, the neighbours of
    a calibration image j not counting itself:

        score(x) / mean over j in N(x) of ( mean over i in N(j) of self(i) )

    where `self(i)` is the score of the calibration image i, that is how far a normal image of that
    kind lies from the bank that does not hold it; or, of distances, the distance from j to i.

    References
    ----------
    Breunig et al., LOF: Identifying Density-Based Local Outliers, SIGMOD 2000: a density relative
    to that of the neighbours. Here the score takes the place of the query's own distance.
    """

    def __init__(self, params: LocalDensityParams) -> None:
        self.params = params

    def fit(self, calibration: Calibration) -> FittedNormalizer:
        """Learn from the normal images of a calibration set.

        Raises
        ------
        ContractError
            Embeddings are not given.
        DataError
            A number is not finite; there are not more images than neighbours; a score is negative,
            so that ratios mean nothing; or all around an image is 0.
        """
        k = self.params.neighbours
        normals = normals_of(calibration, NAME, at_least=k + 1)
        if normals.scores[0] < 0:
            raise DataError(
                f"{NAME} divides scores, and a calibration score is {normals.scores[0]:g}",
                hint="regressed and zscore-routed take scores of any sign",
            )
        places = normals.places(NAME)
        usual = _usual(normals, places, k, of_scores=self.params.of == "scores")
        if usual.min() <= 0:
            what = f"{self.params.of} around a calibration image are all 0"
            raise DataError(f"the {what}, so nothing can be divided by them", hint=MORE)
        return _Ratio(places, usual, k)


def _usual(normals: Normals, places: Float64, k: int, *, of_scores: bool) -> Float64:
    """Mean of the k neighbours' scores, or of the distances to them, of each image (n,)."""
    usual = np.empty(len(places))
    for j, place in enumerate(places):
        away = distances(places, place)
        away[j] = np.inf
        near = _nearest(away, k)
        usual[j] = (normals.scores if of_scores else away)[near].mean()
    return usual


def _nearest(away: Float64, k: int) -> Int64:
    """Positions of the k smallest distances; of equal ones the first."""
    return np.argsort(away, kind="stable")[:k].astype(np.int64)


@dataclass(frozen=True, eq=False)
class _Ratio:
    places: Float64
    usual: Float64
    k: int

    def apply(self, values: Float64, context: ImageContext) -> Float64:
        """Divide image scores (n,), or maps (n, H, W), each by what is usual around its image.

        Raises ContractError where the embeddings are not given for these n images.
        """
        return each_image(values, context, self._relative)

    def _relative(self, one: Float64, context: ImageContext) -> Float64:
        away = distances(self.places, place_of(context, NAME, self.places.shape[1]))
        relative: Float64 = one / self.usual[_nearest(away, self.k)].mean()
        return relative
