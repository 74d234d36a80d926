"""The vectors that a Gaussian is fitted on and asked about, whatever kind of memory holds them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from adharness import (
    ContractError,
    FeatureGrid,
    Grid,
    Memory,
    check_finite,
    check_query,
    check_rows,
)
from adharness.arrays import Float32, Float64

BLOCK_VALUES = 4 * 1024 * 1024  # 32 MiB of float64

Subject: TypeAlias = Literal["patches", "means", "embeddings"]


@dataclass(frozen=True, eq=False)
class Vectors:
    """Training vectors (M, D), given anew in blocks for every pass.

    Parameters
    ----------
    source
        Rows (M, D), or a grid whose patches are read, and checked, in every pass.
    subject
        `patches`, one vector an image's `embeddings`, or the `means` of an image's patches.
    count, dim
        M and D.
    """

    source: Grid | Float32 | Float64
    subject: Subject
    count: int
    dim: int

    def blocks(self) -> Iterator[Float64]:
        """All vectors in order, (m, D) float64 at a time.

        Raises
        ------
        ContractError
            Where a feature is not finite, with its image.
        """
        if isinstance(self.source, Grid):
            for patches in _images(self.source):
                yield patches.reshape(-1, self.dim).astype(np.float64)
            return
        step = max(1, BLOCK_VALUES // self.dim)
        for start in range(0, self.count, step):
            yield self.source[start : start + step].astype(np.float64)


def vectors_of(memory: Memory, level: Literal["patch", "image"] | None) -> Vectors:
    """Vectors of a memory at a level; by default images where it holds images, else patches.

    The means of the images of a grid are taken here, so that they are read once and not in every
    pass; patches are never held at once.

    Raises
    ------
    ContractError
        Where the memory cannot give that level, is empty or holds a value that is not finite.
    """
    if isinstance(memory, Grid):
        return _of_grid(memory, level)
    found = "image" if memory.kind == "images" else "patch"
    if level not in (None, found):
        raise ContractError(
            f"mahalanobis was asked for level `{level}`, and the bank emitted `{memory.kind}`",
            hint=f"choose level: {found}, or a bank that emits `grid`",
        )
    rows = check_rows(memory, scorer="mahalanobis")
    return Vectors(rows, "embeddings" if found == "image" else "patches", *rows.shape)


def _of_grid(memory: Grid, level: Literal["patch", "image"] | None) -> Vectors:
    features = memory.features
    if not features.count:
        raise ContractError("the memory has no images", hint="give the bank some training images")
    if level == "image":
        means = [_mean(image) for patches in _images(memory) for image in patches]
        return Vectors(np.concatenate(means), "means", features.count, features.dim)
    positions = features.grid[0] * features.grid[1]
    return Vectors(memory, "patches", features.count * positions, features.dim)


def queries(features: FeatureGrid, subject: Subject, dim: int) -> Iterator[Float64]:
    """Vectors to score, (h * w, D) or (1, D) float64, an image at a time.

    Raises
    ------
    ContractError
        Where D differs from the memory's or a feature is not finite.
    """
    level: Literal["images", "patches"] = "images" if subject == "embeddings" else "patches"
    for image in check_query(features, dim, level=level):
        yield _mean(image) if subject == "means" else image.reshape(-1, dim).astype(np.float64)


def _images(grid: Grid) -> Iterator[Float32]:
    """Patch vectors (n, h, w, D) of a few images at a time, sure to be finite."""
    features = grid.features
    first = 0
    size = max(1, min(32, BLOCK_VALUES // (features.grid[0] * features.grid[1] * features.dim)))
    for batch in features.batches(size):
        check_finite(batch.patches, name="patch features", first_image=first)
        first += len(batch.patches)
        yield batch.patches


def _mean(image: Float32) -> Float64:
    """Mean (1, D) of the patch vectors (h, w, D) of one image."""
    mean: Float64 = image.mean(axis=(0, 1), dtype=np.float64)[None]
    return mean
