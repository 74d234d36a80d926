"""From patch scores to an anomaly map on the native image. Part of the referee: not pluggable.

Patch scores (h, w) are brought to the extractor's input size, smoothed there, and brought to the
native size. Bilinear interpolation with pixel centres aligned (`align_corners=False`), so a patch's
score lands where the patch was seen.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from adharness.arrays import Float32, require_shape


def resize_map(scores: Float32, size: tuple[int, int]) -> Float32:
    """Bilinear resize of (h, w) float32 to (H, W), pixel centres aligned, edges extended."""
    require_shape(scores, (None, None), name="patch scores")
    if scores.shape == size:
        return scores
    picture = Image.fromarray(np.ascontiguousarray(scores, dtype=np.float32))
    height, width = size
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR), dtype=np.float32)


def draw_map(
    patch_scores: Float32,
    *,
    input_size: tuple[int, int],
    native_size: tuple[int, int],
    smooth_px: float,
) -> Float32:
    """Anomaly map of one image, (H, W) float32, higher = more anomalous.

    Parameters
    ----------
    patch_scores : (h, w) float32
    input_size, native_size
        (height, width) in pixels.
    smooth_px
        Standard deviation of the Gaussian, in pixels of the extractor's input; 0 for none.

    References
    ----------
    Roth et al. 2022, section 3.3: up-scaled bilinearly and smoothed with a Gaussian of width 4.
    """
    at_input = resize_map(patch_scores, input_size)
    if smooth_px > 0:
        from scipy.ndimage import gaussian_filter

        at_input = gaussian_filter(at_input, sigma=smooth_px, mode="nearest").astype(np.float32)
    return resize_map(at_input, native_size)
