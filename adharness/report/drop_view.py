"""The drop under shift as tables of its own: each method under each corruption."""

from __future__ import annotations

from collections.abc import Sequence

from adharness.corruptions import CORRUPTIONS
from adharness.report.class_tables import merge_thresholders
from adharness.report.drop_columns import GROUP, drop_number
from adharness.report.drops import Drops
from adharness.report.formats import counted
from adharness.report.headings import ordered_metrics, protocol_title
from adharness.report.leaderboard import Leaderboard, Standing, headline_class, score_of
from adharness.report.lines import state_of
from adharness.report.metric_names import compared, metric_name
from adharness.report.view import Column, Footnotes, Line, Table, number, without_idle
from adharness.store.run_record import DatasetRecord


def drop_tables(board: Leaderboard, drops: Drops) -> list[Table]:
    """Make a table a clean data set and metric: a line for each of its standings."""
    metrics = compared(ordered_metrics(board.run.metrics))
    return [
        _table(board, drops, data, metric, f"shift-{place}-{rank}")
        for place, data in enumerate(board.run.datasets, 1)
        if drops.shifts_of(data.name)
        for rank, metric in enumerate(metrics, 1)
    ]


def _table(
    board: Leaderboard, drops: Drops, data: DatasetRecord, metric: str, identity: str
) -> Table:
    notes, name, shifts = Footnotes(), metric_name(metric), drops.shifts_of(data.name)
    standings = [s for s in board.standings if s.group.dataset == data.name]
    standings.sort(key=lambda s: board.run.protocols.index(s.group.protocol))
    names = [shift.name for shift in shifts]
    lines = [_line(standing, drops, names, metric, notes) for standing in standings]
    lost = "Above" if name.direction == "higher" else "Below"
    together = [
        Column("clean", "Clean", "total", name.arrow, "%", "the number without a shift"),
        Column("mean", GROUP, "total", "", "pp", f"over {counted(len(shifts), 'corruption')}"),
    ]
    table = Table(
        id=identity,
        label=name.full[0].upper() + name.full[1:],
        caption=f"{data.name}: {name.full}, clean minus shifted, in percentage points. "
        f"{lost} zero: lost under the corruption. Numbers are those that a protocol is ranked by.",
        settings=("protocol", "normalizer", "thresholder"),
        columns=(*together, *(_column(shift) for shift in shifts)),
        lines=tuple(merge_thresholders(lines)),
        footnotes=notes.texts(),
        keys={"dataset": data.name},
    )
    return without_idle(table, keep=1)


def _column(data: DatasetRecord) -> Column:
    shift = data.shift
    assert shift is not None  # noqa: S101  one of `shifts_of`
    kind = CORRUPTIONS.get(shift.corruption)
    told = f"severity {shift.severity}, seed {shift.seed}"
    note = f"{kind.summary}; {kind.source}; {told}" if kind else told
    return Column(f"{shift.corruption} {shift.severity}", GROUP, "metric", "", "pp", note)


def _line(
    standing: Standing, drops: Drops, shifted: Sequence[str], metric: str, notes: Footnotes
) -> Line:
    group, row = standing.group, headline_class(standing.group.protocol)
    scores = [drops.score(standing.cells, row, metric, name) for name in (None, *shifted)]
    return Line(
        method=standing.method,
        keys={"normalizer": group.normalizer, "thresholder": group.thresholder},
        numbers=(
            number(score_of(standing.cells, row, metric), notes),
            *(drop_number(score, notes) for score in scores),
        ),
        settings=(protocol_title(group.protocol), group.normalizer, group.thresholder),
        state=state_of(standing.cells),
        why=standing.caution,
    )
