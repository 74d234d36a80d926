"""The unification gap as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from adharness.report.class_tables import merge_thresholders
from adharness.report.formats import DASH, points, points_interval
from adharness.report.gap import Gap
from adharness.report.headings import ordered_metrics, protocol_title
from adharness.report.leaderboard import AGGREGATES, Leaderboard
from adharness.report.metric_names import compared, metric_name
from adharness.report.paired import HEADLINE
from adharness.report.view import (
    Column,
    Footnotes,
    Line,
    Number,
    Table,
    number,
    without_idle,
)


def gap_tables(board: Leaderboard, gaps: Sequence[Gap]) -> list[Table]:
    """Make a table a data set and metric: a line for each method and unified protocol."""
    metrics = compared(ordered_metrics(board.run.metrics))
    return [
        table
        for place, data in enumerate(board.run.datasets, 1)
        for rank, metric in enumerate(metrics, 1)
        for own in [[g for g in gaps if g.dataset == data.name and g.metric == metric]]
        for table in [_table(own, data.classes, metric, data.name, f"gap-{place}-{rank}")]
        if own
    ]


def _table(
    gaps: Sequence[Gap], classes: Sequence[str], metric: str, dataset: str, identity: str
) -> Table:
    notes, name = Footnotes(), metric_name(metric)
    scopes = [HEADLINE, *AGGREGATES, *classes]
    by_line: dict[tuple[str, ...], dict[str, Gap]] = {}
    for gap in gaps:
        key = (gap.method, gap.versus, gap.normalizer, gap.thresholder)
        by_line.setdefault(key, {})[gap.scope] = gap
    lines = [_line(key, found, scopes, notes) for key, found in by_line.items()]
    table = Table(
        id=identity,
        label=name.full[0].upper() + name.full[1:],
        caption=(
            f"{dataset}: {name.full}, per-class minus unified, in percentage points. "
            + ("Above zero: lost" if name.direction == "higher" else "Below zero: lost")
            + " by unifying."
        ),
        settings=("minus", "normalizer", "thresholder"),
        columns=tuple(_column(scope) for scope in scopes),
        lines=tuple(merge_thresholders(lines)),
        footnotes=notes.texts(),
        keys={"dataset": dataset},
    )
    return without_idle(table, keep=1)


def _column(scope: str) -> Column:
    if scope == HEADLINE:
        note = "per-class macro minus the unified protocol's own headline: macro or pooled"
        return Column(scope, "Together", "total", "", "pp", note)
    kind, group = ("total", "Together") if scope in AGGREGATES else ("metric", "Class")
    return Column(scope, group, kind, "", "pp")


def _line(
    key: tuple[str, ...], found: dict[str, Gap], scopes: Sequence[str], notes: Footnotes
) -> Line:
    method, versus, normalizer, thresholder = key
    bound = any(gap.class_oracle for gap in found.values())
    return Line(
        method=method,
        keys={"normalizer": normalizer, "thresholder": thresholder},
        numbers=tuple(_number(found.get(scope), notes) for scope in scopes),
        settings=(protocol_title(versus), normalizer, thresholder),
        state="bound" if bound else "ok",
        why="upper bound: knows the class" if bound else "",
    )


def _number(gap: Gap | None, notes: Footnotes) -> Number:
    if gap is None:
        return Number(DASH, note="not in this run", footnote=notes.mark("not in this run"))
    shown = number(gap.score, notes)
    if gap.score.value is None:
        return shown
    return replace(shown, text=points(gap.score.value), aside=points_interval(gap.score))
