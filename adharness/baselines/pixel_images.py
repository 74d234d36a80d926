"""The extractor that extracts nothing: images as they are, for models trained end to end."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field, PositiveInt, model_validator

from adharness.arrays import UInt8
from adharness.baselines.blocks import block_means, even_starts
from adharness.contracts import FeatureGrid, Params, Preprocess, check_images

THUMBNAIL = 8
"""Blocks a side of the thumbnail that stands for an image as a whole."""


def _square(value: Any) -> Any:
    """One number stands for a square, so that 256 and [256, 256] are one cell."""
    return (value, value) if isinstance(value, int) else value


class PixelImagesParams(Params):
    """Parameters of the extractor `pixels`."""

    resize: Annotated[tuple[PositiveInt, PositiveInt], BeforeValidator(_square)] = Field(
        (256, 256), description="size in pixels to scale to: one number, or [height, width]"
    )
    crop: Annotated[tuple[PositiveInt, PositiveInt] | None, BeforeValidator(_square)] = Field(
        None,
        description="centre crop after the resize: one number, [height, width], or none; what it "
        "cuts off is never seen, so defects there are missed",
    )
    interpolation: Literal["nearest", "bilinear", "bicubic"] = Field(
        "bilinear", description="how images are scaled; bilinear and bicubic are antialiased"
    )

    @model_validator(mode="after")
    def _crop_inside(self) -> Self:
        if self.crop and (self.crop[0] > self.resize[0] or self.crop[1] > self.resize[1]):
            raise ValueError(f"crop {list(self.crop)} is larger than resize {list(self.resize)}")
        return self


class PixelImages:
    """Each pixel is a patch of its own, D = 3: red, green and blue, whole numbers from 0 to 255.

    The image embedding is a thumbnail: the colours of 8 x 8 blocks, E = 192, rounded to whole
    numbers, halves to even. It is what `routed` and normalizers that read embeddings tell images
    apart by; it knows colours and their rough place, no texture.
    """

    def __init__(self, params: PixelImagesParams) -> None:
        self.params = params

    @property
    def preprocess(self) -> Preprocess:
        """A resize, and the centre crop if one is asked for."""
        height, width = self.params.resize
        return Preprocess(height, width, self.params.interpolation, self.params.crop)

    def fingerprint(self) -> str:
        """Hash the definition's version: no weights, and all else is in the params."""
        return hashlib.sha256(b"pixels/1").hexdigest()

    def extract(self, images: UInt8) -> FeatureGrid:
        """Give the images as they are, and their thumbnails.

        Parameters
        ----------
        images : (N, H, W, 3) uint8
            RGB of the size in `preprocess`; N may be 0.

        Returns
        -------
        FeatureGrid
            `patches` (N, H, W, 3) float32 and `embeddings` (N, 192) float32; fewer where the
            images have fewer than 8 pixels along a side.

        Raises
        ------
        ContractError
            If the images have another size or type.
        """
        height, width = self.preprocess.input_size
        check_images(images, (height, width))
        rows, columns = even_starts(height, THUMBNAIL), even_starts(width, THUMBNAIL)
        thumbnails = np.rint(block_means(images, rows, columns)).astype(np.float32)
        flat = thumbnails.reshape(len(images), len(rows) * len(columns) * 3)
        return FeatureGrid(patches=images.astype(np.float32), embeddings=flat)
