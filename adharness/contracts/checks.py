"""What scorers and extractors must refuse, in one place: the same mistake gives the same words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np

from adharness.arrays import AnyArray, Float32, UInt8, require_finite, require_shape
from adharness.contracts.memories import Bag, Grid, Images, Memory, MemoryKind, Pixels
from adharness.contracts.records import FeatureGrid
from adharness.errors import ContractError

Level: TypeAlias = Literal["patches", "images"]
COLOURS = 3
"""Red, green and blue."""


def check_images(images: UInt8, size: tuple[int, int]) -> None:
    """Raise unless these are images that an extractor asked for.

    Parameters
    ----------
    images : (N, H, W, 3) uint8
        What `Extractor.extract` was given; N may be 0.
    size
        (height, width) in pixels: `preprocess.input_size`.

    Raises
    ------
    ContractError
        Where they have another size, number of colours or type.
    """
    require_shape(images, (None, *size, COLOURS), name="images")
    if images.dtype != np.uint8:
        raise ContractError(f"images are of type {images.dtype}, expected uint8")


def check_query(features: FeatureGrid, dim: int, *, level: Level = "patches") -> Float32:
    """Give the vectors to score, once they are sure to fit the memory.

    Parameters
    ----------
    features
        What `FittedScorer.score` was given; never changed.
    dim
        Length of the memory's vectors.
    level
        `patches` asks for the patch vectors, `images` for the image embeddings.

    Returns
    -------
    (N, h, w, D) or (N, E) float32
        C-contiguous and native; the same memory where the input already is.

    Raises
    ------
    ContractError
        Where there are no embeddings to score, where D differs from `dim`, or where a value is not
        finite; the last names the image by its position in the batch.
    """
    values = features.patches if level == "patches" else features.embeddings
    if values is None:
        raise ContractError(
            "the features have no image embeddings, and the memory holds embeddings",
            hint="choose an extractor that gives embeddings, or a bank that emits `bag`",
        )
    name = "patch features" if level == "patches" else "image embeddings"
    require_shape(values, (None,) * (4 if level == "patches" else 2), name=name)
    if values.shape[-1] != dim:
        raise ContractError(
            f"{name} have D = {values.shape[-1]}, the memory has D = {dim}",
            hint="score with the extractor that the scorer was fitted on",
        )
    check_finite(values, name=name)
    return np.ascontiguousarray(values, dtype=np.float32)


def check_finite(values: AnyArray, *, name: str, first_image: int = 0) -> None:
    """Raise unless all values (N, ...) are finite, naming the first image that has another.

    Parameters
    ----------
    first_image
        Position of `values[0]` in the whole set, where `values` is one batch of many.

    Raises
    ------
    ContractError
        With the image's position and how many of its values are not finite.
    """
    finite = np.isfinite(values)
    if finite.all():
        return
    image = int(np.argmin(finite.reshape(len(values), -1).all(axis=1)))
    count = int((~finite[image]).sum())
    raise ContractError(
        f"{name} of image {first_image + image} hold {count} value(s) that are not finite",
        hint="look at that image and at what the extractor makes of it",
    )


def check_rows(
    memory: Memory, *, scorer: str, kinds: Sequence[MemoryKind] = ("bag", "images")
) -> Float32:
    """Give the vectors (M, D) of a bag or of image embeddings, M >= 1 and all finite.

    Raises
    ------
    ContractError
        Where the memory is of another kind than `kinds`, is empty, or holds a value not finite.
    """
    if not isinstance(memory, (Bag, Images)) or memory.kind not in kinds:
        raise _wrong_kind(memory, scorer, kinds)
    rows = memory.rows
    require_shape(rows, (None, None), name="memory rows")
    if not len(rows):
        raise ContractError("the memory has no rows", hint="give the bank some training images")
    require_finite(rows, name="memory rows")
    return np.ascontiguousarray(rows, dtype=np.float32)


def check_grid(memory: Memory, *, scorer: str) -> Grid:
    """Give the memory back where it is a grid.

    Raises
    ------
    ContractError
        Where it is a bag or image embeddings.
    """
    if not isinstance(memory, Grid):
        raise _wrong_kind(memory, scorer, ("grid",))
    return memory


def check_pixels(memory: Memory, *, scorer: str) -> Pixels:
    """Give the memory back where it is training images, at least one of them.

    Raises
    ------
    ContractError
        Where it is of another kind, holds no image, or its images have no three colours.
    """
    if not isinstance(memory, Pixels):
        raise _wrong_kind(memory, scorer, ("pixels",))
    if not memory.features.count:
        raise ContractError("the memory has no images", hint="give the bank some training images")
    if memory.features.dim != COLOURS:
        raise ContractError(
            f"the memory's images have {memory.features.dim} colours, expected {COLOURS}",
            hint="choose an extractor that gives pixels, such as `pixels`",
        )
    return memory


def check_pixel_query(features: FeatureGrid, size: tuple[int, int]) -> Float32:
    """Give the images to score, once they are sure to be of the size of the training images.

    Parameters
    ----------
    features
        What `FittedScorer.score` was given; never changed.
    size
        (height, width) in pixels of the training images: `memory.features.grid`.

    Returns
    -------
    (N, H, W, 3) float32
        C-contiguous and native; the same memory where the input already is.

    Raises
    ------
    ContractError
        Where the images have another size, no three colours, or a value that is not finite.
    """
    images = check_query(features, COLOURS)
    require_shape(images, (None, *size, COLOURS), name="images to score")
    return images


def _wrong_kind(memory: Memory, scorer: str, kinds: Sequence[MemoryKind]) -> ContractError:
    wanted = " or ".join(f"`{kind}`" for kind in kinds)
    return ContractError(
        f"{scorer} fits on {wanted}, and the bank emitted `{memory.kind}`",
        hint=f"choose a bank that emits {wanted}",
    )
