"""What `adharness reproduce` prints: how far the numbers are apart, and what is not as it was."""

from __future__ import annotations

from adharness.cli import render
from adharness.report.formats import counted
from adharness.reproduction import Again, Changed, Compared
from adharness.reproduction.deviations import LOOSER
from adharness.reproduction.numbers import told

SHOWN = 20
"""Cells and facts that are listed; of the rest their number is told."""


def print_compared(again: Again, found: Compared, tolerance: float) -> None:
    """Print what was found of each kind of number, and what could not be compared."""
    columns = ["numbers", "compared", "identical", "largest difference", "relative", "where"]
    rows = [
        render.Row(
            [
                kind.name,
                f"{kind.count:,}",
                "all" if kind.identical == kind.count else f"{kind.identical:,}",
                f"{kind.unlike:,} undefined or missing on one side"
                if kind.unlike
                else _small(kind.absolute),
                "" if kind.unlike else _small(kind.relative),
                kind.where,
            ],
            bad=not kind.within(tolerance),
        )
        for kind in found.kinds.values()
        if kind.count
    ]
    render.print_table(columns, rows)
    for cells, says in ((found.missing, "were not made again"), (found.added, "are new")):
        if cells:
            names = "; ".join(told(cell) for cell in cells[:SHOWN])
            render.print_note(f"{counted(len(cells), 'cell')} {says}: {names}")
    if again.lost:
        lost = counted(again.lost, "cell")
        render.print_note(f"{lost} of the run missing or damaged: not compared")
    for kind, count in sorted(found.not_stored.items()):
        render.print_note(f"not compared, the run does not keep them: {kind}, {count} arrays")


def _small(value: float) -> str:
    return f"{value:.2g}" if value else "0"


def print_changed(moved: list[Changed], unknown: list[str]) -> None:
    """Print the facts that are not as they were, side by side."""
    if moved:
        rows = [render.Row(list(one)) for one in moved[:SHOWN]]
        render.print_table(["not as it was", "then", "now"], rows)
    if len(moved) > SHOWN:
        render.print_note(f"and {len(moved) - SHOWN} more")
    if not moved:
        render.print_line("versions, machine, weights and data are as they were")
    if unknown:
        render.print_note(f"the record of the run does not say: {', '.join(unknown)}")


def conclude(found: Compared, tolerance: float) -> None:
    """Print in one line whether the numbers agree, and within what."""
    apart = found.count - found.identical
    same = f"{found.identical:,} of {found.count:,} numbers are identical to the last bit"
    if not found.agree(tolerance):
        names = [k.name for k in found.kinds.values() if not k.within(tolerance)]
        what = ", ".join(names) or "cells are missing"
        render.print_line(f"does not agree within {tolerance:g}: {what}; {same}")
    elif apart:
        largest = max(kind.relative for kind in found.kinds.values())
        bound = f"tolerance {tolerance:g}"
        if any(kind.relative > tolerance for kind in found.kinds.values()):
            bound += f", {LOOSER} times that for what counts ranks within an image"
        render.print_line(f"agrees: {same}, the others within {largest:.2g} relative ({bound})")
    else:
        render.print_line(f"agrees: all {found.count:,} numbers are identical to the last bit")
