"""The largest region that a good image may show: the rule of MVTec AD."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from adharness import DataError, Threshold
from adharness.arrays import Float32
from adharness_thresholds.maps import require_maps

EIGHT = np.ones((3, 3), dtype=bool)


@dataclass(frozen=True)
class RegionArea:
    """The smallest pixel threshold that leaves no region of `min_area_px` on a normal map.

    With t rising, the set of pixels above t shrinks, and so does its largest 8-connected region:
    there is a smallest t at which no map of a held-out normal image has a region of `min_area_px`
    pixels or more above t. It is the value of a pixel.

    Notes
    -----
    Where pixels are equal they rise above t together, so the largest region can fall by more than
    one pixel at t. Exact: found by bisection over the distinct values of each map that breaks the
    threshold of the maps before it. Areas are counted on maps of native size.

    References
    ----------
    Bergmann et al., MVTec AD, CVPR 2019, section 4.2: the threshold is raised on validation images
    until the area of the largest anomalous region is just below a minimum area, declared for each
    category by its user.
    """

    min_area_px: int

    def pixel_threshold(self, maps: Sequence[Float32]) -> Threshold:
        """Choose from the maps of held-out normal images.

        Raises
        ------
        DataError
            If there is no map, a pixel is not finite, or a map has fewer than `min_area_px`
            pixels, so that any threshold would do.
        """
        value = -np.inf
        for one in require_maps(maps):
            if one.size < self.min_area_px:
                height, width = one.shape
                raise DataError(
                    f"a map of {height} x {width} pixels has no region of {self.min_area_px}",
                    hint="lower min_area_px",
                )
            if largest_region(one, value) >= self.min_area_px:
                value = self._smallest(one)
        return Threshold(value, len(maps), 0, self._note(len(maps)))

    def _smallest(self, one: Float32) -> float:
        values = np.unique(one)
        low, high = -1, len(values) - 1  # at the highest value nothing is above
        while high - low > 1:
            middle = (low + high) // 2
            if largest_region(one, float(values[middle])) >= self.min_area_px:
                low = middle
            else:
                high = middle
        return float(values[high])

    def _note(self, count: int) -> str:
        return f"no region of {self.min_area_px} px or more on the maps of {count} normal images"


def largest_region(one: Float32, threshold: float) -> int:
    """Count the pixels of the largest 8-connected region strictly above the threshold; 0 if none.

    Parameters
    ----------
    one : (H, W) float32
    """
    labels, regions = ndimage.label(one > np.float64(threshold), structure=EIGHT)
    return int(np.bincount(labels.ravel())[1:].max()) if regions else 0
