"""How far apart two arrays of one meaning are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from adharness.arrays import AnyArray

TOLERANCE = 1e-5
"""Largest relative difference that counts as agreement; docs/determinism.md says relative to what.
"""


DERIVED = ("bootstrap replicates", "curves", "metrics of single images")
"""Kinds that count ranks of the pixels of one image or of one resample, and so jump further."""
LOOSER = 100
"""How many times the tolerance such numbers may be off."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """What was found in one pair of arrays.

    Parameters
    ----------
    count
        Numbers that were compared.
    identical
        Those that are equal to the last bit; a NaN is identical to a NaN.
    unlike
        Those of which one side alone is undefined, infinite or missing: no difference can be told.
    absolute, relative
        The largest of the others, as it is and divided by the scale of the pair.
    """

    count: int
    identical: int
    unlike: int
    absolute: float
    relative: float

    def within(self, tolerance: float) -> bool:
        """Whether every number agrees."""
        return not self.unlike and self.relative <= tolerance


def deviation(first: AnyArray, second: AnyArray, *, floor: float = 0.0) -> Deviation:
    """Compare two arrays number by number.

    Parameters
    ----------
    first, second
        Of any shape and type; where shapes differ, or kinds of type, nothing is alike. Texts are
        alike or not.
    floor
        The scale is the largest absolute finite value of the first, and at least this.

    Notes
    -----
    A scale of zero, where all of `first` is zero, is that of the second. Empty arrays agree.
    """
    if first.shape != second.shape or _texts(first) != _texts(second):
        size = max(first.size, second.size)
        return Deviation(size, 0, size, 0.0, 0.0)
    if _texts(first):
        same = int(np.count_nonzero(first == second))
        return Deviation(first.size, same, first.size - same, 0.0, 0.0)
    return _numbers(first, second, floor)


def _numbers(first: AnyArray, second: AnyArray, floor: float) -> Deviation:
    mine, theirs = (np.asarray(a, dtype=np.float64).ravel() for a in (first, second))
    alike = (mine.view(np.int64) == theirs.view(np.int64)) | (np.isnan(mine) & np.isnan(theirs))
    known = np.isfinite(mine) & np.isfinite(theirs)
    apart = np.abs(mine[known & ~alike] - theirs[known & ~alike])
    largest = float(apart.max(initial=0.0))
    scale = max(_largest(mine), floor) or _largest(theirs)
    identical = int(np.count_nonzero(alike))
    unlike = int(np.count_nonzero(~known & ~alike))
    return Deviation(mine.size, identical, unlike, largest, largest / scale if largest else 0.0)


def _largest(values: AnyArray) -> float:
    return float(np.abs(values[np.isfinite(values)]).max(initial=0.0))


def _texts(array: AnyArray) -> bool:
    return array.dtype.kind in "USO"


@dataclass
class Kind:
    """All numbers of one kind, such as image scores; `where` is the worst of them."""

    name: str
    count: int = 0
    identical: int = 0
    unlike: int = 0
    absolute: float = 0.0
    relative: float = 0.0
    where: str = ""
    _worst: tuple[int, float] = field(default=(0, 0.0), repr=False)

    def add(self, found: Deviation, where: str) -> None:
        """Count one pair of arrays."""
        self.count += found.count
        self.identical += found.identical
        self.unlike += found.unlike
        self.absolute = max(self.absolute, found.absolute)
        self.relative = max(self.relative, found.relative)
        rank = (found.unlike, found.relative)
        if rank > self._worst:
            self._worst, self.where = rank, where

    def within(self, tolerance: float) -> bool:
        """Whether every number of the kind agrees; derived ones may be `LOOSER` times as far."""
        allowed = tolerance * LOOSER if self.name in DERIVED else tolerance
        return not self.unlike and self.relative <= allowed

    def document(self) -> dict[str, Any]:
        """Give it as JSON values."""
        names = ("name", "count", "identical", "unlike", "absolute", "relative", "where")
        return {name: getattr(self, name) for name in names}
