"""Labels and masks of the test images: what only the judge may see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from adharness.arrays import Bool, UInt8
from adharness.engine.survey import Survey
from adharness.errors import DataError


@dataclass(frozen=True, eq=False)
class PackedMask:
    """A mask at one bit a pixel, so that those of a whole data set fit in memory."""

    bits: UInt8
    size: tuple[int, int]

    @classmethod
    def of(cls, mask: Bool) -> PackedMask:
        """Pack an (H, W) bool mask."""
        return cls(np.packbits(mask), (mask.shape[0], mask.shape[1]))

    def unpack(self) -> Bool:
        """Give the (H, W) bool mask back."""
        flat = np.unpackbits(self.bits, count=self.size[0] * self.size[1])
        return flat.reshape(self.size).astype(bool)


@dataclass(frozen=True)
class Truth:
    """Masks by position, and the classes whose truth could not be read, with the reason."""

    masks: Mapping[int, PackedMask]
    broken: Mapping[str, DataError]
    skipped: Mapping[int, str]

    def gap(self, survey: Survey, positions: list[int]) -> str | None:
        """Why pixel metrics are undefined over these images; None where they are defined."""
        anomalous = [i for i in positions if survey.samples[i].label == 1]
        missing = sum(i not in self.masks for i in anomalous)
        if not self.masks:
            return "the data set has no masks"
        return f"{missing} anomalous image(s) have no mask" if missing else None


def read_truth(
    survey: Survey,
    sizes: Mapping[int, tuple[int, int]],
    on_error: Literal["fail", "skip"],
    report: Callable[[str, str], None],
) -> Truth:
    """Read the masks of the test images and check them against their images' sizes.

    Parameters
    ----------
    sizes
        Native (height, width) of each image by position, as decoded during extraction.
    on_error
        `fail`: a bad mask breaks its class; `skip`: it takes its image out of the test set.
    """
    masks: dict[int, PackedMask] = {}
    broken: dict[str, DataError] = {}
    skipped: dict[int, str] = {}
    for i in (int(i) for i in survey.portion("test")):
        sample = survey.samples[i]
        if not sample.has_mask:
            continue
        try:
            masks[i] = PackedMask.of(_mask(survey, i, sizes[i]))
        except DataError as error:
            if on_error == "fail":
                broken.setdefault(sample.class_name, error)
            else:
                skipped[i] = error.message
                report(sample.path, error.message)
    return Truth(masks, broken, skipped)


def _mask(survey: Survey, i: int, size: tuple[int, int]) -> Bool:
    sample = survey.samples[i]
    mask = survey.dataset.mask(sample)
    if mask is None:
        raise DataError(f"{sample.path} is said to have a mask, but none was given")
    if mask.shape != size:
        raise DataError(
            f"the mask of {sample.path} is {mask.shape[1]} x {mask.shape[0]} px, "
            f"its image {size[1]} x {size[0]} px",
            hint="masks must have the size of their images: mend the file, "
            "or set `on_error: skip` in the suite to leave the image out",
        )
    return mask
