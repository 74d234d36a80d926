"""What metrics accept, and the error that names the image where they do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from adharness.arrays import AnyArray, Bool, Float32, Float64
from adharness.declared import DeclaredRegions
from adharness.errors import MetricError


def read_labels(labels: ArrayLike) -> Bool:
    """Return (n,) labels 0 or 1 as bool, True = anomalous.

    Raises
    ------
    MetricError
        If there is none, they are no numbers, or one is neither 0 nor 1.
    """
    array = _numbers(labels, "the labels are")
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
        If the shape is not (count,), they are no numbers, or a score is NaN or infinite.
    """
    numbers = _numbers(scores, "the scores of the images are")
    with np.errstate(over="ignore"):  # what overflows float64 is refused below
        array = numbers.astype(np.float64)
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
        If there is none, it is no number, its shape is neither, or it is NaN.
    """
    if threshold is None:
        raise MetricError(
            "a metric at the deployed threshold is asked for and no threshold is given",
            hint="give threshold=..., or ask for a ranking metric such as image_auroc",
        )
    array = np.asarray(_numbers(threshold, "the threshold is"), np.float64)
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
        If they have no length, or the lengths differ or are 0; on reading, if an image's mask and
        map do not fit.
    """
    of_masks, of_maps = _length(masks, "masks"), _length(maps, "maps")
    if of_masks != of_maps or of_maps == 0:
        raise MetricError(f"{of_masks} masks for {of_maps} maps, expected as many and >= 1")
    return (_read_image(masks[image], maps[image], image) for image in range(of_maps))


def _length(images: Sequence[object], name: str) -> int:
    try:
        return len(images)
    except TypeError as error:  # a generator, an iterator, a 0-d array
        raise MetricError(
            f"the {name} are a {type(images).__name__}, which has no length",
            hint=f"give list({name}), or an object with __len__ and __getitem__ that loads lazily",
        ) from error


def _read_image(
    mask: AnyArray | DeclaredRegions | None, scores: AnyArray, image: int
) -> PixelImage:
    read_map = _read_map(scores, image)
    channels = np.zeros((0, *read_map.shape), np.bool_)
    saturations: list[int] = []
    if isinstance(mask, DeclaredRegions):
        channels = _read_channels(mask, read_map.shape, image)
        saturations = _read_saturations(mask, channels, image)
        read_mask: Bool | None = np.asarray(channels.any(axis=0))
    else:
        read_mask = None if mask is None else _read_mask(mask, f"the mask of image {image}")
    if read_mask is not None:
        _same_shape(read_mask, read_map.shape, f"image {image} has a mask")
        read_mask = read_mask if read_mask.any() else None
    return PixelImage(image, read_mask, read_map, channels, saturations)


def _read_channels(declared: DeclaredRegions, shape: tuple[int, ...], image: int) -> Bool:
    channels = []
    for number, one in enumerate(declared.masks):
        region = f"region {number} of image {image}"
        channel = _read_mask(one, f"the mask of {region}")
        _same_shape(channel, shape, f"{region} has a mask")
        if not channel.any():
            raise MetricError(f"{region} has no pixel", hint="leave the region out")
        channels.append(channel)
    return np.stack(channels) if channels else np.zeros((0, *shape), np.bool_)


def _read_saturations(declared: DeclaredRegions, channels: Bool, image: int) -> list[int]:
    given = _numbers(declared.saturations_px, f"the saturations of image {image} are")
    if given.shape != (len(channels),):
        raise MetricError(
            f"image {image} declares {len(channels)} regions and {given.size} saturations"
        )
    for number, (pixels, channel) in enumerate(zip(given.tolist(), channels, strict=True)):
        area = int(channel.sum())
        if not (1 <= pixels <= area and pixels == int(pixels)):
            raise MetricError(
                f"region {number} of image {image} saturates at {pixels} pixels, "
                f"expected a whole number from 1 to its area, {area}",
                hint="a saturation above the area is the area; a relative one is its share of it",
            )
    return [int(pixels) for pixels in given]


def _same_shape(mask: Bool, shape: tuple[int, ...], what: str) -> None:
    if mask.shape != shape:
        raise MetricError(
            f"{what} of shape {mask.shape} and a map of {shape}",
            hint="bring the map to the size of the mask, not the mask to that of the map",
        )


def _read_mask(mask: ArrayLike, name: str) -> Bool:
    array = _numbers(mask, f"{name} is")
    if array.dtype == np.bool_:
        return array
    wrong = (array != 0) & (array != 1)
    if wrong.any():
        raise MetricError(
            f"{name} holds values other than 0 and 1, such as {array[wrong][0]}",
            hint="give `mask > 0`",
        )
    return array.astype(np.bool_)


def _read_map(scores: ArrayLike, image: int) -> Float32:
    numbers = _numbers(scores, f"the map of image {image} is")
    if numbers.ndim != 2 or numbers.size == 0:
        raise MetricError(
            f"the map of image {image} has shape {numbers.shape}, expected (H, W)",
            hint="give one map an image, each of two axes",
        )
    with np.errstate(over="ignore"):  # what overflows float32 is refused below
        single = numbers.astype(np.float32, copy=False)
    finite = np.isfinite(single)
    if not finite.all():
        row, column = (int(place) for place in np.argwhere(~finite)[0])
        raise MetricError(
            f"the map of image {image} is {numbers[row, column]} at ({row}, {column}), "
            "which is not finite in float32"
        )
    return single


def _numbers(values: ArrayLike, what: str) -> AnyArray:
    """Read an array of real numbers; `what` is the beginning of the sentence if it is none."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise MetricError(f"{what} no array: {error}") from error
    if array.dtype.kind not in "biuf":
        raise MetricError(f"{what} of type {array.dtype}, expected real numbers")
    return array
