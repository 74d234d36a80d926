"""What data sets and methods of several sources are called on one board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from adharness.bundle.rerun import moved
from adharness.bundle.sources import Source
from adharness.report.comparable import conditions, differences
from adharness.store.identity import digest
from adharness.store.records import CellRecord
from adharness.store.run_record import DatasetRecord

OTHER_DATA = "of another data set of this name: {}"
OTHER_PARAMETERS = "a method of this name has other parameters elsewhere"
OTHER_NUMBERS = "the same method gave other numbers elsewhere"
OTHER_SOURCE = "a method of this name is from elsewhere too"

DataNames = Mapping[tuple[str, str], tuple[str, str | None]]
"""Source key and data set -> its name on the board, and why it is another one."""


class Place(NamedTuple):
    """Where seeds of one method meet: the row of a board."""

    dataset: str
    protocol: str
    normalizer: str
    thresholder: str


@dataclass
class Row:
    """Cells of one method and place, one a seed, and who else gave the same numbers."""

    source: Source
    cells: list[CellRecord]
    name: str
    note: str | None = None
    also: list[Source] = field(default_factory=list)


def name_data(sources: Sequence[Source]) -> DataNames:
    """Join data sets that are the same in all that a number can depend on; tell others apart.

    One's own keeps its name. Where only bundles have it, and they differ, each is told apart.
    """
    kinds: dict[str, dict[str, tuple[Source, DatasetRecord]]] = {}
    for source in sources:
        for data in source.run.datasets:
            kinds.setdefault(data.name, {}).setdefault(_kind(data), (source, data))
    names: dict[tuple[str, str], tuple[str, str | None]] = {}
    for source in sources:
        for data in source.run.datasets:
            first, told = next(iter(kinds[data.name].values()))
            home, _ = kinds[data.name][_kind(data)]
            alone = len(kinds[data.name]) == 1 or (home is first and first.own)
            why = None if alone else OTHER_DATA.format(_differs(told, data))
            shown = data.name if alone else _apart(data.name, home)
            names[source.key, data.name] = (shown, why)
    return names


def _apart(name: str, source: Source) -> str:
    """Give `name (label)`: no suite may call anything so, and labels differ."""
    return f"{name} ({source.label})"


def name_rows(sources: Sequence[Source], data: DataNames) -> list[Row]:
    """Decide for each row whether it is new, the same as another's, or needs a name of its own."""
    claims: dict[str, list[Source]] = {}
    for source in sources:
        for cell in source.cells:
            users = claims.setdefault(cell.method, [])
            if source not in users:
                users.append(source)
    rows: list[Row] = []
    for method, claimants in claims.items():
        rows += _rows_of(method, claimants, data)
    return rows


def _rows_of(method: str, claimants: Sequence[Source], data: DataNames) -> list[Row]:
    base: dict[Place, Row] = {}
    apart: list[Row] = []
    for source in claimants:
        for place, cells in _places(source, method, data).items():
            row = Row(source, cells, method)
            note = _why_apart(row, base.get(place), claimants[0])
            if note is None and place in base:
                base[place].also.append(source)
            elif note is None:
                base[place] = row
            else:
                row.name, row.note = _apart(method, source), note
                apart.append(row)
    if apart and not claimants[0].own:  # nobody's is the first one: all are told apart
        for row in base.values():
            row.name, row.note = _apart(method, row.source), OTHER_SOURCE
    return [*base.values(), *apart]


def _places(source: Source, method: str, data: DataNames) -> dict[Place, list[CellRecord]]:
    found: dict[Place, list[CellRecord]] = {}
    for cell in source.cells:
        if cell.method == method:
            shown = data[source.key, cell.dataset][0]
            place = Place(shown, cell.protocol, cell.normalizer, cell.thresholder)
            found.setdefault(place, []).append(cell)
    return found


def _why_apart(row: Row, there: Row | None, first: Source) -> str | None:
    """Say why a row cannot have the bare name; None where it is new or the same."""
    source = row.source
    method = row.name
    if source is first:
        return None
    if _spec(source, method) != _spec(there.source if there else first, method):
        return OTHER_PARAMETERS
    if there is None:
        return None if source.own and first.own else OTHER_SOURCE
    if {c.seed for c in row.cells} != {c.seed for c in there.cells}:
        return OTHER_SOURCE
    mine = {cell.seed: cell for cell in row.cells}
    same = all(_is_same(source, mine[c.seed], there.source, c) for c in there.cells)
    return None if same else OTHER_NUMBERS


def _is_same(source: Source, cell: CellRecord, other: Source, known: CellRecord) -> bool:
    if cell.id != known.id or any(moved(cell, known)):
        return False
    return not differences(conditions(source.run, cell), conditions(other.run, known))


def _spec(source: Source, method: str) -> dict[str, Any] | None:
    return source.run.methods.get(method)


def _kind(data: DatasetRecord) -> str:
    told = data.model_dump(mode="json", include={"fingerprint", "classes", "counts", "shift"})
    return digest(told)


def _differs(first: DatasetRecord, second: DatasetRecord) -> str:
    if first.fingerprint != second.fingerprint:
        return f"fingerprint {second.fingerprint[:12]} here, {first.fingerprint[:12]} there"
    return "the same images, divided or limited in another way"
