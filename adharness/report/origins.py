"""Where the rows of a merged board come from, and how sure their numbers are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from adharness.report.marks import Mark
from adharness.report.view import Line
from adharness.store.records import CellRecord
from adharness.store.run_record import OriginRecord, RunRecord

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "run here": "computed by whoever made this board.",
        "re-run": "submitted by someone, and run again here: the numbers agree.",
        "verified": "submitted; every metric was measured again from the scores beside it.",
        "self-reported": "submitted; some metrics can't be measured again from what was sent, and "
        "are as the submitter says. Those that can be agree.",
    }
)
"""From the surest to the least sure; none says that the scores themselves are what a method gave,
but the first two."""

ORIGIN_COLUMNS = ("origin", "source")


def marked(line: Line, run: RunRecord, cells: Sequence[CellRecord]) -> Line:
    """Give a line the mark of its cells; the same line on a board that was not merged."""
    return replace(line, mark=mark_of(run, cells))


def mark_of(run: RunRecord, cells: Sequence[CellRecord]) -> Mark | None:
    """Mark a line by the least sure of its cells; None on a board that was not merged."""
    found = [run.origins[cell.id] for cell in cells if cell.id in run.origins]
    if not found:
        return None
    worst = max(found, key=lambda origin: list(MEANINGS).index(origin.status))
    text = worst.status if worst.status == "run here" else f"{worst.status} · {_who(worst)}"
    return Mark(worst.status.replace(" ", "-"), text, _note(worst))


def legend(run: RunRecord) -> tuple[Mark, ...]:
    """Give the marks of a board with what each means, the surest first."""
    used = {origin.status for origin in run.origins.values()}
    return tuple(
        Mark(status.replace(" ", "-"), status, meaning)
        for status, meaning in MEANINGS.items()
        if status in used
    )


def origin_fields(run: RunRecord, cell: CellRecord) -> dict[str, Any]:
    """Give the origin of a row as JSON has it; empty on a board that was not merged."""
    origin = run.origins.get(cell.id)
    return {"origin": origin.model_dump(mode="json")} if origin else {}


def origin_columns(run: RunRecord, cell: CellRecord) -> list[str]:
    """Give the cells of `ORIGIN_COLUMNS`; empty on a board that was not merged."""
    if not run.origins:
        return []
    origin = run.origins.get(cell.id)
    return [origin.status, _who(origin)] if origin else ["", ""]


def _who(origin: OriginRecord) -> str:
    return ", ".join([origin.source, *origin.also] if origin.status != "re-run" else origin.also)


def _note(origin: OriginRecord) -> str:
    told = []
    if origin.not_recomputed:
        told.append(f"not recomputed: {', '.join(origin.not_recomputed)}")
    if origin.also and origin.status != "re-run":
        told.append(f"{', '.join(origin.also)} gave equal numbers")
    if origin.note:
        told.append(origin.note)
    if origin.sha256:
        told.append(f"bundle {origin.sha256[:12]}")
    return "; ".join(told)
