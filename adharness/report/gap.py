"""The unification gap: what a method loses when the class is hidden from it.

Per-class minus unified, in the metric's own unit: positive where a higher-is-better number fell.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adharness.report.leaderboard import (
    AGGREGATES,
    Group,
    Leaderboard,
    Standing,
    find_value,
    headline_class,
    rows_of,
)
from adharness.report.metric_names import metric_name
from adharness.report.paired import HEADLINE, Resample
from adharness.report.seeds import Score, over_seeds
from adharness.store.records import CellRecord, Value

REFERENCE = "per-class"
UNIFIED = ("model-unified", "absolute-unified", "routed")


@dataclass(frozen=True, slots=True)
class Gap:
    """Per-class minus `versus`, of one metric, for a class or an aggregate."""

    dataset: str
    method: str
    normalizer: str
    thresholder: str
    versus: str
    scope: str
    metric: str
    class_oracle: bool
    score: Score


def unification_gaps(board: Leaderboard, resample: Resample | None = None) -> list[Gap]:
    """Gaps of every method that has both cells, in the order of the board.

    Parameters
    ----------
    board
        Cells are paired by data set, method, normalizer, thresholder and seed.
    resample
        Gives the intervals; without it there are none.

    Notes
    -----
    Undefined, with the reason, where either side is. So are the gaps of `headline`, `macro` and
    `pooled` where a class failed: they would compare different sets of classes.
    Several seeds give the mean difference and its spread; only one seed keeps an interval.
    """
    by_key = {(s.group, s.method): s for s in board.standings}
    metrics = [m for m in board.run.metrics if metric_name(m).dialect is None]
    gaps: list[Gap] = []
    for standing in board.standings:
        if standing.group.protocol != REFERENCE:
            continue
        for versus in UNIFIED:
            other = by_key.get((standing.group._replace(protocol=versus), standing.method))
            if other is not None:
                gaps.extend(_gaps(metrics, standing, other, resample))
    return gaps


def _gaps(
    metrics: Sequence[str], first: Standing, second: Standing, resample: Resample | None
) -> Iterator[Gap]:
    pairs = _same_seeds(first.cells, second.cells)
    intervals = resample(*pairs[0]) if resample and len(pairs) == 1 else {}
    group: Group = second.group
    for scope in _scopes(first.cells):
        for metric in metrics:
            score = over_seeds([_difference(a, b, scope, metric) for a, b in pairs])
            if score.value is not None and (metric, scope) in intervals:
                low, high = intervals[metric, scope]
                score = Score(score.value, low, high)
            yield Gap(
                group.dataset,
                first.method,
                group.normalizer,
                group.thresholder,
                group.protocol,
                scope,
                metric,
                any(cell.class_oracle for cell in second.cells),
                score,
            )


def _same_seeds(
    first: Sequence[CellRecord], second: Sequence[CellRecord]
) -> list[tuple[CellRecord, CellRecord]]:
    by_seed = {cell.seed: cell for cell in second}
    return [(cell, by_seed[cell.seed]) for cell in first if cell.seed in by_seed]


def _scopes(cells: Sequence[CellRecord]) -> list[str]:
    classes = dict.fromkeys(row.class_name for cell in cells for row in rows_of(cell))
    return [HEADLINE, *AGGREGATES, *(name for name in classes if name not in AGGREGATES)]


def _difference(first: CellRecord, second: CellRecord, scope: str, metric: str) -> Value:
    sides = []
    for cell in (first, second):
        if scope in (HEADLINE, *AGGREGATES) and cell.status == "partial":
            return Value(value=None, reason=f"{cell.protocol}: failed for some classes")
        row = headline_class(cell.protocol) if scope == HEADLINE else scope
        value = find_value(cell, row, metric)
        if value.value is None:
            return Value(value=None, reason=f"{cell.protocol}: {value.reason or 'undefined'}")
        sides.append(value.value)
    return Value(value=sides[0] - sides[1])


def gap_csv(gaps: Sequence[Gap]) -> str:
    """Text of `unification_gap.csv`: a line a gap; empty = undefined, and `reason` says why.

    `low` and `high` are the paired bootstrap interval of one seed, `smallest` and `largest` the
    gaps of several.
    """
    keys = ("dataset", "method", "normalizer", "thresholder", "versus", "scope", "metric")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    ends = ("low", "high", "smallest", "largest")
    writer.writerow([*keys, "class_oracle", "value", *ends, "reason"])
    for gap in gaps:
        score, spread = gap.score, gap.score.spread or (None, None)
        numbers = (score.value, score.low, score.high, *spread)
        told = ["" if number is None else repr(number) for number in numbers]
        named = [getattr(gap, key) for key in keys]
        writer.writerow([*named, gap.class_oracle, *told, score.reason or ""])
    return text.getvalue()
