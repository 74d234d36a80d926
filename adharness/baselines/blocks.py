"""Means of blocks of pixels, exact whatever the order in which they are added."""

from __future__ import annotations

import numpy as np

from adharness.arrays import AnyArray, Float64, Int64


def block_starts(length: int, block_px: int) -> Int64:
    """Give where blocks of so many pixels begin, (n,); the last may be shorter."""
    return np.arange(0, length, block_px, dtype=np.int64)


def even_starts(length: int, count: int) -> Int64:
    """Give where `count` blocks begin that differ by a pixel at most; one a pixel if too short."""
    count = min(count, length)
    return np.arange(count, dtype=np.int64) * length // count


def block_means(images: AnyArray, rows: Int64, columns: Int64) -> Float64:
    """Average the colours of each block.

    Parameters
    ----------
    images : (N, H, W, C)
        Whole numbers from 0 to 255, of any type; N may be 0.
    rows : (h,) int64
    columns : (w,) int64
        Where blocks begin, ascending from 0; each ends where the next begins.

    Returns
    -------
    (N, h, w, C) float64
        Sums are of whole numbers and so exact: an image alone gives the same as in a batch.

    Examples
    --------
    >>> block_means(np.arange(6).reshape(1, 2, 3, 1), np.array([0]), np.array([0, 2]))[0, 0, :, 0]
    array([2. , 3.5])
    """
    height, width = images.shape[1:3]
    sums = np.add.reduceat(images, rows, axis=1, dtype=np.float64)
    sums = np.add.reduceat(sums, columns, axis=2)
    sides = np.diff(rows, append=height)[:, None, None], np.diff(columns, append=width)[:, None]
    means: Float64 = sums / (sides[0] * sides[1])
    return means
