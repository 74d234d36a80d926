"""The corruptions by name, with the numbers of their five severities and where they come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from adharness.arrays import UInt8
from adharness.corruptions import pixels
from adharness.corruptions.pixels import Level

SEVERITIES = 5
_IMAGENET_C = "ImageNet-C (Hendrycks and Dietterich, ICLR 2019)"
_STUDY = "severity 5 has the ranges of the per-class against unified study of three MVTec classes"


@dataclass(frozen=True, slots=True)
class Corruption:
    """One way in which test images differ from those that trained.

    Parameters
    ----------
    levels
        The numbers of each severity, the mildest first.
    apply
        Corrupts (H, W, 3) uint8 pixels; None where they are moved and no more.
    moves
        Whether pixels change their place first, so that masks must follow. The first three numbers
        of a level are then those of `placement`.
    version
        Raised whenever the code gives other pixels: it is part of an image's fingerprint.
    """

    name: str
    summary: str
    source: str
    levels: tuple[Level, ...]
    apply: Callable[[UInt8, Level, np.random.Generator], UInt8] | None
    moves: bool = False
    version: int = 1


CORRUPTIONS: Mapping[str, Corruption] = MappingProxyType(
    {
        each.name: each
        for each in (
            Corruption(
                "blur",
                "Gaussian blur; standard deviation in px at a shorter side of 224 px",
                f"{_IMAGENET_C}, gaussian_blur",
                ((1.0,), (2.0,), (3.0,), (4.0,), (6.0,)),
                pixels.blur,
            ),
            Corruption(
                "noise",
                "Gaussian noise of each pixel and channel; standard deviation, of 1",
                f"{_IMAGENET_C}, gaussian_noise",
                ((0.08,), (0.12,), (0.18,), (0.26,), (0.38,)),
                pixels.noise,
            ),
            Corruption(
                "jpeg",
                "JPEG compression; Pillow's quality",
                f"{_IMAGENET_C}, jpeg_compression",
                ((25.0,), (18.0,), (15.0,), (10.0,), (7.0,)),
                pixels.jpeg,
            ),
            Corruption(
                "brightness",
                "Overexposure; added to the value of HSV, of 1",
                f"{_IMAGENET_C}, brightness",
                ((0.1,), (0.2,), (0.3,), (0.4,), (0.5,)),
                pixels.brightness,
            ),
            Corruption(
                "contrast",
                "Low contrast; share that is left of the distance to a channel's mean",
                f"{_IMAGENET_C}, contrast",
                ((0.4,), (0.3,), (0.2,), (0.1,), (0.05,)),
                pixels.contrast,
            ),
            Corruption(
                "illumination",
                "Light that falls off across the image; least and largest share lost",
                f"our own linear gradient; {_STUDY}",
                ((0.1, 0.2), (0.2, 0.3), (0.3, 0.4), (0.35, 0.55), (0.4, 0.7)),
                pixels.illumination,
            ),
            Corruption(
                "affine",
                "The object lies otherwise; largest turn in degrees, shift and loss of scale, of 1",
                f"our own steps; {_STUDY}",
                tuple((2.0 * k, 0.02 * k, 0.02 * k) for k in range(1, SEVERITIES + 1)),
                None,
                moves=True,
            ),
            Corruption(
                "study",
                "All at once, as another camera: moved, other colours, half of the images blurred, "
                "half noisy, light that falls off; the largest of each",
                f"our own code and steps; {_STUDY}, without its hidden zoom",
                tuple(
                    (2.0 * k, 0.02 * k, 0.02 * k, 0.06 * k, 0.4 * k, 0.01 * k, 0.08 * k, 0.14 * k)
                    for k in range(1, SEVERITIES + 1)
                ),
                pixels.study,
                moves=True,
            ),
        )
    }
)


@dataclass(frozen=True, slots=True)
class Shift:
    """A corruption at one severity, from 1 (mildest) to 5; `seed` draws what is random."""

    corruption: str
    severity: int
    seed: int = 0

    @property
    def kind(self) -> Corruption:
        """The corruption itself; KeyError where there is none of that name."""
        return CORRUPTIONS[self.corruption]

    @property
    def level(self) -> Level:
        """The numbers of the severity."""
        return self.kind.levels[self.severity - 1]

    @property
    def label(self) -> str:
        """`noise-3`, as the board calls it."""
        return f"{self.corruption}-{self.severity}"

    def identity(self) -> dict[str, Any]:
        """JSON values of what can change a pixel."""
        return {
            "corruption": self.corruption,
            "severity": self.severity,
            "seed": self.seed,
            "version": self.kind.version,
        }
