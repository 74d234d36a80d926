"""An extractor that learnt nothing: the colours of each patch, exact to the last bit."""

from __future__ import annotations

import hashlib
from typing import Self

import numpy as np
from pydantic import Field, model_validator

from adharness.arrays import Float32, UInt8
from adharness.contracts import FeatureGrid, Params, Preprocess, check_images


class PixelPatchesParams(Params):
    """Parameters of `pixel-patches`. `patch_px` divides `resize`."""

    resize: int = Field(256, gt=0, le=4096, description="height and width of the input, pixels")
    patch_px: int = Field(16, gt=0, le=256, description="side of a square patch, pixels")

    @model_validator(mode="after")
    def _whole_patches(self) -> Self:
        if self.resize % self.patch_px:
            raise ValueError(f"patch_px {self.patch_px} does not divide resize {self.resize}")
        return self


class PixelPatches:
    """Mean and standard deviation of red, green and blue in each patch: D = 6, values in [0, 1].

    The image embedding is the mean of its patches, E = 6.
    """

    def __init__(self, params: PixelPatchesParams) -> None:
        self.params = params

    @property
    def preprocess(self) -> Preprocess:
        """A resize to a square; the aspect ratio is not kept."""
        return Preprocess(self.params.resize, self.params.resize)

    def fingerprint(self) -> str:
        """Hash the definition's version: no weights, and all else is in the params."""
        return hashlib.sha256(b"pixel-patches/1").hexdigest()

    def extract(self, images: UInt8) -> FeatureGrid:
        """Colour statistics of a batch.

        Parameters
        ----------
        images : (N, resize, resize, 3) uint8
            RGB; N may be 0.

        Returns
        -------
        FeatureGrid
            `patches` (N, resize / patch_px, resize / patch_px, 6) and `embeddings` (N, 6).

        Raises
        ------
        ContractError
            If the images have another size or type.
        """
        size = self.params.resize
        check_images(images, (size, size))
        patches = _colour_statistics(images, self.params.patch_px)
        # One image at a time: the order of a floating sum must not depend on the batch.
        means = [each.reshape(-1, 6).mean(axis=0, dtype=np.float64) for each in patches]
        embeddings = np.array(means, dtype=np.float32).reshape(-1, 6)
        return FeatureGrid(patches=patches, embeddings=embeddings)


def _colour_statistics(images: UInt8, patch_px: int) -> Float32:
    """Mean and deviation of each patch, (N, h, w, 6) float32 in [0, 1].

    Sums are of integers, so that they are exact in any order and no batch size shows.
    """
    count, height, width, _ = images.shape
    rows, columns = height // patch_px, width // patch_px
    shape = (count, rows, patch_px, columns, patch_px, 3)
    blocks = images.reshape(shape).astype(np.uint16)  # 255 * 255 still fits
    pixels = patch_px * patch_px
    total = blocks.sum(axis=(2, 4), dtype=np.int64)  # (N, h, w, 3)
    squares = (blocks * blocks).sum(axis=(2, 4), dtype=np.int64)
    mean = total / (255.0 * pixels)
    deviation = np.sqrt(pixels * squares - total * total) / (255.0 * pixels)
    return np.concatenate([mean, deviation], axis=-1).astype(np.float32)
