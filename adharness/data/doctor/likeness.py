"""What a picture looks like from afar: near copies look nearly the same, other pictures do not.

The usual perceptual hashes (64 or 256 signs of a cosine transform) were tried on the 2,624 cells of
ELPV and put aside: at the distance at which they still knew a noisy or lighter copy they took 1,666
pairs of different cells for copies, and on smooth pictures noise decides most of their signs. A
thumbnail of 16 x 16 costs no more to compare, knows the same copies, and took 47 pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt

import numpy as np
from PIL import Image

from adharness.arrays import Float32, UInt8

SIDE = 16
"""Pixels a side of what is kept of each image: 256 bytes."""
FLATTEST = 1.0
"""Grey levels of spread below which a thumbnail shows noise."""


def likeness(image: UInt8) -> bytes | None:
    """Grey thumbnail of a picture (H, W, 3) uint8 as 256 bytes; None where it is flat."""
    small = thumbnail(image, SIDE)
    return None if small.std() < FLATTEST else small.tobytes()


def thumbnail(image: UInt8, side: int = 64) -> UInt8:
    """Grey, averaged to (side, side) uint8, whatever the picture's proportions.

    Pillow's triangle: with boxes, a copy at half the size differs as much as another picture does.
    """
    picture = Image.fromarray(image).convert("L").resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(picture)


def residual(left: UInt8, right: UInt8) -> float:
    """Share of the contrast that is left when one thumbnail is subtracted from the other.

    Brightness and contrast are fitted first, so that a copy that was made lighter is a copy: it is
    sqrt(1 - r^2), with r the correlation. 1 where one of them is flat or r is negative.
    """
    one, other = (_normalised(grey.reshape(1, -1)) for grey in (left, right))
    return _left_over(float((one @ other.T)[0, 0]))


def near_pairs(
    left: Sequence[bytes], right: Sequence[bytes], *, most: float
) -> Iterator[tuple[int, int, float]]:
    """Pairs (position in left, position in right, residual) of at most `most`.

    Memory is bounded: blocks of 1,024 x 1,024 pairs.
    """
    least = sqrt(1 - most**2)
    for start, rows in _blocks(left):
        for begin, columns in _blocks(right):
            alike = rows @ columns.T
            for i, j in np.argwhere(alike >= least):
                yield start + int(i), begin + int(j), _left_over(float(alike[i, j]))


def _blocks(likenesses: Sequence[bytes], size: int = 1024) -> Iterator[tuple[int, Float32]]:
    for start in range(0, len(likenesses), size):
        joined = np.frombuffer(b"".join(likenesses[start : start + size]), dtype=np.uint8)
        yield start, _normalised(joined.reshape(-1, SIDE * SIDE))


def _normalised(rows: UInt8) -> Float32:
    """Rows of mean 0 and length 1, float32; a flat one stays 0."""
    centred = rows - rows.mean(axis=1, keepdims=True, dtype=np.float64)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.asarray(centred / np.maximum(lengths, 1e-9), dtype=np.float32)


def _left_over(correlation: float) -> float:
    return sqrt(max(1 - min(max(correlation, 0.0), 1.0) ** 2, 0.0))
