"""The board of each protocol: who stands where, with every metric and what it cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from adharness.report.costs import COST_COLUMNS, cost_numbers
from adharness.report.drop_columns import drop_columns, drop_numbers
from adharness.report.drops import Drops
from adharness.report.formats import percent
from adharness.report.headings import metric_columns, ordered_metrics, protocol_title
from adharness.report.leaderboard import (
    AGGREGATES,
    HEADLINE_METRIC,
    Group,
    Leaderboard,
    Standing,
    failures_of,
    headline_class,
    rows_of,
    score_of,
)
from adharness.report.lines import batch_caution, mark_groups, state_of
from adharness.report.metric_names import metric_name
from adharness.report.origins import marked
from adharness.report.reference_lines import under_boards
from adharness.report.seeds import Score
from adharness.report.view import Column, Footnotes, Line, Table, number, without_idle
from adharness.store.records import CellRecord

ROUTING = "routing accuracy"
"""The fact by which a routed cell says what share of test images the right model scored."""


class _Reading(NamedTuple):
    """A column of a board: its metric, and how a line's score is read."""

    metric: str
    of: Callable[[Standing], Score]


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
    tables = [
        _board(board, (protocol, apart), f"board-{place}" + (f"-{aside}" if apart else ""), found)
        for place, protocol in enumerate(board.run.protocols, 1)
        for aside, apart in enumerate(_judgings(board, protocol))
    ]
    return under_boards(board, tables)


def _judgings(board: Leaderboard, protocol: str) -> list[str]:
    """How methods under a protocol were judged: as most of them first, then otherwise."""
    found = {s.group.apart for s in board.standings if s.group.protocol == protocol}
    return ["", *sorted(found - {""})]


def _board(board: Leaderboard, judged: tuple[str, str], identity: str, drops: Drops) -> Table:
    protocol, apart = judged
    standings = [s for s in board.standings if (s.group.protocol, s.group.apart) == judged]
    notes = Footnotes()
    pooled = headline_class(protocol) == "pooled"
    metrics = ordered_metrics(board.run.metrics)
    decisions = pooled and _DECISION in metrics
    read = _readings(headline_class(protocol), metrics, decisions=decisions)
    best = [_best(standings, reading) for reading in read]
    lines = [marked(_line(one, read, best, notes), board.run, one.cells) for one in standings]
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


def _columns(metrics: Sequence[str], *, decisions: bool) -> list[Column]:
    columns = metric_columns(metrics)
    at = sum(not metric_name(metric).oracle for metric in metrics)
    single = "At the one threshold"
    extra = [
        Column(
            "macro F1", single, "metric", "↑", "%", "image_f1, mean over classes", key="macro_f1"
        ),
        Column(
            "worst class F1",
            single,
            "metric",
            "↑",
            "%",
            "image_f1 of the worst class",
            key="worst_f1",
        ),
    ]
    return [*columns[:at], *(extra if decisions else []), *columns[at:]]


def _readings(row: str, metrics: Sequence[str], *, decisions: bool) -> list[_Reading]:
    """Say which metric each column holds and how it is read from a line, as `_columns` has them."""
    shown = [_Reading(metric, partial(_read, row=row, metric=metric)) for metric in metrics]
    at = sum(not metric_name(metric).oracle for metric in metrics)
    extra = [_Reading(_DECISION, of) for of in (_macro_f1, _worst_f1)] if decisions else []
    return [*shown[:at], *extra, *shown[at:]]


def _best(standings: Sequence[Standing], reading: _Reading) -> dict[Group, float]:
    """Best number of each group among its ranked lines, where there are two to compare."""
    found: dict[Group, list[float]] = {}
    if metric_name(reading.metric).dialect is not None:
        return {}
    for standing in standings:
        value = reading.of(standing).value if standing.unranked is None else None
        if value is not None:
            found.setdefault(standing.group, []).append(value)
    pick = max if metric_name(reading.metric).direction == "higher" else min
    return {group: pick(values) for group, values in found.items() if len(values) > 1}


def _line(
    standing: Standing,
    readings: Sequence[_Reading],
    best: Sequence[Mapping[Group, float]],
    notes: Footnotes,
) -> Line:
    group, cell = standing.group, standing.cells[0]
    ranked = standing.unranked is None
    scores = [reading.of(standing) for reading in readings]
    numbers = [
        number(score, notes, best=ranked and score.value is not None and score.value == top)
        for score, top in zip(scores, (each.get(group) for each in best), strict=True)
    ]
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
    ran = f"{cell.extractor} by {', '.join(cell.made_with)}" if cell.made_with else cell.extractor
    parts = (ran, cell.bank, cell.scorer, f"image: {cell.image_score}", *facts, *made)
    return " · ".join(filter(None, (*parts, batch_caution(cell))))


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
