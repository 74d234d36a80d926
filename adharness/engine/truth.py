"""Labels and masks of the test images: what only the judge may see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, overload

import numpy as np

from adharness.arrays import Bool, Int64, UInt8
from adharness.contracts import DeclaredRegions
from adharness.engine.survey import JudgedImages, Survey
from adharness.errors import DataError

Ground = Bool | DeclaredRegions
"""What a data set tells of the defects of an image."""


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


@dataclass(frozen=True, eq=False)
class PackedRegions:
    """The regions that a data set declares one by one, each packed."""

    masks: tuple[PackedMask, ...]
    saturations_px: tuple[int, ...]

    @classmethod
    def of(cls, regions: DeclaredRegions) -> PackedRegions:
        """Pack the masks of the regions."""
        masks = tuple(PackedMask.of(np.asarray(one, dtype=np.bool_)) for one in regions.masks)
        return cls(masks, tuple(int(pixels) for pixels in regions.saturations_px))

    def unpack(self) -> DeclaredRegions:
        """Give the regions back."""
        return DeclaredRegions([one.unpack() for one in self.masks], self.saturations_px)


Packed = PackedMask | PackedRegions


@dataclass(frozen=True, eq=False)
class MaskReader(Sequence[Ground | None]):
    """The masks of chosen images, each unpacked when it is read and then forgotten."""

    packed: Mapping[int, Packed]
    positions: Int64

    def __len__(self) -> int:
        return len(self.positions)

    @overload
    def __getitem__(self, i: int) -> Ground | None: ...

    @overload
    def __getitem__(self, i: slice) -> Sequence[Ground | None]: ...

    def __getitem__(self, i: int | slice) -> Ground | Sequence[Ground | None] | None:
        """Give the mask of image i; None where it has none, so that all of it is normal."""
        if isinstance(i, slice):
            return [self[j] for j in range(len(self))[i]]
        mask = self.packed.get(int(self.positions[i]))
        return None if mask is None else mask.unpack()


@dataclass(frozen=True)
class Truth:
    """Masks by position, and the classes whose truth could not be read, with the reason."""

    masks: Mapping[int, Packed]
    broken: Mapping[str, DataError]
    skipped: Mapping[int, str]

    def of(self, positions: Int64) -> MaskReader:
        """Masks of these images, to be read one by one."""
        return MaskReader(self.masks, positions)

    def gap(self, survey: JudgedImages, positions: list[int]) -> str | None:
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
    masks: dict[int, Packed] = {}
    broken: dict[str, DataError] = {}
    skipped: dict[int, str] = {}
    for i in (int(i) for i in survey.portion("test")):
        sample = survey.samples[i]
        if not sample.has_mask:
            continue
        try:
            masks[i] = _packed(survey, i, sizes[i])
        except DataError as error:
            if on_error == "fail":
                broken.setdefault(sample.class_name, error)
            else:
                skipped[i] = error.message
                report(sample.path, error.message)
    return Truth(masks, broken, skipped)


def union_of(ground: Ground, path: str) -> Bool:
    """(H, W) bool: the mask itself, or every pixel of a declared region.

    Raises
    ------
    DataError
        If no region is declared, or their sizes differ; `path` names the image.
    """
    if not isinstance(ground, DeclaredRegions):
        return ground
    sizes = {np.shape(one) for one in ground.masks}
    if len(sizes) != 1:
        told = f"of {len(sizes)} sizes" if sizes else "but names none"
        raise DataError(f"{path} declares regions {told}", hint="each has the size of the image")
    every: Bool = np.stack([np.asarray(one, dtype=np.bool_) for one in ground.masks])
    return np.asarray(every.any(axis=0))


def _pack_regions(regions: DeclaredRegions, path: str) -> PackedRegions:
    """Pack the regions; a saturation that no metric could use breaks the class, not the run."""
    areas = [int(np.count_nonzero(one)) for one in regions.masks]
    saturations = list(regions.saturations_px)
    fits = [
        float(pixels).is_integer() and 1 <= pixels <= area
        for pixels, area in zip(saturations, areas, strict=False)
    ]
    if len(saturations) != len(areas) or not all(fits):
        raise DataError(
            f"{path} declares regions of {areas} px that saturate at {saturations} px",
            hint="give each region a saturation from 1 to its area",
        )
    return PackedRegions.of(regions)


def _packed(survey: Survey, i: int, size: tuple[int, int]) -> Packed:
    sample = survey.samples[i]
    ground = survey.dataset.mask(sample)
    if ground is None:
        raise DataError(f"{sample.path} is said to have a mask, but none was given")
    shape = union_of(ground, sample.path).shape
    if shape != size:
        raise DataError(
            f"the mask of {sample.path} is {shape[1]} x {shape[0]} px, "
            f"its image {size[1]} x {size[0]} px",
            hint="masks must have the size of their images: mend the file, "
            "or set `on_error: skip` in the suite to leave the image out",
        )
    if isinstance(ground, DeclaredRegions):
        return _pack_regions(ground, sample.path)
    return PackedMask.of(ground)
