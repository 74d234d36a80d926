"""The board of each protocol: who stands where, with every metric and what it cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from adharness.report.costs import COST_COLUMNS, cost_numbers
from adharness.report.drop_columns import drop_columns, drop_numbers
from adharness.report.drops import Drops
from adharness.report.formats import percent
from adharness.report.headings import metric_columns, ordered_metrics, protocol_title
from adharness.report.leaderboard import (
    AGGREGATES,
    HEADLINE_METRIC,
    Leaderboard,
    Standing,
    failures_of,
    headline_class,
    rows_of,
    score_of,
)
from adharness.report.metric_names import metric_name
from adharness.report.origins import mark_of
from adharness.report.seeds import Score
from adharness.report.view import Column, Footnotes, Line, Number, Table, number, without_idle
from adharness.store.records import CellRecord

ROUTING = "routing accuracy"
"""The fact by which a routed cell says what share of test images the right model scored."""
_AXES = ("dataset", "normalizer", "thresholder")
_DECISION = "image_f1"
_MEANINGS = {
    "per-class": "A model, a normalizer and a threshold for each class; the class is known.",
    "model-unified": "One model for all classes; normalizer and threshold still know the class.",
    "absolute-unified": "One model, one normalizer, one threshold; the class is never known.",
    "routed": "A model for each class, chosen by a predicted class; one threshold.",
}


def board_tables(board: Leaderboard, drops: Drops | None = None) -> list[Table]:
    """Make the tables of each protocol, in the order of the suite.

    Methods that were judged otherwise than most have a table of their own, which says why.
    """
    found = drops or Drops(board)
    return [
        _board(board, (protocol, apart), f"board-{place}" + (f"-{aside}" if apart else ""), found)
        for place, protocol in enumerate(board.run.protocols, 1)
        for aside, apart in enumerate(_judgings(board, protocol))
    ]


def _judgings(board: Leaderboard, protocol: str) -> list[str]:
    """How methods under a protocol were judged: as most of them first, then otherwise."""
    found = {s.group.apart for s in board.standings if s.group.protocol == protocol}
    return ["", *sorted(found - {""})]


def state_of(cells: Sequence[CellRecord]) -> str:
    """`failed`, `partial`, `bound` or `ok`: the worst that holds for a line's cells."""
    statuses = {cell.status for cell in cells}
    for status in ("failed", "partial"):
        if status in statuses:
            return status
    return "bound" if any(cell.class_oracle for cell in cells) else "ok"


def _board(board: Leaderboard, judged: tuple[str, str], identity: str, drops: Drops) -> Table:
    protocol, apart = judged
    standings = [s for s in board.standings if (s.group.protocol, s.group.apart) == judged]
    notes = Footnotes()
    pooled = headline_class(protocol) == "pooled"
    metrics = ordered_metrics(board.run.metrics)
    decisions = pooled and _DECISION in metrics
    lines = tuple(
        replace(
            _line(standing, standings, metrics, notes, decisions=decisions),
            mark=mark_of(board.run, standing.cells),
        )
        for standing in standings
    )
    costs = cost_numbers(standings)
    whole = [
        replace(
            line, numbers=(*line.numbers, *drop_numbers(drops, standing, metrics, notes), *cost)
        )
        if line.numbers
        else line
        for line, standing, cost in zip(lines, standings, costs, strict=True)
    ]
    rows = "pooled over all test images" if pooled else "mean over classes"
    table = Table(
        id=identity,
        label=protocol_title(protocol),
        caption=(
            f"{_apart(apart)}{_MEANINGS.get(protocol, '')} Numbers: {rows}, in percent."
            f"{_routing(standings)}"
        ).strip(),
        settings=_AXES,
        columns=(
            *_columns(metrics, decisions=decisions),
            *drop_columns(drops, metrics),
            *COST_COLUMNS,
        ),
        lines=tuple(mark_groups(whole)),
        footnotes=notes.texts(),
        ranked=True,
    )
    return without_idle(table)


def _apart(text: str) -> str:
    return f"Judged apart, and not ranked with the board above. {text}. " if text else ""


def _routing(standings: Sequence[Standing]) -> str:
    """Say how often the right model scored a test image; empty where nothing was routed."""
    told = {
        (group.dataset, cell.extractor, cell.seed): cell.facts[ROUTING]
        for group, cells in ((s.group, s.cells) for s in standings)
        for cell in cells
        if ROUTING in cell.facts
    }
    each: dict[str, list[float]] = {}
    for (dataset, extractor, _), share in told.items():
        each.setdefault(f"{dataset} with {extractor}", []).append(share)
    shown = [f"{name} {percent(sum(got) / len(got))} %" for name, got in each.items()]
    return f" Test images given to the model of their class: {', '.join(shown)}." if shown else ""


def mark_groups(lines: Sequence[Line], columns: slice = slice(None)) -> list[Line]:
    """Mark the first line of each run of equal settings; `columns` picks which settings count."""
    before = [None, *(line.settings[columns] for line in lines)]
    return [
        replace(line, leads=before[place] is not None and line.settings[columns] != before[place])
        for place, line in enumerate(lines)
    ]


def _columns(metrics: Sequence[str], *, decisions: bool) -> list[Column]:
    columns = metric_columns(metrics)
    at = sum(not metric_name(metric).oracle for metric in metrics)
    single = "At the one threshold"
    extra = [
        Column("macro F1", single, "metric", "↑", "%", "image_f1, mean over classes"),
        Column("worst class F1", single, "metric", "↑", "%", "image_f1 of the worst class"),
    ]
    return [*columns[:at], *(extra if decisions else []), *columns[at:]]


def _line(
    standing: Standing,
    peers: Sequence[Standing],
    metrics: Sequence[str],
    notes: Footnotes,
    *,
    decisions: bool,
) -> Line:
    group, cell = standing.group, standing.cells[0]
    rivals = [p for p in peers if p.group == group and p.unranked is None]
    row = headline_class(group.protocol)
    shown = [
        _number(standing, rivals, notes, metric, partial(_read, row=row, metric=metric))
        for metric in metrics
    ]
    at = sum(not metric_name(metric).oracle for metric in metrics)
    extra = [_number(standing, rivals, notes, _DECISION, of) for of in (_macro_f1, _worst_f1)]
    numbers = [*shown[:at], *(extra if decisions else []), *shown[at:]]
    state = state_of(standing.cells)
    return Line(
        method=standing.method,
        keys={axis: getattr(group, axis) for axis in _AXES},
        numbers=() if state == "failed" else tuple(numbers),
        settings=tuple(getattr(group, axis) for axis in _AXES),
        detail=_detail(cell),
        rank="" if standing.rank is None else str(standing.rank),
        state=state,
        why=_why(standing),
    )


def _detail(cell: CellRecord) -> str:
    """Name the parts of a method, how it scores an image, and what its models say of themselves."""
    facts = [f"{name} {value:.3g}" for name, value in sorted(cell.facts.items())]
    made = [f"imported: {' and '.join(cell.imported)} made elsewhere"] if cell.imported else []
    parts = (cell.extractor, cell.bank, cell.scorer, f"image: {cell.image_score}", *facts, *made)
    return " · ".join(filter(None, (*parts, batch_caution(cell))))


def batch_caution(cell: CellRecord) -> str:
    """Say of a cell whose thresholds see test scores that they do; empty for all others."""
    batch = any(threshold.batch for threshold in cell.thresholds)
    return "decisions depend on the batch of test images" if batch else ""


def _number(
    standing: Standing,
    rivals: Sequence[Standing],
    notes: Footnotes,
    metric: str,
    of: Callable[[Standing], Score],
) -> Number:
    score = of(standing)
    values = [value for value in (of(rival).value for rival in rivals) if value is not None]
    pick = max if metric_name(metric).direction == "higher" else min
    ranked = standing in rivals and len(values) > 1 and metric_name(metric).dialect is None
    best = ranked and score.value == pick(values)
    return number(score, notes, best=best)


def _read(standing: Standing, row: str, metric: str) -> Score:
    if (row, metric) == (headline_class(standing.group.protocol), HEADLINE_METRIC):
        return standing.headline
    return score_of(standing.cells, row, metric)


def _macro_f1(standing: Standing) -> Score:
    return score_of(standing.cells, "macro", _DECISION)


def _worst_f1(standing: Standing) -> Score:
    names = {row.class_name for cell in standing.cells for row in rows_of(cell)} - {*AGGREGATES}
    scores = [score_of(standing.cells, name, _DECISION) for name in sorted(names)]
    undefined = [score for score in scores if score.value is None]
    if undefined or not scores:
        return undefined[0] if undefined else Score(None, reason="no class rows")
    return min(scores, key=lambda score: score.value or 0.0)


def _why(standing: Standing) -> str:
    told = [f"{name}: {failure.message}" for cell in standing.cells
            for name, failure in failures_of(cell)]  # fmt: skip
    reasons = [*([standing.unranked] if standing.unranked else []), *dict.fromkeys(told)]
    return "; ".join(reasons)


def headline_label(protocol: str) -> str:
    """Say what a protocol is ranked by: `macro image AUROC`."""
    return f"{headline_class(protocol)} {metric_name(HEADLINE_METRIC).full}"
