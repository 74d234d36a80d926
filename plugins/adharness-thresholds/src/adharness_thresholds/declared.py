"""A number that the suite declares: no image has a say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adharness import Calibration, Threshold
from adharness.arrays import Float32

NOTE = "declared in the suite: no image fitted it"


@dataclass(frozen=True)
class Fixed:
    """The declared number, on the scale of the normalized scores, whatever the images score."""

    value: float

    def threshold(self, calibration: Calibration) -> Threshold:  # noqa: ARG002  none has a say
        """Give the declared number."""
        return Threshold(self.value, 0, 0, NOTE)

    def pixel_threshold(self, maps: Sequence[Float32]) -> Threshold:  # noqa: ARG002
        """Give the declared number; no map is read."""
        return Threshold(self.value, 0, 0, NOTE)
