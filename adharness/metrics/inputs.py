"""What metrics accept, and the error that names the image where they do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from adharness.arrays import AnyArray, Bool, Float32, Float64
from adharness.errors import MetricError
from adharness.metrics.declared import DeclaredRegions


def read_labels(labels: ArrayLike) -> Bool:
    """Return (n,) labels 0 or 1 as bool, True = anomalous.

    Raises
    ------
    MetricError
        If there is none, or one is neither 0 nor 1.
    """
    array = np.asarray(labels)
    if array.ndim != 1 or array.size == 0:
        raise MetricError(f"labels have shape {array.shape}, expected (n,) with n >= 1")
    wrong = np.flatnonzero(~((array == 0) | (array == 1)))
    if wrong.size:
        image = int(wrong[0])
        raise MetricError(
            f"image {image} has the label {array[image]!r}", hint="0 is normal, 1 is anomalous"
        )
    return array.astype(np.bool_)


def read_scores(scores: ArrayLike, count: int) -> Float64:
    """Return the scores of `count` images as float64, which holds float32 and float64 exactly.

    Raises
    ------
    MetricError
        If the shape is not (count,), or a score is NaN or infinite.
    """
    array = _numbers(np.asarray(scores), "the scores of the images").astype(np.float64)
    if array.shape != (count,):
        raise MetricError(f"scores have shape {array.shape}, labels have ({count},)")
    wrong = np.flatnonzero(~np.isfinite(array))
    if wrong.size:
        raise MetricError(f"image {int(wrong[0])} has the score {array[wrong[0]]}")
    return array


def read_threshold(threshold: ArrayLike | None, count: int) -> Float64:
    """Return one threshold, () float64, or one an image, (count,); infinite ones are allowed.

    Raises
    ------
    MetricError
        If there is none, its shape is neither, or it is NaN.
    """
    if threshold is None:
        raise MetricError(
            "a metric at the deployed threshold is asked for and no threshold is given",
            hint="give threshold=..., or ask for a ranking metric such as image_auroc",
        )
    array = np.asarray(threshold, dtype=np.float64)
    if array.shape not in {(), (count,)}:
        raise MetricError(f"threshold has shape {array.shape}, expected () or ({count},)")
    wrong = np.flatnonzero(np.isnan(array))
    if wrong.size:
        place = f"of image {int(wrong[0])} " if array.ndim else ""
        raise MetricError(f"the threshold {place}is NaN")
    return array


@dataclass(frozen=True, slots=True, eq=False)
class PixelImage:
    """One image as the pixel and region metrics see it.

    Parameters
    ----------
    number
        Its place in the list.
    mask : (H, W) bool, optional
        None if no pixel is anomalous; else at least one is.
    scores : (H, W) float32
        Finite.
    channels : (C, H, W) bool
        The declared regions; C is 0 if there are none.
    saturations
        Of each declared region, in pixels.
    """

    number: int
    mask: Bool | None
    scores: Float32
    channels: Bool
    saturations: list[int]


def read_pixels(
    masks: Sequence[AnyArray | DeclaredRegions | None], maps: Sequence[AnyArray]
) -> Iterator[PixelImage]:
    """Read each mask and each map once, in order, checked.

    Raises
    ------
    MetricError
        If the lengths differ or are 0; on reading, if an image's mask and map do not fit.
    """
    if len(masks) != len(maps) or len(maps) == 0:
        raise MetricError(f"{len(masks)} masks for {len(maps)} maps, expected as many and >= 1")
    return (_read_image(masks[image], maps[image], image) for image in range(len(maps)))


def _read_image(
    mask: AnyArray | DeclaredRegions | None, scores: AnyArray, image: int
) -> PixelImage:
    read_map = _read_map(np.asarray(scores), image)
    channels = np.zeros((0, *read_map.shape), np.bool_)
    saturations: list[int] = []
    if isinstance(mask, DeclaredRegions):
        channels = _read_channels(mask, read_map.shape, image)
        saturations = _read_saturations(mask, channels, image)
        read_mask: Bool | None = np.asarray(channels.any(axis=0))
    else:
        read_mask = None if mask is None else _read_mask(np.asarray(mask), image)
    if read_mask is not None:
        _same_shape(read_mask, read_map.shape, f"image {image} has a mask")
        read_mask = read_mask if read_mask.any() else None
    return PixelImage(image, read_mask, read_map, channels, saturations)


def _read_channels(declared: DeclaredRegions, shape: tuple[int, ...], image: int) -> Bool:
    channels = [_read_mask(np.asarray(one), image) for one in declared.masks]
    for number, channel in enumerate(channels):
        _same_shape(channel, shape, f"region {number} of image {image} has a mask")
        if not channel.any():
            raise MetricError(
                f"region {number} of image {image} has no pixel", hint="leave the region out"
            )
    return np.stack(channels) if channels else np.zeros((0, *shape), np.bool_)


def _read_saturations(declared: DeclaredRegions, channels: Bool, image: int) -> list[int]:
    saturations = [int(pixels) for pixels in declared.saturations_px]
    if len(saturations) != len(channels):
        raise MetricError(
            f"image {image} declares {len(channels)} regions and {len(saturations)} saturations"
        )
    for number, (pixels, channel) in enumerate(zip(saturations, channels, strict=True)):
        area = int(channel.sum())
        if not 1 <= pixels <= area:
            raise MetricError(
                f"region {number} of image {image} saturates at {pixels} pixels, "
                f"expected 1 to its area, {area}",
                hint="a saturation above the area is the area",
            )
    return saturations


def _same_shape(mask: Bool, shape: tuple[int, ...], what: str) -> None:
    if mask.shape != shape:
        raise MetricError(
            f"{what} of shape {mask.shape} and a map of {shape}",
            hint="bring the map to the size of the mask, not the mask to that of the map",
        )


def _read_mask(mask: AnyArray, image: int) -> Bool:
    if mask.dtype == np.bool_:
        return mask
    if not ((mask == 0) | (mask == 1)).all():
        raise MetricError(
            f"the mask of image {image} holds values other than 0 and 1, up to {mask.max()}",
            hint="give `mask > 0`",
        )
    return mask.astype(np.bool_)


def _read_map(scores: AnyArray, image: int) -> Float32:
    if scores.ndim != 2 or scores.size == 0:
        raise MetricError(f"the map of image {image} has shape {scores.shape}, expected (H, W)")
    numbers = _numbers(scores, f"the map of image {image}")
    with np.errstate(over="ignore"):  # what overflows float32 is refused below
        single = numbers.astype(np.float32, copy=False)
    finite = np.isfinite(single)
    if not finite.all():
        row, column = (int(place) for place in np.argwhere(~finite)[0])
        raise MetricError(
            f"the map of image {image} is {scores[row, column]} at ({row}, {column}), "
            "which is not finite in float32"
        )
    return single


def _numbers(array: AnyArray, name: str) -> AnyArray:
    if array.dtype.kind not in "biuf":
        raise MetricError(f"{name} have the type {array.dtype}, expected real numbers")
    return array
