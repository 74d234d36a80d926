"""Order statistics of the pixels of many maps, exact, in two readings and little memory.

A float32 is brought to a whole number of 32 bits of the same order. The first reading counts the
upper 16 bits, the second the lower 16 bits of those pixels whose upper bits are the wanted ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from adharness.arrays import Float32, Float64

Reading: TypeAlias = Callable[[], Iterable[Float32]]
"""Starts to read the maps from the first one."""
Keys: TypeAlias = npt.NDArray[np.uint32]

_HALF = np.uint32(16)
_BINS = 2**16
_SOME = float(np.nextafter(0, 1))
_SIGN = np.uint32(0x8000_0000)


def pixel_median(read: Reading) -> float:
    """Median of all pixels; of an even number the mean of the two in the middle.

    Parameters
    ----------
    read
        Gives the maps, at least one pixel, as often as it is called.
    """
    count = sum(one.size for one in read())
    low, high = (rank_of(read, rank) for rank in ((count + 1) // 2, count // 2 + 1))
    return low / 2 + high / 2


def rank_of(read: Reading, rank: int) -> float:
    """Give the `rank`-th smallest pixel, 1 for the smallest."""
    return _selected(read, lambda _: 1.0, float(rank))


def lowest_covering(read: Reading, share: Fraction) -> float:
    """Smallest pixel value at or below which lies, on average over maps, this share of a map.

    Every map weighs the same whatever its size.

    Parameters
    ----------
    share
        Of the pixels of a map, summed over the maps: 25/2 for half of each of 25 maps.
    """
    largest = max(one.size for one in read())
    # In pixels of the largest map: whole numbers, and so exact, where all have one size.
    return _selected(read, lambda one: largest / one.size, float(share * largest))


def _selected(read: Reading, weight: Callable[[Float32], float], wanted: float) -> float:
    """Smallest pixel value with at least this weight at or below it; the largest if none has."""
    upper = _weights((_keys(one) >> _HALF, weight(one)) for one in read())
    top, below = _first_reaching(upper, wanted)
    lower = _weights((_low_bits(_keys(one), top), weight(one)) for one in read())
    bottom, _ = _first_reaching(lower, wanted - below)
    return _value(np.uint32(top * _BINS + bottom))


def _weights(parts: Iterable[tuple[Keys, float]]) -> Float64:
    total = np.zeros(_BINS, dtype=np.float64)
    for bins, weight in parts:
        total += weight * np.bincount(bins, minlength=_BINS)
    return total


def _first_reaching(weights: Float64, wanted: float) -> tuple[int, float]:
    """Give the first bin in use at which the sum reaches what is wanted, and the sum before it."""
    sums = np.cumsum(weights)
    last = int(np.flatnonzero(weights)[-1])
    place = min(int(np.searchsorted(sums, max(wanted, _SOME))), last)
    return place, float(sums[place] - weights[place])


def _low_bits(keys: Keys, top: int) -> Keys:
    chosen: Keys = keys[(keys >> _HALF) == top] & np.uint32(_BINS - 1)
    return chosen


def _keys(one: Float32) -> Keys:
    """Whole numbers (n,) in the order of the pixels; -0 and 0 are one value."""
    bits = (np.ascontiguousarray(one, dtype=np.float32).ravel() + np.float32(0)).view(np.uint32)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _value(key: np.uint32) -> float:
    bits = key ^ _SIGN if key & _SIGN else ~key
    return float(np.array([bits], dtype=np.uint32).view(np.float32)[0])
