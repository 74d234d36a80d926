"""The unification gap as tables and bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from adharness.report.class_tables import merge_thresholders
from adharness.report.drawings import Bar, Chart
from adharness.report.formats import DASH, points, points_interval
from adharness.report.gap import UNIFIED, Gap
from adharness.report.headings import ordered_metrics, protocol_title
from adharness.report.leaderboard import AGGREGATES, HEADLINE_METRIC, Leaderboard
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

_WIDTH, _LABEL_PX, _TEXT_PX, _BAR_PX, _STEP_PX = 460.0, 150.0, 60.0, 11.0, 18.0
_TOP_PX = 22.0
_OF_MAPS = "region_aupro_30"
_CHARTED = (HEADLINE_METRIC, "image_f1", _OF_MAPS)


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


def gap_charts(board: Leaderboard, gaps: Sequence[Gap]) -> list[Chart]:
    """Bars of the macro gap, like with like: a chart for each setting, metric and protocol.

    Image AUROC says what the ranking loses, image F1 what the deployed threshold loses, AUPRO what
    the maps lose; methods and data sets without it have no bar. The thresholder does not touch
    image AUROC and AUPRO: the first with a number stands for all. The charts of one metric share
    one scale.
    """
    metrics = [m for m in _CHARTED if m in board.run.metrics]
    return [chart for metric in metrics for chart in _charts(board, gaps, metric)]


def _charts(board: Leaderboard, gaps: Sequence[Gap], metric: str) -> list[Chart]:
    macro = [g for g in gaps if g.scope == "macro" and g.metric == metric]
    if metric == _OF_MAPS:
        macro = [g for g in macro if g.score.value is not None]
    ranks_only = metric in (HEADLINE_METRIC, _OF_MAPS)
    groups: dict[tuple[str, ...], dict[str, Gap]] = {}
    for gap in sorted(macro, key=lambda g: g.score.value is None):  # the defined ones first
        key = (gap.dataset, gap.normalizer, "" if ranks_only else gap.thresholder, gap.versus)
        groups.setdefault(key, {}).setdefault(gap.method, gap)
    ends = _ends(macro)
    order = {data.name: place for place, data in enumerate(board.run.datasets)}
    keys = sorted(groups, key=lambda k: (order.get(k[0], 0), *k[1:3], UNIFIED.index(k[3])))
    return [_chart(metric, key, list(groups[key].values()), ends) for key in keys]


def _ends(gaps: Sequence[Gap]) -> tuple[float, float]:
    values = [v for g in gaps for v in (g.score.value, g.score.low, g.score.high) if v is not None]
    return min([0.0, *values]), max([0.01, *values])


def _chart(
    metric: str, key: tuple[str, ...], gaps: Sequence[Gap], ends: tuple[float, float]
) -> Chart:
    dataset, normalizer, thresholder, versus = key
    left, right = _LABEL_PX, _WIDTH - _TEXT_PX
    per_unit = (right - left) / (ends[1] - ends[0])
    zero = left - ends[0] * per_unit
    ordered = sorted(gaps, key=lambda g: -(g.score.value or 0.0))
    bars = tuple(_bar(g, row, zero, per_unit) for row, g in enumerate(ordered))
    settings = f"normalizer {normalizer}" + (f", thresholder {thresholder}" if thresholder else "")
    keys = {"dataset": dataset, "normalizer": normalizer, "thresholder": thresholder}
    return Chart(
        title=f"{dataset}: macro {metric_name(metric).full}, per-class minus {versus}",
        note=f"percentage points, {settings}",
        keys={name: value for name, value in keys.items() if value},
        width=_WIDTH,
        height=_TOP_PX + _STEP_PX * len(bars) + 4,
        zero_x=round(zero, 1),
        bars=bars,
        ticks=tuple((round(zero + value * per_unit, 1), _tick(value)) for value in _ticks(ends)),
    )


def _bar(gap: Gap, row: int, zero: float, per_unit: float) -> Bar:
    score, y = gap.score, _TOP_PX + _STEP_PX * row
    value = score.value or 0.0
    start, end = sorted((zero, zero + value * per_unit))
    whisker = None
    if score.low is not None and score.high is not None:
        whisker = (round(zero + score.low * per_unit, 1), round(zero + score.high * per_unit, 1))
    return Bar(
        label=gap.method,
        text=DASH if score.value is None else points(value),
        x=round(start, 1),
        y=y,
        width=round(end - start, 1),
        text_x=round(max(end, whisker[1] if whisker else end) + 6, 1),
        kind="bound" if gap.class_oracle else gap.versus,
        whisker=whisker,
    )


def _tick(value: float) -> str:
    return points(value).removesuffix(".0")


def _ticks(ends: tuple[float, float]) -> list[float]:
    width = ends[1] - ends[0]
    step = next((s for s in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2) if width / s <= 5), 0.5)
    first, last = round(ends[0] / step), round(ends[1] / step)
    return [n * step for n in range(first, last + 1) if ends[0] <= n * step <= ends[1]]
