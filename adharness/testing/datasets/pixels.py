"""What a data set gives of an image and of its mask: clause D3 of docs/contracts.md."""

from __future__ import annotations

from unittest import SkipTest

import numpy as np

from adharness.arrays import AnyArray
from adharness.contracts import DeclaredRegions
from adharness.testing.check import Check, require
from adharness.testing.datasets.subject import DatasetSubject


def check_gives_colour_images(subject: DatasetSubject) -> None:
    """An image is (H, W, 3) uint8, H and W at least 1."""
    for sample in subject.some:
        image = subject.dataset.image(sample)
        described = f"{sample.path} is {image.shape} {image.dtype}, expected (H, W, 3) uint8"
        fits = image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8
        require(fits and image.size > 0, described)


def check_masks_fit_their_images(subject: DatasetSubject) -> None:
    """A mask, and each declared region, is (H, W) of its image's size, a mask of bool."""
    for sample in subject.some:
        size = subject.dataset.image(sample).shape[:2]
        mask = subject.dataset.mask(sample)
        if isinstance(mask, DeclaredRegions):
            _require_regions(mask, size, sample.path)
        elif mask is not None:
            described = f"the mask of {sample.path} is {mask.shape} {mask.dtype}"
            fits = mask.shape == size and mask.dtype == np.bool_
            require(fits, f"{described}, expected {size} bool")


def _require_regions(declared: DeclaredRegions, size: tuple[int, ...], path: str) -> None:
    regions: list[AnyArray] = [np.asarray(one) for one in declared.masks]
    saturations = list(declared.saturations_px)
    paired = len(regions) == len(saturations)
    require(paired, f"{path} declares {len(regions)} regions and {len(saturations)} saturations")
    for region, saturation in zip(regions, saturations, strict=True):
        require(region.shape == size, f"a region of {path} is {region.shape}, expected {size}")
        area = int((region != 0).sum())
        fits = 1 <= saturation <= area
        require(fits, f"a region of {path} has {area} pixels, and saturates at {saturation}")


def check_has_the_masks_it_promises(subject: DatasetSubject) -> None:
    """There is a mask exactly where `Sample.has_mask` says so."""
    for sample in subject.some:
        there = subject.dataset.mask(sample) is not None
        said = f"`has_mask` of {sample.path} is {sample.has_mask}, and "
        require(there == sample.has_mask, said + ("there is one" if there else "there is none"))


def check_marks_defects_only(subject: DatasetSubject) -> None:
    """A mask marks some pixel of an anomalous image, and none of a normal one."""
    masked = [sample for sample in subject.some if sample.has_mask]
    if not masked:
        raise SkipTest("no sample that was read has a mask")
    for sample in masked:
        mask = subject.dataset.mask(sample)
        whole = np.asarray(mask.masks if isinstance(mask, DeclaredRegions) else mask)
        marked, kind = bool(whole.any()), "anomalous" if sample.label else "normal"
        says = "marks a pixel" if marked else "marks nothing"
        require(marked == bool(sample.label), f"the mask of {sample.path}, {kind}, {says}")


PIXEL_CHECKS: tuple[Check[DatasetSubject], ...] = (
    Check("D3", check_gives_colour_images),
    Check("D3", check_masks_fit_their_images),
    Check("D3", check_has_the_masks_it_promises),
    Check("D3", check_marks_defects_only),
)
