"""The scorer: draws the features to keep, fits a Gaussian a position, measures distances."""

from __future__ import annotations

from dataclasses import dataclass

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
        """Draw `dims` features without replacement from `rng`, then stream the images twice.

        Raises
        ------
        ContractError
            Where the memory is not a grid, `dims` is larger than D, a feature is not finite, or
            there are fewer than two images.
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
            Where D or the grid differs from the memory's, or a feature is not finite.
        """
        values = check_query(features, self.dim)
        if values.shape[1:3] != self.grid:
            raise ContractError(
                f"patch features have the grid {values.shape[1:3]}, the memory has {self.grid}",
                hint="score images of the size that the scorer was fitted on",
            )
        scores = np.empty(values.shape[:3], dtype=np.float32)  # (N, h, w)
        for image, patches in enumerate(values):
            scores[image] = self.gaussians.distances(self._kept(patches)).reshape(self.grid)
        return Scores(patches=scores)

    def _kept(self, patches: Float32) -> Float64:
        kept = patches.reshape(-1, self.dim)[:, self.dims]
        return kept.astype(np.float64)


def _draw(available: int, wanted: int | None, rng: np.random.Generator) -> Int64:
    """Positions of the features kept, ascending."""
    if wanted is None:
        return np.arange(available)
    if wanted > available:
        raise ContractError(
            f"dims = {wanted} features asked of patch vectors with D = {available}",
            hint=f"set dims to at most {available}, or to null for all",
        )
    return np.sort(rng.choice(available, size=wanted, replace=False))
