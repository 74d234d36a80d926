"""Curves of a page, each written once however many figures draw it."""

from __future__ import annotations

from adharness.arrays import Float64
from adharness.report.curves import written

NOTHING = -1
"""The place of a curve that does not exist."""


class Shelf:
    """Takes curves in, and gives each its place in one list.

    A normalizer that keeps the order of scores keeps the curves of a class, and protocols that
    share a model share them too: most curves of a run are there several times.
    """

    def __init__(self) -> None:
        self._places: dict[tuple[int, ...], int] = {}

    def place(self, curve: Float64) -> int:
        """Give the place of a curve (K, 2) from 0 to 1; `NOTHING` of an empty one."""
        if not len(curve):
            return NOTHING
        return self._places.setdefault(tuple(written(curve)), len(self._places))

    @property
    def curves(self) -> list[list[int]]:
        """All curves as `written`, by place."""
        return [list(numbers) for numbers in self._places]
