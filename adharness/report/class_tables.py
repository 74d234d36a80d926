"""Each class by itself: one shaded table a data set and metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from adharness.report.headings import class_metrics, protocol_title
from adharness.report.leaderboard import AGGREGATES, Leaderboard, Standing, score_of
from adharness.report.lines import mark_groups, state_of
from adharness.report.metric_names import MetricName, metric_name
from adharness.report.reference_lines import under_classes
from adharness.report.seeds import Score
from adharness.report.view import Column, Footnotes, Line, Number, Table, number, without_idle
from adharness.store.run_record import DatasetRecord

ANY = "any"
"""Shown in place of a thresholder that does not touch the numbers."""


def class_tables(board: Leaderboard) -> list[Table]:
    """Tables in the order of the data sets, then of the metrics.

    Oracles and dialects are left to the boards.
    """
    tables = [
        _table(board, data, metric, f"class-{number_}-{place}")
        for number_, data in enumerate(board.run.datasets, 1)
        for place, metric in enumerate(class_metrics(board.run.metrics), 1)
    ]
    return under_classes(board, tables)


def _table(board: Leaderboard, data: DatasetRecord, metric: str, identity: str) -> Table:
    name, notes = metric_name(metric), Footnotes()
    standings = [s for s in board.standings if s.group.dataset == data.name]
    standings.sort(key=lambda s: board.run.protocols.index(s.group.protocol))
    scopes = [*data.classes, *AGGREGATES]
    scores = {id(s): [score_of(s.cells, scope, metric) for scope in scopes] for s in standings}
    known = [score.value for each in scores.values() for score in each if score.value is not None]
    ends = (min(known, default=0.0), max(known, default=1.0))
    lines = [_line(standing, scores[id(standing)], ends, name, notes) for standing in standings]
    low, high = f"{100 * ends[0]:.1f} %", f"{100 * ends[1]:.1f} %"
    table = Table(
        id=identity,
        label=name.full[0].upper() + name.full[1:],
        caption=f"{data.name}: {name.full} of each class, in percent.",
        settings=("protocol", "normalizer", "thresholder"),
        columns=tuple(_column(scope, data, name) for scope in scopes),
        lines=tuple(mark_groups(merge_thresholders(lines), slice(0, 1))),
        footnotes=notes.texts(),
        keys={"dataset": data.name},
        legend=(low, high) if known else None,
    )
    return without_idle(table, keep=1)


def _column(scope: str, data: DatasetRecord, name: MetricName) -> Column:
    if scope in AGGREGATES:
        return Column(scope, "Together", "total", name.arrow, "%")
    counts = data.counts.get(scope, {})
    note = ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in counts.items())
    return Column(scope, "Class", "metric", name.arrow, "%", note)


def _line(
    standing: Standing,
    scores: Sequence[Score],
    ends: tuple[float, float],
    name: MetricName,
    notes: Footnotes,
) -> Line:
    group = standing.group
    return Line(
        method=standing.method,
        keys={
            "protocol": protocol_title(group.protocol),
            "normalizer": group.normalizer,
            "thresholder": group.thresholder,
        },
        numbers=tuple(_shade(number(score, notes), score, ends, name) for score in scores),
        settings=(protocol_title(group.protocol), group.normalizer, group.thresholder),
        state=state_of(standing.cells),
        why=standing.caution,
    )


def _shade(shown: Number, score: Score, ends: tuple[float, float], name: MetricName) -> Number:
    if score.value is None:
        return shown
    width = ends[1] - ends[0]
    share = (score.value - ends[0]) / width if width > 0 else 0.0
    return replace(shown, heat=round(100 * (share if name.direction == "higher" else 1 - share)))


def merge_thresholders(lines: Sequence[Line]) -> list[Line]:
    """Join lines that are the same under every thresholder: it does not touch their numbers."""
    thresholders = {line.settings[-1] for line in lines}
    merged: dict[tuple[object, ...], list[Line]] = {}
    for line in lines:
        key = (line.method, line.settings[:-1], line.numbers, line.state)
        merged.setdefault(key, []).append(line)
    return [
        line
        for same in merged.values()
        for line in ([_join(same)] if 1 < len(thresholders) == len(same) else same)
    ]


def _join(same: Sequence[Line]) -> Line:
    keys = {key: value for key, value in same[0].keys.items() if key != "thresholder"}
    return replace(same[0], keys=keys, settings=(*same[0].settings[:-1], ANY))
