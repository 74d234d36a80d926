"""Tables of what each method would do in production, and of the thresholds it would do it at."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from adharness.report.class_tables import ANY
from adharness.report.deployment import (
    Deployed,
    deployed,
    shows_deployment,
    told_costs,
    worst_class,
)
from adharness.report.formats import DASH, compact, points, scaled_interval
from adharness.report.headings import protocol_title
from adharness.report.leaderboard import Leaderboard, Standing, headline_class
from adharness.report.lines import batch_caution, mark_groups, state_of
from adharness.report.seeds import Score
from adharness.report.view import Column, Footnotes, Line, Number, Table, number, without_idle
from adharness.store.records import CellRecord, ThresholdRecord
from adharness.store.run_record import DatasetRecord

_USE, _ORACLE, _WORST = "At the deployed threshold", "From the oracle", "Worst class by cost"
_COLUMNS = (
    Column("recall", _USE, "metric", "↑", "%", "image_recall: share of defective parts found"),
    Column("false alarms", _USE, "metric", "↓", "/1000", "per 1,000 good parts: image_fpr x 1000"),
    Column("cost", _USE, "metric", "↓", "/1000", "expected, per 1,000 parts: image_cost x 1000"),
    Column("F1 below", _ORACLE, "oracle", "↓", "pp", "image_f1_oracle - image_f1"),
    Column("cost above", _ORACLE, "oracle", "↓", "/1000", "image_cost - image_cost_oracle"),
)
_WORST_COLUMNS = tuple(
    Column(label, _WORST, "total", arrow, unit)
    for label, arrow, unit in (
        *(("class", "", ""), ("recall", "↑", "%")),
        *(("false alarms", "↓", "/1000"), ("cost", "↓", "/1000")),
    )
)


def deployment_tables(board: Leaderboard) -> list[Table]:
    """Make a table a protocol and data set; none where the run counted no costs."""
    if not shows_deployment(board.run):
        return []
    return [
        _deployment(board, protocol, data, f"deployment-{place}-{rank}")
        for place, protocol in enumerate(board.run.protocols, 1)
        for rank, data in enumerate(board.run.datasets, 1)
    ]


def _deployment(board: Leaderboard, protocol: str, data: DatasetRecord, identity: str) -> Table:
    notes, headline = Footnotes(), headline_class(protocol)
    scopes = [headline, *(data.classes if len(data.classes) > 1 else ())]
    lines = [
        _line(standing, scope, notes, heads=scope == headline)
        for standing in _standings(board, protocol, data)
        for scope in scopes
    ]
    table = Table(
        id=identity,
        label=protocol_title(protocol),
        caption=f"{data.name}, {protocol}. {told_costs(board.run)}",
        settings=("normalizer", "thresholder", "row"),
        columns=(*_COLUMNS, *_WORST_COLUMNS),
        lines=tuple(mark_groups(lines, slice(0, 2))),
        footnotes=notes.texts(),
        keys={"dataset": data.name},
    )
    return without_idle(table)


def _standings(board: Leaderboard, protocol: str, data: DatasetRecord) -> list[Standing]:
    return [
        standing
        for standing in board.standings
        if (standing.group.protocol, standing.group.dataset) == (protocol, data.name)
    ]


def _line(standing: Standing, scope: str, notes: Footnotes, *, heads: bool) -> Line:
    group, here = standing.group, deployed(standing.cells, scope)
    numbers = (
        *_in_use(here, notes),
        _amount(here.f1_below_oracle, notes, points),
        _amount(here.cost_above_oracle, notes, compact),
    )
    return Line(
        method=standing.method,
        keys={"normalizer": group.normalizer, "thresholder": group.thresholder},
        numbers=(*numbers, *(_worst(standing.cells, notes) if heads else _NOT_HERE)),
        settings=(group.normalizer, group.thresholder, scope),
        detail=batch_caution(standing.cells[0]) if heads else "",
        state=state_of(standing.cells),
        why=standing.caution if heads else "",
    )


_NOT_HERE = (Number(""),) * len(_WORST_COLUMNS)


def _in_use(one: Deployed, notes: Footnotes) -> tuple[Number, ...]:
    amounts = (_amount(score, notes, compact) for score in (one.false_alarms, one.cost))
    return number(one.recall, notes), *amounts


def _worst(cells: Sequence[CellRecord], notes: Footnotes) -> tuple[Number, ...]:
    found = worst_class(cells)
    if found is None:
        reason = "a class has no expected cost"
        return (Number(DASH, note=reason, footnote=notes.mark(reason)), *_NOT_HERE[1:])
    return Number(found[0]), *_in_use(found[1], notes)


def _amount(score: Score, notes: Footnotes, write: Callable[[float], str]) -> Number:
    if score.value is None:
        return number(score, notes)
    aside = scaled_interval(score, write)
    return Number(write(score.value), aside, note=f"{score.value:.6g}", sort=repr(score.value))


# --- thresholds ---------------------------------------------------------------------------------

_FITTED = "Fitted on"
_THRESHOLD_COLUMNS = (
    Column("threshold", "Decision", "metric", note="flagged where the score is strictly above"),
    Column("normal", _FITTED, "metric", note="held-out normal images; 0 where none has a say"),
    Column("anomalous", _FITTED, "metric", note="held-out anomalous images"),
    Column("batch", "Decided over", "metric", note="test images that the decision depends on"),
)


def threshold_tables(board: Leaderboard) -> list[Table]:
    """Make a table a protocol and data set of every threshold, and what it was fitted on."""
    made = [
        _thresholds(board, protocol, data, f"thresholds-{place}-{rank}")
        for place, protocol in enumerate(board.run.protocols, 1)
        for rank, data in enumerate(board.run.datasets, 1)
    ]
    return [table for table in made if table.lines]


def _thresholds(board: Leaderboard, protocol: str, data: DatasetRecord, identity: str) -> Table:
    cells = [c for s in _standings(board, protocol, data) for c in s.cells]
    # The thresholds of pixels are the same whatever decides images: told once.
    pixels = {(c.method, c.normalizer, c.seed): c for c in reversed(cells)}
    lines = [_threshold(cell, "image", each) for cell in cells for each in cell.thresholds]
    lines += [
        _threshold(cell, "pixel", each)
        for cell in reversed(pixels.values())
        for each in cell.pixel_thresholds
    ]
    table = Table(
        id=identity,
        label=protocol_title(protocol),
        caption=f"{data.name}, {protocol}: every deployed threshold, on the normalizer's scale.",
        settings=("normalizer", "thresholder", "seed", "level", "class"),
        columns=_THRESHOLD_COLUMNS,
        lines=tuple(mark_groups(lines, slice(0, 2))),
        keys={"dataset": data.name},
    )
    return without_idle(table)


def _threshold(cell: CellRecord, level: str, threshold: ThresholdRecord) -> Line:
    counts = (threshold.normals, threshold.anomalies, threshold.batch)
    value = Number(compact(threshold.value), note=repr(threshold.value), sort=repr(threshold.value))
    keys = {"normalizer": cell.normalizer, "thresholder": cell.thresholder}
    if level == "pixel":
        keys.pop("thresholder")
    return Line(
        method=cell.method,
        keys=keys,
        numbers=(value, *(Number(str(count), sort=str(count)) for count in counts)),
        settings=(
            *(cell.normalizer, keys.get("thresholder", ANY), str(cell.seed)),
            *(level, threshold.class_name or "all, unknown"),
        ),
        detail=threshold.note or "",
    )
