"""Mean and deviation of the pixels of many maps, read one map at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from adharness.arrays import Float32


class PixelMoments(NamedTuple):
    """How many images there were, and the mean and the standard deviation of all their pixels."""

    images: int
    mean: float
    deviation: float


def pixel_moments(maps: Iterable[Float32]) -> PixelMoments:
    """Measure every pixel of these maps together.

    Parameters
    ----------
    maps
        (H, W) float32 each; sizes may differ. Read once, one at a time.

    Returns
    -------
    PixelMoments
        The population's deviation, in float64. Without a map (0, 0.0, 0.0).

    Notes
    -----
    Joined image by image (Chan et al. 1979), so that the maps of a class never have to fit in
    memory. An image with more pixels weighs more.
    """
    images, count, mean, squares = 0, 0, 0.0, 0.0
    for one in maps:
        values = one.astype(np.float64)
        own = float(values.mean())
        shift, total = own - mean, count + values.size
        squares += float(np.square(values - own).sum()) + shift**2 * count * values.size / total
        mean += shift * values.size / total
        images, count = images + 1, total
    return PixelMoments(images, mean, math.sqrt(squares / count) if count else 0.0)
