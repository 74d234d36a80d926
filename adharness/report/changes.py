"""What was changed between two runs: parameters and versions behind a pair of cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from adharness.store.records import CellRecord
from adharness.store.run_record import RunRecord

ABSENT = "-"


class Change(NamedTuple):
    """A setting of a method, and its value in each run; `-` where a run has none."""

    method: str
    setting: str
    first: str
    second: str


def changes(
    first: tuple[RunRecord, CellRecord], second: tuple[RunRecord, CellRecord]
) -> list[Change]:
    """Give the settings and versions in which two cells of one method differ, sorted by name."""
    sides = [dict(flat("", _behind(*side))) for side in (first, second)]
    method = second[1].method
    return [
        Change(method, name, *(side.get(name, ABSENT) for side in sides))
        for name in sorted(set(sides[0]) | set(sides[1]))
        if sides[0].get(name) != sides[1].get(name)
    ]


def _behind(run: RunRecord, cell: CellRecord) -> dict[str, Any]:
    rules = ("normalizer", "thresholder", "pixel_threshold")
    named = {rule: cell.identity.get(rule) for rule in rules}
    return {**run.methods.get(cell.method, {}), **named, "version": cell.versions}


def flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield the values of nested mappings as texts, each by its keys joined with dots."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flat(f"{name}.{key}" if name and key != "params" else name or key, inner)
    elif value is not None:
        yield name, str(value)
