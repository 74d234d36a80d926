"""Scores of every class on one axis, with the one threshold: why it fits some and not others."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from adharness.arrays import Float64, evenly_spaced
from adharness.report.cross_class import cells_of, classes_of
from adharness.report.drawings import StripChart, StripRow
from adharness.report.formats import compact, percent
from adharness.report.headings import protocol_title
from adharness.report.leaderboard import Leaderboard, headline_class
from adharness.report.reading import ImageScores
from adharness.store.records import CellRecord

MARKS = 150
"""Images of one class and label that are drawn: beyond it evenly spaced ones of the sorted."""
WIDTH, _LEFT_PX, _RIGHT_PX = 460.0, 100.0, 124.0
_ROW_PX, _MARK_PX, _LABEL_PX, _AXIS_PX = 27.0, 9.0, 11.0, 16.0


@dataclass(frozen=True, slots=True)
class _Axis:
    low: float
    high: float

    def x(self, value: float) -> float:
        """Place of a value; what lies beyond an end is drawn on it."""
        inside = min(max(value, self.low), self.high)
        share = (inside - self.low) / (self.high - self.low)
        return round(_LEFT_PX + share * (WIDTH - _LEFT_PX - _RIGHT_PX), 1)

    def ticks(self) -> list[float]:
        """Round values inside, at most five."""
        rough = (self.high - self.low) / 4
        scale = 10.0 ** math.floor(math.log10(rough))
        step = next((m * scale for m in (1, 2, 5, 10) if m * scale >= rough), 10 * scale)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [n * step for n in range(first, last + 1)]


def strip_charts(
    board: Leaderboard, read: Callable[[CellRecord], ImageScores | None]
) -> list[tuple[str, tuple[StripChart, ...]]]:
    """Charts of each protocol that has one threshold for all, by the protocol's title.

    One a data set, method and normalizer, of the first seed; all thresholders' lines are in it.
    """
    groups: dict[str, dict[tuple[str, ...], list[CellRecord]]] = {}
    first = min(board.run.seeds, default=0)
    for cell in cells_of(board):
        if headline_class(cell.protocol) == "pooled" and cell.thresholds and cell.seed == first:
            key = (cell.dataset, cell.method, cell.normalizer)
            groups.setdefault(cell.protocol, {}).setdefault(key, []).append(cell)
    found = []
    for protocol, cells in groups.items():
        charts = [_chart(board, own, read(own[0])) for own in cells.values()]
        whole = tuple(chart for chart in charts if chart is not None)
        found.append((protocol_title(protocol), whole))
    return [(title, charts) for title, charts in found if charts]


def _chart(
    board: Leaderboard, cells: Sequence[CellRecord], scores: ImageScores | None
) -> StripChart | None:
    if scores is None or not len(scores.scores):
        return None
    cell = cells[0]
    cuts = {c.thresholder: c.thresholds[0].value for c in cells}
    axis = _axis(scores.scores, list(cuts.values()))
    top = _LABEL_PX * len(cuts) + 6
    rows = tuple(
        _row(name, top + _ROW_PX * at, scores, cuts[cell.thresholder], axis)
        for at, name in enumerate(classes_of(board, cell))
    )
    bound = ", upper bound: knows the class" if cell.class_oracle else ""
    return StripChart(
        title=f"{cell.dataset}: {cell.method}, {cell.protocol}",
        note=f"normalizer {cell.normalizer}{bound}; at the right false alarms and recall at "
        f"{cell.thresholder}",
        keys={"dataset": cell.dataset, "normalizer": cell.normalizer},
        width=WIDTH,
        height=top + _ROW_PX * len(rows) + _AXIS_PX,
        rows=rows,
        cuts=tuple(
            (axis.x(value), _LABEL_PX * (at + 1) - 2, f"{name} {compact(value)}")
            for at, (name, value) in enumerate(cuts.items())
        ),
        ticks=tuple((axis.x(value), compact(value)) for value in axis.ticks()),
    )


def _axis(scores: Float64, cuts: Sequence[float]) -> _Axis:
    """From the lowest score to the 98th percentile, or a little beyond the last threshold."""
    low = min(float(scores.min()), *cuts)
    high = max(float(np.quantile(scores, 0.98)), *cuts)
    room = (high - low) * 0.03
    return _Axis(low - room, high + room) if high > low else _Axis(low - 0.5, low + 0.5)


def _row(name: str, y: float, scores: ImageScores, cut: float, axis: _Axis) -> StripRow:
    of_class = scores.classes == name
    normal, anomalous = (scores.scores[of_class & (scores.labels == label)] for label in (0, 1))
    return StripRow(
        label=name,
        y=y,
        normal=_marks(normal, y, axis),
        anomalous=_marks(anomalous, y + _MARK_PX + 2, axis),
        text=f"{_share(normal, cut)} · {_share(anomalous, cut)}",
    )


def _share(values: Float64, cut: float) -> str:
    return f"{percent(float((values > cut).mean()))} %" if len(values) else "none"


def _marks(values: Float64, y: float, axis: _Axis) -> str:
    """Lay a short upright line at each score, as the path of an SVG."""
    ordered = evenly_spaced(np.sort(values), MARKS)
    places = dict.fromkeys(axis.x(float(value)) for value in ordered)
    return "".join(f"M{x:g} {y:g}v{_MARK_PX:g}" for x in places)
