"""A fitted scorer: distances of patches to the Gaussians of their positions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from adharness import ContractError, FeatureGrid, Scores, check_query
from adharness.arrays import AnyArray, Float32, Float64, Int64
from adharness_padim.gaussians import Gaussians
from adharness_padim.inverses import Gram


@dataclass(frozen=True, eq=False)
class FittedPadim:
    """A Gaussian for each position of the grid (h, w), over the features `dims` of D."""

    dim: int
    grid: tuple[int, int]
    dims: Int64
    gaussians: Gaussians
    epsilon: float

    def state(self) -> Mapping[str, AnyArray]:
        """Give the Gaussians, uncopied, and the features they are over."""
        inverse = self.gaussians.inverse
        form = (
            {"gram": inverse.basis} if isinstance(inverse, Gram) else {"triangles": inverse.packed}
        )
        return {
            "shape": np.array([*self.grid, self.dim], dtype=np.int64),
            "epsilon": np.array([self.epsilon]),
            "dims": self.dims,
            "mean": self.gaussians.mean,
            **form,
        }

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
    if not distances.max() <= np.finfo(np.float32).max:  # NaN, from a state out of bounds, too
        raise ContractError(
            f"a distance of image {image} is {distances.max():.3g}, too long for float32",
            hint="look at that image and at what the extractor makes of it",
        )
