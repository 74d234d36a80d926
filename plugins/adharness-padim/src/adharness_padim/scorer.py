"""The scorer: draws the features to keep, fits a Gaussian a position, measures distances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from adharness import ContractError, Memory, check_grid
from adharness.arrays import AnyArray, Int64
from adharness_padim import PadimParams
from adharness_padim.fitted import FittedPadim
from adharness_padim.gaussians import fit_gaussians
from adharness_padim.states import restored


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
        return FittedPadim(features.dim, features.grid, dims, gaussians, self.params.epsilon)

    def restore(self, state: Mapping[str, AnyArray]) -> FittedPadim:
        """Take up stored Gaussians, as they are and uncopied.

        Raises
        ------
        ContractError
            Where an array is missing, not known, of another type or shape or not finite, or `dims`
            or `epsilon` is another than the params say.
        """
        return restored(state, self.params)


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
