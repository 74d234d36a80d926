"""What the lines of every table say of their cells: state, caution, where a group begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from adharness.report.view import Line
from adharness.store.records import CellRecord


def state_of(cells: Sequence[CellRecord]) -> str:
    """`failed`, `partial`, `bound` or `ok`: the worst that holds for a line's cells."""
    statuses = {cell.status for cell in cells}
    for status in ("failed", "partial"):
        if status in statuses:
            return status
    return "bound" if any(cell.class_oracle for cell in cells) else "ok"


def mark_groups(lines: Sequence[Line], columns: slice = slice(None)) -> list[Line]:
    """Mark the first line of each run of equal settings; `columns` picks which settings count."""
    before = [None, *(line.settings[columns] for line in lines)]
    return [
        replace(line, leads=before[place] is not None and line.settings[columns] != before[place])
        for place, line in enumerate(lines)
    ]


def batch_caution(cell: CellRecord) -> str:
    """Say of a cell whose thresholds see test scores that they do; empty for all others."""
    batch = any(threshold.batch for threshold in cell.thresholds)
    return "decisions depend on the batch of test images" if batch else ""
