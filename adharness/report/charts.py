"""Reads what the figures of the page draw from a run's folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from adharness.report.curve_figures import by_protocol, image_curves
from adharness.report.drawings import Charts, CostFigure
from adharness.report.histograms import score_histograms
from adharness.report.leaderboard import Leaderboard
from adharness.report.pareto import cost_figures
from adharness.report.pixel_figures import pixel_curves, ranks_pixels
from adharness.report.reading import ImageScores, read_curves
from adharness.report.shelf import Shelf
from adharness.store.records import CellRecord


def charts_of(
    folder: Path, board: Leaderboard, scores_of: Callable[[CellRecord], ImageScores | None]
) -> Charts:
    """Make the figures of what methods said of images; `scores_of` gives a cell's image scores.

    Raises
    ------
    StoreError
        If a stored file is not what its record says.
    """
    shelf = Shelf()
    curves = by_protocol(board, image_curves(board, scores_of, shelf))
    pixels = by_protocol(board, pixel_curves(board, lambda cell: read_curves(folder, cell), shelf))
    histograms = by_protocol(board, score_histograms(board, scores_of))
    return Charts(
        image_curves=curves,
        pixel_curves=pixels,
        curves_missing=ranks_pixels(board) and not pixels,
        histograms=histograms,
        shelf=shelf.curves,
    )


def cost_charts(board: Leaderboard) -> tuple[tuple[str, tuple[CostFigure, ...]], ...]:
    """Draw quality against cost: of all methods, for any of them may be on the front."""
    return by_protocol(board, cost_figures(board))
