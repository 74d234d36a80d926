"""Published numbers as lines of the board: greyed, without a rank, each with where it is from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from adharness.report.formats import DASH, counted, percent
from adharness.report.headings import class_metrics, protocol_title
from adharness.report.leaderboard import HEADLINE_METRIC, Leaderboard, headline_class
from adharness.report.reference_rows import (
    CLASSES,
    EXACT,
    ReferenceRow,
    reference_rows,
    wanted_rows,
)
from adharness.report.view import Column, Line, Number, Table
from adharness.store.run_record import DatasetRecord

SHOWN = 8
"""Lines under a table; the others are folded away below it."""
STATE = "reference"
_MISSING = Number(DASH, note="not printed by the source")
_Rows: TypeAlias = "list[ReferenceRow]"


def under_boards(board: Leaderboard, tables: Sequence[Table]) -> list[Table]:
    """Put published numbers under the boards.

    Parameters
    ----------
    board
        Its run says which rows are wanted, and which readers gave the data.
    tables
        Of each protocol.

    Returns
    -------
    list
        The same tables; those with published rows of their data sets, protocol and metrics have
        them as `references` and `more_references`.

    Notes
    -----
    A published mean is over all classes of a set: a run of fewer has none beside it, and what is
    judged apart, or corrupted, has none either.
    """
    wanted = _wanted(board)
    return [_under_board(board, table, wanted) for table in tables] if wanted else list(tables)


def under_classes(board: Leaderboard, tables: Sequence[Table]) -> list[Table]:
    """Put published numbers of single classes under the tables of classes."""
    wanted = _wanted(board)
    return [_under_classes(board, table, wanted) for table in tables] if wanted else list(tables)


def _wanted(board: Leaderboard) -> dict[str, list[ReferenceRow]]:
    """Give the rows for each data set of the run that has some."""
    sets = [data for data in board.run.datasets if _is_known(data)]
    if board.run.reference == "none" or not sets:
        return {}
    rows = reference_rows()
    return {d.name: wanted_rows(rows, board.run.reference, reader_of(d)) for d in sets}


def reader_of(data: DatasetRecord) -> str:
    """Name of the reader that gave a data set, without its distribution."""
    return data.use.rpartition("/")[2]


def _is_known(data: DatasetRecord) -> bool:
    return data.shift is None and reader_of(data) in CLASSES


def _under_board(
    board: Leaderboard,
    table: Table,
    wanted: Mapping[str, Sequence[ReferenceRow]],
) -> Table:
    places = {f"board-{place}": name for place, name in enumerate(board.run.protocols, 1)}
    protocol = places.get(table.id)
    if protocol is None:
        return table
    sets = {data.name: data for data in board.run.datasets}
    lines, short = [], []
    for name, rows in wanted.items():
        here = [row for row in rows if row.protocol == protocol]
        means = [row for row in here if row.class_name == headline_class(protocol)]
        if len(sets[name].classes) != CLASSES[reader_of(sets[name])]:
            short += [name] if means else []
            continue
        for work in _works(means, [column.key for column in table.columns]):
            numbers = tuple(_number(column, work) for column in table.columns)
            lines.append(_line(table, work[0], numbers, {"dataset": name}))
    told = f" Published means of {', '.join(short)} are over all classes, and left out." * any(
        short
    )
    return _with_lines(table, lines, told if lines or short else "")


def _under_classes(
    board: Leaderboard, table: Table, wanted: Mapping[str, Sequence[ReferenceRow]]
) -> Table:
    metrics = {
        f"class-{at}-{place}": metric
        for at, _ in enumerate(board.run.datasets, 1)
        for place, metric in enumerate(class_metrics(board.run.metrics), 1)
    }
    metric, names = metrics[table.id], [column.label for column in table.columns]
    protocols = board.run.protocols
    rows = [
        row
        for row in wanted.get(table.keys["dataset"], ())
        if row.metric == metric and row.class_name in names and row.protocol in protocols
    ]
    lines = []
    for work in _varied(sorted(_by_work(rows), key=lambda work: -_mean(work))):
        found = {row.class_name: row for row in work}
        if found.keys() - {"macro", "pooled"}:
            numbers = tuple(_shown(found[n]) if n in found else _MISSING for n in names)
            lines.append(_line(table, work[0], numbers, {}))
    return _with_lines(table, lines)


def _works(rows: Sequence[ReferenceRow], metrics: Sequence[str]) -> list[list[ReferenceRow]]:
    """Give what each published of these metrics; highest headline first, without one last."""
    exact = {metric.partition("@")[0] for metric in metrics}
    works = _by_work([row for row in rows if row.metric in exact])
    return _varied(sorted(works, key=lambda work: -_headline(work)))


def _headline(work: Sequence[ReferenceRow]) -> float:
    return max((row.value for row in work if row.metric == HEADLINE_METRIC), default=-1.0)


def _mean(work: Sequence[ReferenceRow]) -> float:
    return max((row.value for row in work if row.class_name == "macro"), default=-1.0)


def _varied(works: Sequence[_Rows]) -> list[_Rows]:
    """Let each method come once before any comes with another variant."""
    seen: Counter[str] = Counter()
    turns = []
    for work in works:
        turns.append(seen[work[0].method])
        seen[work[0].method] += 1
    order = sorted(range(len(works)), key=turns.__getitem__)
    return [works[at] for at in order]


def _by_work(rows: Sequence[ReferenceRow]) -> list[list[ReferenceRow]]:
    works: dict[tuple[str, ...], list[ReferenceRow]] = {}
    for row in rows:
        key = (row.method, row.variant, row.source, row.protocol, row.tier)
        works.setdefault(key, []).append(row)
    return list(works.values())


def _number(column: Column, work: Sequence[ReferenceRow]) -> Number:
    """Give the number of a column: in the reading of its own, else another one that says so."""
    metric, _, dialect = column.key.partition("@")
    found = {row.dialect: row for row in work if row.metric == metric}
    if not column.key or not found:
        return _MISSING if column.key else Number("")
    if dialect:
        return _shown(found[dialect], plain=True) if dialect in found else _MISSING
    return _shown(found.get(EXACT) or next(iter(found.values())))


def _shown(row: ReferenceRow, *, plain: bool = False) -> Number:
    reading = "" if plain or row.dialect == EXACT else row.dialect
    return Number(percent(row.value), aside=reading, note=row.told, sort=repr(row.value))


def _line(
    table: Table, row: ReferenceRow, numbers: tuple[Number, ...], keys: dict[str, str]
) -> Line:
    told = {"dataset": keys.get("dataset", ""), "protocol": protocol_title(row.protocol)}
    name = row.method if row.variant in {"", row.method} else f"{row.method} ({row.variant})"
    return Line(
        method=name,
        keys=keys,
        numbers=numbers,
        settings=tuple(told.get(setting, DASH) for setting in table.settings),
        state=STATE,
        why=f"published · {row.protocol} · {row.tier} · {_short(row.source)}",
    )


def _short(source: str) -> str:
    """Name a repository or paper; the whole source is in each number's note."""
    return re.split(r"[@:]", source)[0] if "/" in source.partition(":")[0] else source


def _with_lines(table: Table, lines: Sequence[Line], short: Sequence[str] = ()) -> Table:
    said = [
        f"In grey: {counted(len(lines), 'published result')}, not measured here, with other "
        "preprocessing and dialects; never ranked."
    ]
    left = [f"Published means of {', '.join(short)} are over all its classes, and left out."]
    first = [replace(line, leads=not at) for at, line in enumerate(lines[:SHOWN])]
    told = [table.caption, *(said if lines else []), *(left if short else [])]
    return replace(
        table,
        caption=" ".join(told),
        references=tuple(first),
        more_references=tuple(lines[SHOWN:]),
    )
