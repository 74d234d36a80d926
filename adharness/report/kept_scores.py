"""Image scores that several parts of a report read: kept while there is room, then read again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields

from adharness.report.reading import ImageScores
from adharness.store.records import CellRecord

ROOM = 128_000_000
"""Bytes: all cells of a usual run, and some of a run of 10,000 cells."""


@dataclass
class KeptScores:
    """Reads the image scores of cells; the ones that were read first are given up first.

    Parameters
    ----------
    read
        Reads those of one cell.
    room
        Bytes of arrays that are kept.
    """

    read: Callable[[CellRecord], ImageScores | None]
    room: int = ROOM
    _known: dict[str, ImageScores | None] = field(default_factory=dict)
    _held: int = 0

    def __call__(self, cell: CellRecord) -> ImageScores | None:
        """Give the image scores of a cell; None where it has none."""
        if cell.id not in self._known:
            self._keep(cell.id, self.read(cell))
        return self._known[cell.id]

    def _keep(self, identity: str, scores: ImageScores | None) -> None:
        self._held += _size(scores)
        while self._known and self._held > self.room:
            self._held -= _size(self._known.pop(next(iter(self._known))))
        self._known[identity] = scores


def _size(scores: ImageScores | None) -> int:
    if scores is None:
        return 0
    return sum(getattr(scores, each.name).nbytes for each in fields(scores))
