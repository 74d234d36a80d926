"""No normalization: what a deployed unified model does unless someone takes care."""

from __future__ import annotations

from dataclasses import dataclass

from adharness import Calibration, FittedNormalizer, ImageContext
from adharness.arrays import Float64


class RawNormalizer:
    """Learns nothing and changes nothing."""

    def fit(self, calibration: Calibration) -> FittedNormalizer:  # noqa: ARG002  # nothing to learn
        """Return the identity."""
        return _Identity()


@dataclass(frozen=True)
class _Identity:
    def apply(self, values: Float64, context: ImageContext) -> Float64:  # noqa: ARG002  # any image
        """Return `values` itself."""
        return values
