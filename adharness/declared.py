"""Regions that a data set declares one by one, as MVTec LOCO does with a file for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adharness.arrays import AnyArray


@dataclass(frozen=True, eq=False)
class DeclaredRegions:
    """The regions of one image, which may overlap and need not be connected.

    Where an evaluation takes a mask it takes these too; the mask is their union.

    Parameters
    ----------
    masks
        Of each region (H, W) bool, or 0 and 1, with at least one pixel.
    saturations_px
        Of each region the number of pixels, from 1 to its area, that count as finding all of
        it: a missing object need not be marked whole.

    References
    ----------
    Bergmann et al., Beyond Dents and Scratches: Logical Constraints in Unsupervised Anomaly
    Detection and Localization, IJCV 2022, section 4.1 (saturated per-region overlap).
    """

    masks: Sequence[AnyArray]
    saturations_px: Sequence[int]
