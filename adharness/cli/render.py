"""What the user sees. The only module that knows rich.

Text of plugins and files is data: it goes through `plain`, so that neither markup nor a terminal
escape in it can style, hide or break a line.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

PIPE_COLUMNS = 160
"""Width where nobody looks: a log or a pipe, where rich would cut at 80."""


@dataclass(frozen=True, slots=True)
class Row:
    """Cells of a table; `bad` rows are red."""

    cells: Sequence[str]
    bad: bool = False


def plain(text: str) -> str:
    """Replace control characters, but for line ends, by what Python would write for them."""
    return "".join(c if c == "\n" or c.isprintable() else ascii(c)[1:-1] for c in text)


def console(stream: IO[str]) -> Console:
    """Return a console on a stream: as wide as the terminal, or wide where there is none."""
    piped = not stream.isatty() and "COLUMNS" not in os.environ
    width = PIPE_COLUMNS if piped else None
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


def print_table(columns: Sequence[str], rows: Iterable[Row], *, empty: str = "nothing") -> None:
    """Print rows under columns on stdout; a cell too long goes on below, none is cut off."""
    listed = list(rows)
    if not listed:
        print_line(empty)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in listed:
        table.add_row(*(Text(plain(c)) for c in row.cells), style="red" if row.bad else None)
    console(sys.stdout).print(table)


def print_line(text: str, *, style: str = "") -> None:
    """Print a line on stdout, never wrapped, so that it can be copied."""
    console(sys.stdout).print(Text(plain(text), style=style), soft_wrap=True)


def print_json(value: Any) -> None:
    """Print JSON on stdout: sorted keys, no colour, nothing else."""
    sys.stdout.write(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def print_note(text: str) -> None:
    """Print a line on stderr."""
    console(sys.stderr).print(Text(plain(text), style="yellow"), soft_wrap=True)


def print_progress(text: str) -> None:
    """Print a line of a run's progress on stderr."""
    console(sys.stderr).print(Text(plain(text), style="dim"), soft_wrap=True)


class LiveBar:
    """One bar on stderr for the stage that runs: what, how much is done, and the time left."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=0, unit="", what="")

    def start(self, stage: str, total: int, unit: str) -> None:
        """Begin a stage of `total` units."""
        self._progress.reset(self._task, total=total, description=stage, unit=unit, what="")

    def describe(self, what: str) -> None:
        """Say what is being done."""
        self._progress.update(self._task, what=plain(what))

    def advance(self, count: int) -> None:
        """Count units done."""
        self._progress.advance(self._task, count)


@contextmanager
def live_bar() -> Iterator[LiveBar]:
    """Show a bar on stderr while the block runs; lines printed meanwhile go above it."""
    columns = (
        TextColumn("{task.description:>13}", style="bold"),
        BarColumn(bar_width=24),
        TextColumn("{task.completed:.0f}/{task.total:.0f} {task.fields[unit]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[what]}", style="dim", markup=False),
    )
    with Progress(*columns, console=console(sys.stderr), transient=True) as progress:
        yield LiveBar(progress)


def print_error(message: str, *, where: str | None = None, hint: str | None = None) -> None:
    """Print the three lines of an error on stderr: the fact, the place, what to type next."""
    lines = [
        ("error: ", message, "bold red"),
        ("where: ", where, "bold"),
        ("hint:  ", hint, "bold"),
    ]
    to = console(sys.stderr)
    for label, text, style in lines:
        if text:
            body = plain(text).replace("\n", "\n" + " " * len(label))
            to.print(Text.assemble((label, style), body), soft_wrap=True)


def print_traceback(text: str) -> None:
    """Print a traceback on stderr, as Python wrote it."""
    console(sys.stderr).print(Text(plain(text).rstrip(), style="dim"), soft_wrap=True)
