"""Patch vectors of a few positions over all images, read when asked for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from adharness import FeatureSet, check_finite
from adharness.arrays import Float64, Int64

BLOCK_VALUES = 2 * 1024 * 1024  # 16 MiB of float64: near the cache, and freed memory is reused
CHUNK_VALUES = 16 * 1024 * 1024  # 64 MiB of float32 read at once


def stripes(positions: int, values: int) -> Iterator[slice]:
    """Slices of positions of which each holds `values` numbers, together one block."""
    step = max(1, BLOCK_VALUES // values)
    for start in range(0, positions, step):
        yield slice(start, min(start + step, positions))


def chunks(
    features: FeatureSet, stripe: slice, dims: Int64, *, size: int | None = None
) -> Iterator[Float64]:
    """Patch vectors (S, n, d) of a stripe, of at most `size` images at a time, in order.

    Parameters
    ----------
    stripe
        Positions `row * w + column`, neighbours on the disk.
    dims : (d,) int64
        The features kept.
    size
        Images a chunk; None for as many as fit 64 MiB.

    Raises
    ------
    ContractError
        Where a feature is not finite, with its image.
    """
    height, width = features.grid
    positions = np.arange(stripe.start, stripe.stop)
    step = size or max(1, CHUNK_VALUES // (len(positions) * features.dim))
    for first in range(0, features.count, step):
        images = np.arange(first, min(first + step, features.count))
        flat = images[:, None] * (height * width) + positions
        rows = features.rows(flat.ravel()).reshape(len(images), len(positions), features.dim)
        check_finite(rows, name="patch features", first_image=first)
        yield rows[..., dims].swapaxes(0, 1).astype(np.float64, order="C")
