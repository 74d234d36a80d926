"""Reads what compares classes from a run's folder: scores, nearest rows and views."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from adharness.report.cross_class import (
    ONE_MODEL_A_CLASS,
    CrossRate,
    NeighbourShares,
    cells_of,
    classes_of,
    neighbour_shares,
)
from adharness.report.cross_class_view import cross_tables, neighbour_tables
from adharness.report.drawings import Across
from adharness.report.leaderboard import Leaderboard
from adharness.report.reading import ImageScores
from adharness.report.scatter import scatters, unseen
from adharness.report.view import by_label
from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord


def across_classes(
    folder: Path,
    board: Leaderboard,
    rates: Sequence[CrossRate],
    scores_of: Callable[[CellRecord], ImageScores | None],
) -> Across:
    """Everything on the page that compares classes; empty where a run has nothing to compare.

    `scores_of` gives the image scores of a cell.

    Raises
    ------
    StoreError
        If a stored file is not what its record says.
    """
    found = [RunFolder(folder).view(identity) for identity in board.run.views]
    views = [view for view in found if view is not None]
    return Across(
        cross=by_label(cross_tables(board, rates)),
        neighbours=by_label(neighbour_tables(board, _shares(folder, board, scores_of))),
        scatters=scatters(views),
        unseen=tuple(unseen(views)),
    )


def _shares(
    folder: Path, board: Leaderboard, read: Callable[[CellRecord], ImageScores | None]
) -> list[NeighbourShares]:
    """Read the nearest rows of every merged bank: one a scoring, however many cells share it."""
    merged: dict[str, CellRecord] = {}
    for cell in cells_of(board):
        if cell.protocol != ONE_MODEL_A_CLASS and len(cell.scorings) == 1 and cell.facts:
            merged.setdefault(f"{cell.method} {cell.scorings[0]}", cell)
    found: list[NeighbourShares] = []
    for cell in merged.values():
        scores, store = read(cell), RunFolder(folder)
        if scores is None or store.scoring(cell.scorings[0]) is None:
            continue
        arrays = store.scoring_arrays(cell.scorings[0], "scores.npz")
        if "neighbours" in arrays:
            classes = classes_of(board, cell)
            samples = arrays["samples"].tolist()
            found += neighbour_shares(cell, scores, samples, arrays["neighbours"], classes)
    return found
