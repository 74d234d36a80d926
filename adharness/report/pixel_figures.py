"""Curves of pixels and regions as the judge stored them: the page has neither maps nor masks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from adharness.arrays import Float64
from adharness.metrics.pixel_curves import PixelCurve
from adharness.report.curve_figures import DIGITS, Group, figure_groups, note_of, scopes_of
from adharness.report.curves import area_of_lines, area_of_steps, thinned_lines, thinned_steps
from adharness.report.drawings import Figure
from adharness.report.embedded import Plain
from adharness.report.leaderboard import Leaderboard, find_value
from adharness.report.metric_names import metric_name
from adharness.report.shelf import Shelf
from adharness.store.records import CellRecord

LIMIT = 0.3
"""False-positive rate up to which overlap is integrated."""
POINTS = 60
"""Most points of a curve on the page: fewer than are stored, for smooth curves need no more."""
RANGES = ("to 30 %", "to 100 %")
_METRICS = ("region_aupro_30", "pixel_auroc", "pixel_ap")
_PANELS: tuple[dict[str, Plain], ...] = (
    {"name": "Per-region overlap", "x": "false-positive rate", "y": "overlap",
     "area": "AUPRO 30 %", "limited": True},
    {"name": "Pixel ROC", "x": "false-positive rate", "y": "true-positive rate", "area": "AUROC"},
    {"name": "Pixel precision-recall", "x": "recall", "y": "precision", "area": "AP",
     "steps": True},
)  # fmt: skip


def pixel_curves(
    board: Leaderboard,
    read: Callable[[CellRecord], Mapping[str, PixelCurve]],
    shelf: Shelf,
) -> list[tuple[str, Figure]]:
    """Draw every group of cells that stored curves, each figure with its protocol.

    Parameters
    ----------
    read
        Curves of a cell by class name or `pooled`; empty where it stored none.
    """
    found = []
    order = list(board.run.methods)
    for group in figure_groups(board):
        scopes = scopes_of(board, group)
        lines: list[Plain] = []
        for method, cells in group.methods.items():
            curves = read(cells[0])
            if curves:
                lines.append({
                    "name": method,
                    "colour": order.index(method) if method in order else 0,
                    "bound": cells[0].class_oracle,
                    "lines": [_line(cells[0], scope, curves.get(scope), shelf) for scope in scopes],
                })  # fmt: skip
        if lines:
            found.append((group.protocol, _figure(board, group, lines, scopes)))
    return found


def ranks_pixels(board: Leaderboard) -> bool:
    """Whether a run asked for a metric beside which curves are stored."""
    names = [metric_name(metric) for metric in board.run.metrics]
    return any(n.level in ("pixel", "region") and n.dialect is None for n in names)


def overlap_area(curve: PixelCurve, limit: float = LIMIT) -> float:
    """Area below the overlap up to a false-positive rate, divided by it; NaN without overlap."""
    if curve.overlap is None:
        return float("nan")
    inside = curve.normal < limit
    x = np.append(curve.normal[inside], limit)
    y = np.append(curve.overlap[inside], np.interp(limit, curve.normal, curve.overlap))
    return float(area_of_lines(np.column_stack([x, y])) / limit)


def _line(cell: CellRecord, scope: str, curve: PixelCurve | None, shelf: Shelf) -> Plain:
    if curve is None:
        return None
    overlap = np.zeros((0, 2)) if curve.overlap is None else _joined(curve.normal, curve.overlap)
    roc, known = _joined(curve.normal, curve.found), np.isfinite(curve.precision)
    steps = np.column_stack([curve.found[known], curve.precision[known]])
    drawn = (thinned_lines(overlap, POINTS), thinned_lines(roc, POINTS))
    areas = (overlap_area(curve), area_of_lines(roc), area_of_steps(steps))
    return {
        "curves": [shelf.place(one) for one in (*drawn, thinned_steps(steps, POINTS))],
        "areas": [_area(cell, scope, *told) for told in zip(_METRICS, areas, strict=True)],
    }


def _area(cell: CellRecord, scope: str, metric: str, area: float) -> float | None:
    """Give the metric as the tables have it; where it was not asked for, what is drawn."""
    value = find_value(cell, scope, metric).value
    told = area if value is None else value
    return round(told, DIGITS) if np.isfinite(told) else None


def _joined(x: Float64, y: Float64) -> Float64:
    return np.column_stack([x, y])


def _figure(
    board: Leaderboard, group: Group, lines: Sequence[Plain], scopes: Sequence[str]
) -> Figure:
    return Figure(
        kind="curves",
        title=f"{group.dataset}: curves of pixels and regions, {group.protocol}",
        note=note_of(board, group),
        keys={"dataset": group.dataset, "normalizer": group.normalizer},
        data={
            "choices": [
                {"name": "class", "label": "Class", "values": scopes},
                {"name": "range", "label": "Overlap", "values": RANGES},
            ],
            "panels": _PANELS,
            "methods": lines,
        },
        instead="The areas are the AUPRO, AUROC and AP of pixels on the boards.",
    )
