"""What other code would have printed from the same maps, beside the exact number."""

from __future__ import annotations

from collections.abc import Sequence

from adharness.report.class_tables import merge_thresholders
from adharness.report.formats import DASH, points
from adharness.report.headings import metric_column, ordered_metrics, protocol_title
from adharness.report.leaderboard import AGGREGATES, Leaderboard, Standing, score_of
from adharness.report.lines import state_of
from adharness.report.metric_names import metric_name
from adharness.report.seeds import Score
from adharness.report.view import Column, Footnotes, Line, Number, Table, number, without_idle
from adharness.store.run_record import DatasetRecord


def dialect_tables(board: Leaderboard) -> list[Table]:
    """Make a table a data set and metric that the suite also asks for in a dialect."""
    by_exact: dict[str, list[str]] = {}
    for metric in ordered_metrics(board.run.metrics):
        name = metric_name(metric)
        if name.dialect is not None:
            by_exact.setdefault(name.exact, []).append(metric)
    return [
        _table(board, data, exact, dialects, f"dialect-{place}-{rank}")
        for place, data in enumerate(board.run.datasets, 1)
        for rank, (exact, dialects) in enumerate(by_exact.items(), 1)
    ]


def _table(
    board: Leaderboard, data: DatasetRecord, exact: str, dialects: Sequence[str], identity: str
) -> Table:
    name, notes = metric_name(exact), Footnotes()
    standings = [s for s in board.standings if s.group.dataset == data.name]
    standings.sort(key=lambda s: board.run.protocols.index(s.group.protocol))
    lines = [
        line
        for scope in AGGREGATES
        for standing in standings
        for line in _line(standing, scope, (exact, *dialects), notes)
    ]
    table = Table(
        id=identity,
        label=name.full[0].upper() + name.full[1:],
        caption=(
            f"{data.name}: {name.full} in percent, exact and as others compute it, and the "
            "difference in percentage points, dialect minus exact."
        ),
        settings=("protocol", "row", "normalizer", "thresholder"),
        columns=_columns(exact, dialects),
        lines=tuple(merge_thresholders(lines)),
        footnotes=notes.texts(),
        keys={"dataset": data.name},
    )
    return without_idle(table, keep=2)


def _columns(exact: str, dialects: Sequence[str]) -> tuple[Column, ...]:
    own = metric_name(exact)
    columns = [Column("value", "Exact", "metric", own.arrow, "%", own.note)]
    for dialect in dialects:
        named, note = metric_column(dialect), "dialect minus exact, percentage points"
        columns.append(Column("value", named.tag, "dialect", own.arrow, "%", named.note))
        columns.append(Column("difference", named.tag, "dialect", "", "pp", note))
    return tuple(columns)


def _line(standing: Standing, scope: str, metrics: Sequence[str], notes: Footnotes) -> list[Line]:
    """One line, or none where no metric is defined: the boards say why."""
    exact, *dialects = [score_of(standing.cells, scope, metric) for metric in metrics]
    if all(score.value is None for score in (exact, *dialects)):
        return []
    numbers = [number(exact, notes)]
    for dialect in dialects:
        numbers += [number(dialect, notes), _difference(exact, dialect)]
    group = standing.group
    return [
        Line(
            method=standing.method,
            keys={"normalizer": group.normalizer, "thresholder": group.thresholder},
            numbers=tuple(numbers),
            settings=(protocol_title(group.protocol), scope, group.normalizer, group.thresholder),
            state=state_of(standing.cells),
            why=standing.caution,
        )
    ]


def _difference(exact: Score, dialect: Score) -> Number:
    if exact.value is None or dialect.value is None:
        return Number(DASH, note="one of the two is undefined")
    gap = dialect.value - exact.value
    return Number(points(gap), note=f"{gap:.6g}", sort=repr(gap))
