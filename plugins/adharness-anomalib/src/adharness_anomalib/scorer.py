"""The scorer: builds a model of anomalib for the size of the images, and trains it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from adharness import Memory, check_pixels
from adharness.arrays import AnyArray
from adharness_anomalib import AnomalibParams
from adharness_anomalib.fitted import FittedAnomalib
from adharness_anomalib.states import put_back
from adharness_anomalib.surroundings import undisturbed
from adharness_anomalib.weights import Weights


@dataclass(frozen=True)
class AnomalibScorer:
    """Any one-class image model of anomalib.

    References
    ----------
    Akcay et al., Anomalib: A Deep Learning Library for Anomaly Detection, ICIP 2022.
    """

    params: AnomalibParams

    def fit(self, memory: Memory, rng: np.random.Generator) -> FittedAnomalib:
        """Train on the images of the memory; one seed drawn from `rng` decides all that is random.

        Raises
        ------
        ContractError
            Where the memory holds no images, or anomalib fails on them.
        SuiteError, PluginError, DataError
            Where the model cannot be made: see `building.build`.
        """
        features = check_pixels(memory, scorer="anomalib").features
        seed = int(rng.integers(2**32))
        with undisturbed(seed):
            from adharness_anomalib.training import train

            module = self._built(features.grid, self.params.weights)
            train(module, features, self.params, seed=seed)
            return FittedAnomalib(self.params.model, self._ready(module), features.grid)

    def restore(self, state: Mapping[str, AnyArray]) -> FittedAnomalib:
        """Take up the stored tensors; no weights are read for it, so nothing is downloaded.

        Raises
        ------
        ContractError
            Where an array is missing, not known, or of another type or shape.
        """
        with undisturbed(seed=0):
            name = self.params.model
            module, size = put_back(
                state, lambda size: self._built(size, "none"), title=f"anomalib's {name}"
            )
            return FittedAnomalib(name, self._ready(module), size)

    def _built(self, size: tuple[int, int], weights: Weights) -> Any:
        from adharness_anomalib.building import build  # anomalib is imported here

        return build(self.params, size, weights)

    def _ready(self, module: Any) -> Any:
        from adharness_anomalib.training import device

        return module.to(device(self.params)).eval()
