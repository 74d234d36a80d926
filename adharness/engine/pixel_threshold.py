"""The deployed pixel threshold: MVTec AD 2's rule, from the maps of held-out normals alone."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from adharness.arrays import Float32
from adharness.contracts import Threshold

DEVIATIONS = 3.0
NOTE = "mean + 3 standard deviations of all pixels of the held-out normal images"


def pixel_threshold(maps: Iterable[Float32]) -> Threshold | None:
    """Mean plus three standard deviations of every pixel of these maps together.

    Parameters
    ----------
    maps
        Of each held-out normal image (H, W) float32, on the scale that is decided on; sizes may
        differ. Read once, one at a time.

    Returns
    -------
    Threshold or None
        A pixel is anomalous above it, strictly; None if there is no map. `normals` counts images.

    Notes
    -----
    In float64, the population's deviation, joined image by image (Chan et al. 1979), so that the
    maps of a class never have to fit in memory. Equal pixels give their value. An image with more
    pixels weighs more.

    References
    ----------
    Heckler-Kram et al., The MVTec AD 2 Dataset, 2025, section 4: a threshold from the anomaly-free
    validation images.
    """
    images, count, mean, squares = 0, 0, 0.0, 0.0
    for one in maps:
        values = one.astype(np.float64)
        own = float(values.mean())
        shift, total = own - mean, count + values.size
        squares += float(np.square(values - own).sum()) + shift**2 * count * values.size / total
        mean += shift * values.size / total
        images, count = images + 1, total
    if not count:
        return None
    value = mean + DEVIATIONS * math.sqrt(squares / count)
    return Threshold(value, normals=images, anomalies=0, note=NOTE)
