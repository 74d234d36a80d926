"""What one class's threshold, or one for all, does to the good images of another class.

For a bank the identical shortcut is no copying network: it is a threshold that fits one class and
floods or blinds another, and a patch whose nearest row belongs to another class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from adharness.arrays import Int64
from adharness.report.leaderboard import Leaderboard
from adharness.report.reading import ImageScores
from adharness.store.records import CellRecord, ThresholdRecord

ONE_MODEL_A_CLASS = "per-class"
"""Its models never see another class's images, so there is nothing to cross."""


@dataclass(frozen=True, slots=True)
class CrossRate:
    """How many normal test images of a class lie above a threshold.

    Parameters
    ----------
    threshold_of
        The class whose threshold it is; None for the one of all.
    class_name
        The class of the images.
    """

    cell: CellRecord
    threshold_of: str | None
    class_name: str
    alarms: int
    normals: int

    @property
    def rate(self) -> float | None:
        """False-positive rate; None without a normal test image."""
        return self.alarms / self.normals if self.normals else None

    @property
    def crosses(self) -> bool:
        """Whether the threshold was chosen without this class, or for more than it."""
        return self.threshold_of != self.class_name


@dataclass(frozen=True, slots=True)
class NeighbourShares:
    """Where a merged bank's nearest rows lie for the test images of a class and label.

    Parameters
    ----------
    shares : (C,)
        Of all patches of these images, by class of the row, in the data set's order.
    """

    cell: CellRecord
    class_name: str
    label: int
    images: int
    shares: tuple[float, ...]


def cells_of(board: Leaderboard) -> list[CellRecord]:
    """Give the cells of the data sets that a board shows, each once, in its order."""
    shown = {data.name for data in board.run.datasets}
    cells = {entry.cell.id: entry.cell for entry in board.rows}.values()
    return [cell for cell in cells if cell.dataset in shown]


def classes_of(board: Leaderboard, cell: CellRecord) -> list[str]:
    """Give the classes of a cell's data set, in its order."""
    return next(data.classes for data in board.run.datasets if data.name == cell.dataset)


def cross_rates(
    board: Leaderboard, read: Callable[[CellRecord], ImageScores | None]
) -> list[CrossRate]:
    """Count false positives of each class at each threshold of the cells that share a model.

    Notes
    -----
    Test images only: a bank has seen its training images, and their scores say nothing. Under
    model-unified every class keeps its own normalizer and only the threshold is another class's.
    An image is flagged strictly above the threshold.
    """
    found: list[CrossRate] = []
    for cell in cells_of(board):
        scores = None if cell.protocol == ONE_MODEL_A_CLASS else read(cell)
        if scores is not None:
            for threshold in cell.thresholds:
                found.extend(_at(cell, threshold, scores, classes_of(board, cell)))
    return found


def _at(
    cell: CellRecord, threshold: ThresholdRecord, scores: ImageScores, classes: Sequence[str]
) -> Iterator[CrossRate]:
    for name in classes:
        values = scores.scores[(scores.classes == name) & (scores.labels == 0)]
        alarms = int((values > threshold.value).sum())
        yield CrossRate(cell, threshold.class_name, name, alarms, len(values))


def neighbour_shares(
    cell: CellRecord,
    scores: ImageScores,
    samples: Sequence[str],
    neighbours: Int64,
    classes: Sequence[str],
) -> list[NeighbourShares]:
    """Share of nearest rows by class, for the test images of each class and label.

    Parameters
    ----------
    samples, neighbours : (m,) and (m, C)
        Of every image that was scored, held-out ones too: how many patches are nearest to a row
        of each class. Images that are not among the test images of `scores` do not count.
    """
    row = {sample: i for i, sample in enumerate(samples)}
    rows = np.array([row.get(str(sample), -1) for sample in scores.samples], dtype=np.int64)
    found = []
    for name in classes:
        for label in (0, 1):
            chosen = rows[(scores.classes == name) & (scores.labels == label) & (rows >= 0)]
            counts = neighbours[chosen].sum(axis=0)
            if counts.sum():
                shares = tuple(float(share) for share in counts / counts.sum())
                found.append(NeighbourShares(cell, name, label, len(chosen), shares))
    return found
