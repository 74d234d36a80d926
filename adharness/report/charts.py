"""Reads what the figures of the page draw from a run's folder."""

from __future__ import annotations

from pathlib import Path

from adharness.report.costs import told_circumstances
from adharness.report.curve_figures import by_protocol, image_curves
from adharness.report.drawings import Charts
from adharness.report.histograms import score_histograms
from adharness.report.leaderboard import Leaderboard
from adharness.report.pareto import cost_figures
from adharness.report.pixel_figures import pixel_curves, ranks_pixels
from adharness.report.reading import ImageScores, read_curves, read_scores
from adharness.report.shelf import Shelf
from adharness.store.records import CellRecord


def charts_of(folder: Path, board: Leaderboard) -> Charts:
    """Make the figures of a run.

    Raises
    ------
    StoreError
        If a stored file is not what its record says.
    """

    def scores_of(cell: CellRecord) -> ImageScores | None:
        return read_scores(folder, cell)

    shelf = Shelf()
    curves = by_protocol(board, image_curves(board, scores_of, shelf))
    pixels = by_protocol(board, pixel_curves(board, lambda cell: read_curves(folder, cell), shelf))
    histograms = by_protocol(board, score_histograms(board, scores_of))
    return Charts(
        image_curves=curves,
        pixel_curves=pixels,
        curves_missing=ranks_pixels(board) and not pixels,
        histograms=histograms,
        costs=by_protocol(board, cost_figures(board)),
        measured=told_circumstances(board),
        shelf=shelf.curves,
    )
