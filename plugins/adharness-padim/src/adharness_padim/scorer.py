"""The scorer: draws the features to keep, fits a Gaussian a position, measures distances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from adharness import ContractError, FeatureGrid, Memory, Scores, check_grid, check_query
from adharness.arrays import Float32, Float64, Int64
from adharness_padim import PadimParams
from adharness_padim.gaussians import Gaussians, fit_gaussians


@dataclass(frozen=True)
class PadimScorer:
    """Distance of each patch to what its position looks like in normal images.

    References
    ----------
    Defard, Setkov, Loesch and Audigier, PaDiM: a Patch Distribution Modeling Framework for Anomaly
    Detection and Localization, ICPR 2021, equations 1 and 2.
    """

    params: PadimParams

    def fit(self, memory: Memory, rng: np.random.Generator) -> FittedPadim:
        """Draw `dims` features without replacement from `rng`, then stream the images once.

        Raises
        ------
        ContractError
            Where the memory is not a grid, `dims` is larger than D, a feature is not finite, there
            are fewer than two images, or the variance is too large for epsilon.
        """
        features = check_grid(memory, scorer="padim").features
        dims = _draw(features.dim, self.params.dims, rng)
        gaussians = fit_gaussians(features, dims, self.params.epsilon)
        return FittedPadim(features.dim, features.grid, dims, gaussians)


@dataclass(frozen=True, eq=False)
class FittedPadim:
    """A Gaussian for each position of the grid (h, w), over the features `dims` of D."""

    dim: int
    grid: tuple[int, int]
    dims: Int64
    gaussians: Gaussians

    def score(self, features: FeatureGrid) -> Scores:
        """Score patches (N, h, w) by their distance, square root taken.

        Notes
        -----
        Each image is multiplied on its own, so a score does not depend on the batch.

        Raises
        ------
        ContractError
            Where D or the grid differs from the memory's, a feature is not finite, or a distance
            is too long for float32.
        """
        values = check_query(features, self.dim)
        if values.shape[1:3] != self.grid:
            raise ContractError(
                f"patch features have the grid {values.shape[1:3]}, the memory has {self.grid}",
                hint="score images of the size that the scorer was fitted on",
            )
        scores = np.empty(values.shape[:3], dtype=np.float32)  # (N, h, w)
        for image, patches in enumerate(values):
            distances = self.gaussians.distances(self._kept(patches))
            _require_float32(distances, image)
            scores[image] = distances.reshape(self.grid)
        return Scores(patches=scores)

    def _kept(self, patches: Float32) -> Float64:
        kept = patches.reshape(-1, self.dim)[:, self.dims]
        return kept.astype(np.float64)


def _require_float32(distances: Float64, image: int) -> None:
    if distances.max() > np.finfo(np.float32).max:
        raise ContractError(
            f"a distance of image {image} is {distances.max():.3g}, too long for float32",
            hint="look at that image and at what the extractor makes of it",
        )


def _draw(available: int, wanted: int | Literal["all"], rng: np.random.Generator) -> Int64:
    """Positions of the features kept, ascending."""
    if wanted == "all":
        return np.arange(available)
    if wanted > available:
        raise ContractError(
            f"dims = {wanted} features asked of patch vectors with D = {available}",
            hint=f"set dims to at most {available}, or to all",
        )
    return np.sort(rng.choice(available, size=wanted, replace=False))
