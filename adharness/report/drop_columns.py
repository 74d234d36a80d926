"""The drop under shift as columns of a board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from adharness.errors import MetricError
from adharness.metrics.table import find_metric
from adharness.report.drops import Drops
from adharness.report.formats import points, points_interval
from adharness.report.leaderboard import HEADLINE_METRIC, Standing, headline_class
from adharness.report.metric_names import compared, metric_name
from adharness.report.seeds import Score
from adharness.report.view import Column, Footnotes, Number, number

GROUP = "Clean minus shifted"
BOARD_GROUP = f"Image, {GROUP.lower()}"


def drop_columns(drops: Drops, metrics: Sequence[str]) -> list[Column]:
    """Heads of a board's drops: of the ranking, and of what the deployed threshold decides."""
    note = "mean over the corruptions; above zero the clean number is higher"
    return [
        Column(f"{metric_name(m).label} drop", BOARD_GROUP, "metric", "", "pp", f"{m}: {note}")
        for m in _on_boards(drops, metrics)
    ]


def drop_numbers(
    drops: Drops, standing: Standing, metrics: Sequence[str], notes: Footnotes
) -> list[Number]:
    """Numbers of a board's line, in the order of `drop_columns`."""
    row = headline_class(standing.group.protocol)
    return [
        drop_number(drops.score(standing.cells, row, metric), notes)
        for metric in _on_boards(drops, metrics)
    ]


def drop_number(score: Score, notes: Footnotes) -> Number:
    """Show a difference of shares in percentage points."""
    shown = number(score, notes)
    if score.value is None:
        return shown
    return replace(shown, text=points(score.value), aside=points_interval(score))


def _on_boards(drops: Drops, metrics: Sequence[str]) -> list[str]:
    if not drops.any:
        return []
    return [m for m in compared(metrics) if m == HEADLINE_METRIC or _decides_images(m)]


def _decides_images(metric: str) -> bool:
    try:
        spec = find_metric(metric)
    except MetricError:  # of another version
        return False
    return spec.at_threshold and spec.level == "image"
