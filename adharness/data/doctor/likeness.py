"""A hash of what a picture looks like: near copies have nearly the same, other pictures do not.

The 64-bit hashes that are common for photographs cannot tell two parts of one product apart, which
lie in the same place under the same light. So there are 256 bits, of frequencies up to 16 a side,
and a pair counts only where the pictures themselves are then seen to be alike.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image
from scipy.fft import dctn

from adharness.arrays import Float32, UInt8

SIDE = 16
"""Frequencies a side: 256 bits."""
FLATTEST = 1.0
"""Grey levels of spread below which the hash would be one of noise."""


def likeness(image: UInt8) -> bytes | None:
    """256 bits of a picture (H, W, 3) uint8; None where it is flat.

    The picture is made grey and averaged down to 64 x 64; of its cosine transform the lowest
    frequencies but the mean are kept, each as whether it is above their median.

    References
    ----------
    Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010, section 3.2.1
    (the transform and the median; 64 bits there).
    """
    small = thumbnail(image).astype(np.float32)
    if small.std() < FLATTEST:
        return None
    low = dctn(small, norm="ortho")[:SIDE, :SIDE].ravel()
    low[0] = 0  # the mean says how bright it is, not what it shows
    return np.packbits(low > np.median(low)).tobytes()


def thumbnail(image: UInt8, side: int = 64) -> UInt8:
    """Grey, averaged to (side, side) uint8, whatever the picture's proportions.

    Pillow's triangle: with boxes, a copy at half the size differs as much as another picture does.
    """
    picture = Image.fromarray(image).convert("L").resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(picture)


def near_pairs(
    left: list[bytes], right: list[bytes], *, most_bits: int
) -> Iterator[tuple[int, int, int]]:
    """Pairs (position in left, position in right, bits that differ) of at most `most_bits`.

    Memory is bounded: blocks of 1,024 x 1,024 pairs.
    """
    for start, rows in _blocks(left):
        for begin, columns in _blocks(right):
            differing = (rows.shape[1] - rows @ columns.T) / 2
            for i, j in np.argwhere(differing <= most_bits):
                yield start + int(i), begin + int(j), int(differing[i, j])


def _blocks(hashes: list[bytes], size: int = 1024) -> Iterator[tuple[int, Float32]]:
    """Hashes as rows of -1 and 1, so that a matrix product counts the bits that agree."""
    for start in range(0, len(hashes), size):
        joined = np.frombuffer(b"".join(hashes[start : start + size]), dtype=np.uint8)
        bits = np.unpackbits(joined.reshape(-1, len(hashes[start])), axis=1)
        yield start, bits.astype(np.float32) * 2 - 1
