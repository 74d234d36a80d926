"""What metrics accept, and the error that names the image where they do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike

from adharness.arrays import AnyArray, Bool, Float32, Float64
from adharness.errors import MetricError


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


def read_pairs(
    masks: Sequence[AnyArray | None], maps: Sequence[AnyArray]
) -> Iterator[tuple[Bool | None, Float32]]:
    """Read each mask and each map once, in order, checked.

    Raises
    ------
    MetricError
        If the lengths differ or are 0; on reading, if an image's mask and map do not fit.
    """
    if len(masks) != len(maps) or len(maps) == 0:
        raise MetricError(f"{len(masks)} masks for {len(maps)} maps, expected as many and >= 1")
    return (
        _read_pair(mask, maps[image], image)
        for image, mask in zip(range(len(maps)), masks, strict=True)
    )


def _read_pair(mask: AnyArray | None, scores: AnyArray, image: int) -> tuple[Bool | None, Float32]:
    read_map = _read_map(np.asarray(scores), image)
    if mask is None:
        return None, read_map
    read_mask = _read_mask(np.asarray(mask), image)
    if read_mask.shape != read_map.shape:
        raise MetricError(
            f"image {image} has a mask of shape {read_mask.shape} and a map of {read_map.shape}",
            hint="bring the map to the size of the mask, not the mask to that of the map",
        )
    return read_mask, read_map


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
