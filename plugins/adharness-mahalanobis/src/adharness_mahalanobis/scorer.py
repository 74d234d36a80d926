"""The scorer: one Gaussian, factorised once, distances by forward substitution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cholesky, solve_triangular

from adharness import ContractError, FeatureGrid, Memory, Scores, check_query, check_rows
from adharness.arrays import Float64
from adharness_mahalanobis import MahalanobisParams
from adharness_mahalanobis.moments import Moments, measure


@dataclass(frozen=True)
class MahalanobisScorer:
    """Distance to the mean of all rows of a memory, measured in its own standard deviations.

    On a bag the scores are a patch's, from one Gaussian of all patches; on image embeddings an
    image's. A constant feature is harmless with shrinkage and an error without.

    References
    ----------
    Rippel, Mertens and Merhof, Modeling the Distribution of Normal Data in Pre-Trained Deep
    Features for Anomaly Detection, ICPR 2021, equation 1.
    """

    params: MahalanobisParams

    def fit(self, memory: Memory, rng: np.random.Generator) -> FittedMahalanobis:  # noqa: ARG002
        """Estimate the mean and the covariance in float64; nothing is drawn from `rng`.

        Raises
        ------
        ContractError
            Where the memory is a grid, is empty or not finite, or its covariance is singular.
        """
        moments = measure(check_rows(memory, scorer="mahalanobis"))
        factor = _factorise(moments, self._share(moments))
        return FittedMahalanobis(memory.kind == "images", moments.mean, factor)

    def _share(self, moments: Moments) -> float:
        if self.params.shrinkage == "ledoit-wolf":
            return moments.ledoit_wolf()
        return 0.0 if self.params.shrinkage == "none" else float(self.params.shrinkage)


@dataclass(frozen=True, eq=False)
class FittedMahalanobis:
    """A Gaussian: its mean (D,) and the lower Cholesky factor (D, D) of its covariance."""

    on_images: bool
    mean: Float64
    factor: Float64

    def score(self, features: FeatureGrid) -> Scores:
        """Score patches (N, h, w), or images (N,) where the memory held embeddings.

        Notes
        -----
        Each image is solved for on its own, so a score does not depend on the batch.

        Raises
        ------
        ContractError
            Where D differs from the memory's or a feature is not finite.
        """
        values = check_query(
            features, len(self.mean), level="images" if self.on_images else "patches"
        )
        scores = np.empty(values.shape[:-1], dtype=np.float32)  # (N, h, w) or (N,)
        for image, vectors in enumerate(values):
            centred = vectors.reshape(-1, len(self.mean)) - self.mean
            white = solve_triangular(self.factor, centred.T, lower=True, check_finite=False)
            scores[image] = np.linalg.norm(white, axis=0).reshape(scores.shape[1:])
        return Scores(images=scores) if self.on_images else Scores(patches=scores)


def _factorise(moments: Moments, share: float) -> Float64:
    """Lower Cholesky factor of the shrunk covariance, refused where it is singular."""
    covariance = moments.shrunk(share)
    try:
        factor = cholesky(covariance, lower=True)
    except LinAlgError:
        raise _singular(moments, share) from None
    # Rounding lets some singular matrices through: then a pivot is only noise.
    pivots = np.diag(factor) ** 2
    if pivots.min() <= len(pivots) * np.finfo(np.float64).eps * np.diag(covariance).max():
        raise _singular(moments, share)
    return np.asarray(factor, dtype=np.float64)


def _singular(moments: Moments, share: float) -> ContractError:
    return ContractError(
        f"the covariance of {moments.count} row(s) with D = {len(moments.mean)} is singular "
        f"(shrinkage {share:g})",
        hint="set shrinkage: ledoit-wolf, or a number above 0; rows that are all equal have no "
        "covariance at all",
    )
