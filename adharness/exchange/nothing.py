"""Stand-ins for the parts that a method made elsewhere does not have: no features, no memory."""

from __future__ import annotations

import numpy as np

from adharness.contracts import FeatureGrid, FeatureSet, ImageName, Nothing, Params, Preprocess


class NoneParams(Params):
    """Parameters of `none`: it has none."""


class NoFeatures:
    """One patch of one zero for every image; none is decoded."""

    def __init__(self, params: NoneParams) -> None:
        self.params = params

    @property
    def preprocess(self) -> Preprocess:
        """One pixel."""
        return Preprocess(1, 1)

    def fingerprint(self) -> str:
        """Say that nothing can change."""
        return "none"

    def look_up(self, image: ImageName) -> FeatureGrid:  # noqa: ARG002  all are the same
        """(1, 1, 1, 1) of zero."""
        return FeatureGrid(np.zeros((1, 1, 1, 1), dtype=np.float32))


class NoBank:
    """Remembers nothing."""

    def __init__(self, params: NoneParams) -> None:
        self.params = params

    def reduce(self, features: FeatureSet, rng: np.random.Generator) -> Nothing:  # noqa: ARG002
        """Read nothing."""
        return Nothing()
