"""`adharness compare`: what moved between two runs, and whether it fell too far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import click

from adharness.cli import exit_codes, render
from adharness.cli.choice import matches, wanted_by
from adharness.errors import StoreError
from adharness.report.changes import Change, changes
from adharness.report.comparison import (
    Line,
    Pair,
    Paired,
    Side,
    compare_pair,
    pair_cells,
    read_side,
    refusals,
    row_names,
)
from adharness.report.comparison_choice import (
    choose_metrics,
    match_methods,
    nothing_shared,
    refuse,
)
from adharness.report.comparison_json import as_document
from adharness.report.formats import DASH, counted, percent, points
from adharness.report.leaderboard import AXES, headline_class
from adharness.report.regression import Rule
from adharness.report.seeds import finite
from adharness.store.records import CellRecord, Value

RUN = click.Path(path_type=Path)
SHOWN = 10
"""Changes and unmatched cells that are listed; of the rest their number is told."""


@click.command()
@click.argument("first", type=RUN, metavar="RUN")
@click.argument("second", type=RUN, metavar="RUN")
@click.option("--metric", multiple=True, metavar="ID", help="Compare by these metrics only.")
@click.option("--only", multiple=True, metavar="KEY=VALUE", help="These numbers only: class=macro")
@click.option("--methods", multiple=True, metavar="A=B", help="Method A of the first with B.")
@click.option("--tolerance", type=click.FloatRange(min=0.0), default=0.5, show_default=True,
              help="Percentage points that a metric may fall.")  # fmt: skip
@click.option("--at-all", is_flag=True, help="Count falls that chance may explain too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def compare(  # noqa: PLR0913, PLR0917 - one argument an option
    ctx: click.Context,
    first: Path,
    second: Path,
    metric: tuple[str, ...],
    only: tuple[str, ...],
    methods: tuple[str, ...],
    tolerance: float,
    *,
    at_all: bool,
    as_json: bool,
) -> None:
    """Compare the second RUN with the first, number by number.

    Exit 1 where a metric is worse by more than the tolerance and the paired interval, if it has
    one, leaves out zero; or where a number is gone. Exit 2 where the runs are not comparable.
    """
    if math.isnan(tolerance):
        raise click.BadParameter("not a number", param_hint="--tolerance")
    sides = read_side(first), read_side(second)
    metrics = choose_metrics(*sides, metric)
    matched = match_methods(sides[0].cells, sides[1].cells, methods)
    found = pair_cells(sides[0].cells, sides[1].cells, matched)
    if not found.pairs:
        raise nothing_shared(*sides)
    chosen = _chosen(found.pairs, only)
    refuse(refusals(*sides, [pair for pair, _ in chosen]), [pair for pair, _ in chosen])
    rule = Rule(tolerance, at_all)
    lines = [
        line for pair, rows in chosen for line in compare_pair(*sides, pair, rows, metrics, rule)
    ]
    moved = _changes(sides, [pair for pair, _ in chosen])
    if as_json:
        render.print_json(as_document(sides, found, lines, moved, rule))
    else:
        every = any(text.startswith("class=") for text in only)
        _print(sides, found, [one for one in lines if every or _is_shown(one)], moved)
        _say(lines, rule)
    gone = [] if sides[1].whole else _matching(found.only_first, only)
    if gone:
        told = f"{second} was interrupted or is damaged, and lacks {counted(len(gone), 'cell')}"
        render.print_note(f"{told} that the first run has")
    failed = bool(gone) or any(line.bad for line in lines)
    ctx.exit(exit_codes.REGRESSED if failed else exit_codes.FINE)


def _matching(cells: Sequence[CellRecord], only: Sequence[str]) -> list[CellRecord]:
    """Give the cells of which a number was wanted, whatever the class."""
    fields = [{axis: str(getattr(cell, axis)) for axis in AXES} for cell in cells]
    wanted: dict[str, set[str]] = {}
    for key, _, value in (text.partition("=") for text in only if not text.startswith("class=")):
        wanted.setdefault(key, set()).add(value)
    return [cell for cell, its in zip(cells, fields, strict=True) if matches(its, wanted)]


def _chosen(pairs: Sequence[Pair], only: Sequence[str]) -> list[tuple[Pair, list[str]]]:
    """Give the pairs that are wanted, each with the names of its rows that are."""
    rows = [(pair, name, _fields(pair, name)) for pair in pairs for name in row_names(pair)]
    wanted = wanted_by([fields for *_, fields in rows], only, has="the runs have")
    chosen = [
        (pair, [n for n in row_names(pair) if matches(_fields(pair, n), wanted)]) for pair in pairs
    ]
    kept = [(pair, names) for pair, names in chosen if names]
    if not kept:
        raise StoreError(f"no number of the two runs matches --only {' --only '.join(only)}")
    return kept


def _fields(pair: Pair, class_name: str) -> dict[str, str]:
    return {**{axis: str(getattr(pair.first, axis)) for axis in AXES}, "class": class_name}


def _changes(sides: tuple[Side, Side], pairs: Sequence[Pair]) -> list[Change]:
    """Give what was changed in methods of one name; between two methods everything may differ."""
    runs = sides[0].run, sides[1].run
    every = [
        change
        for pair in pairs
        if pair.first.method == pair.second.method
        for change in changes((runs[0], pair.first), (runs[1], pair.second))
    ]
    return list(dict.fromkeys(every))


def _is_shown(line: Line) -> bool:
    return line.bad or line.class_name == headline_class(line.pair.first.protocol)


def _print(
    sides: tuple[Side, Side], found: Paired, lines: Sequence[Line], moved: Sequence[Change]
) -> None:
    varied = [axis for axis in AXES if _varies(axis, lines) or axis == "method"]
    columns = [*varied, "row", "metric", "first", "second", "difference", "interval", ""]
    render.print_table(columns, [_row(line, varied) for line in lines])
    for side, left in zip(sides, (found.only_first, found.only_second), strict=True):
        if left:
            names = [" ".join(str(getattr(cell, axis)) for axis in AXES) for cell in left]
            render.print_note(f"only {side.folder} has {_some(names)}")
    if moved:
        told = [f"{one.method}: {one.setting} {one.first}, now {one.second}" for one in moved]
        render.print_line(f"changed: {_some(told)}")


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return "; ".join(names[:SHOWN]) + more


def _varies(axis: str, lines: Sequence[Line]) -> bool:
    return len({getattr(line.pair.first, axis) for line in lines}) > 1


def _row(line: Line, axes: Sequence[str]) -> render.Row:
    moved, ends = line.difference, line.interval
    return render.Row(
        [
            *(_named(line.pair, axis) for axis in axes),
            line.class_name,
            line.metric.id,
            _number(line.before),
            _number(line.after),
            DASH if moved is None else points(moved),
            "" if ends is None else f"{points(ends[0])} to {points(ends[1])}",
            _told(line),
        ],
        bad=line.bad,
    )


def _named(pair: Pair, axis: str) -> str:
    first, second = (str(getattr(cell, axis)) for cell in pair)
    return first if first == second else f"{first} | {second}"


def _number(value: Value) -> str:
    known = finite(value.value)
    return DASH if known is None else percent(known)


def _told(line: Line) -> str:
    if line.verdict == "regression":
        return "fell"
    gone = line.before if finite(line.before.value) is None else line.after
    if finite(gone.value) is None:
        return f"{'lost' if line.bad else 'undefined'}: {gone.reason or 'undefined'}"
    return ""


def _say(lines: Sequence[Line], rule: Rule) -> None:
    fell = sum(line.verdict == "regression" for line in lines)
    lost = sum(line.verdict == "lost" for line in lines)
    told = f"{counted(len(lines), 'number')}: {fell} fell by more than {rule.tolerance:g} points"
    beyond = "" if rule.at_all else " beyond chance"
    render.print_line(f"{told}{beyond}, {lost} lost")
