"""From patch scores to an anomaly map on the native image. Part of the referee: not pluggable.

Patch scores (h, w) are brought to the extractor's input size, smoothed there, and brought to the
native size. Interpolation has pixel centres aligned (`align_corners=False`), so a patch's score
lands where the patch was seen; the last step is always bilinear.

Where the extractor's input was cropped, what it never saw gets the lowest score of the image: to
repeat the scores at the edge would invent anomalies. Defects out there count as missed. Where an
image was padded to keep its shape, the map is cut to where the image was.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from PIL import Image

from adharness.arrays import Float32, require_shape
from adharness.contracts.preprocess import Margins, padding

Upsample: TypeAlias = Literal["bilinear", "nearest", "bicubic"]


def resize_map(scores: Float32, size: tuple[int, int], upsample: Upsample = "bilinear") -> Float32:
    """Resize of (h, w) float32 to (H, W), pixel centres aligned, edges extended."""
    require_shape(scores, (None, None), name="patch scores")
    if scores.shape == size:
        return scores
    picture = Image.fromarray(np.ascontiguousarray(scores, dtype=np.float32))
    height, width = size
    method = Image.Resampling[upsample.upper()]
    return np.asarray(picture.resize((width, height), method), dtype=np.float32)


def draw_map(  # noqa: PLR0913 - one argument a step from patch to pixel
    patch_scores: Float32,
    *,
    input_size: tuple[int, int],
    native_size: tuple[int, int],
    smooth_px: float,
    upsample: Upsample = "bilinear",
    margins: Margins = (0, 0, 0, 0),
    pad: bool = False,
) -> Float32:
    """Anomaly map of one image, (H, W) float32, higher = more anomalous.

    Parameters
    ----------
    patch_scores : (h, w) float32
    input_size, native_size
        (height, width) in pixels: of what the patches cover, all tiles together, and of the image.
    smooth_px
        Standard deviation of the Gaussian, in pixels of the extractor's input; 0 for none.
    upsample
        How patch scores are brought to the input size.
    margins
        Pixels of the input's scale that were cropped off: top, bottom, left and right.
    pad
        Whether the image had kept its shape, and was padded to the size.

    References
    ----------
    Roth et al. 2022, section 3.3: up-scaled bilinearly and smoothed with a Gaussian of width 4.
    Defard et al. 2021 take bicubic, anomalib 2.7 nearest.
    """
    at_input = input_map(
        patch_scores, input_size=input_size, smooth_px=smooth_px, upsample=upsample
    )
    whole = _uncropped(at_input, margins)
    return resize_map(_unpadded(whole, native_size) if pad else whole, native_size)


def input_map(
    patch_scores: Float32, *, input_size: tuple[int, int], smooth_px: float, upsample: Upsample
) -> Float32:
    """Anomaly map at the size of the extractor's input; as `draw_map` before its last step."""
    at_input = resize_map(patch_scores, input_size, upsample)
    if smooth_px > 0:
        from scipy.ndimage import gaussian_filter

        at_input = gaussian_filter(at_input, sigma=smooth_px, mode="nearest").astype(np.float32)
    return at_input


def _uncropped(at_input: Float32, margins: Margins) -> Float32:
    if not any(margins):
        return at_input
    top, bottom, left, right = margins
    return np.pad(at_input, ((top, bottom), (left, right)), constant_values=float(at_input.min()))


def _unpadded(whole: Float32, native_size: tuple[int, int]) -> Float32:
    height, width = whole.shape
    top, bottom, left, right = padding(native_size, (height, width))
    return whole[top : height - bottom, left : width - right]
