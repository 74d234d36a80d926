"""The cells of a merged board, each with where it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from adharness.bundle.naming import DataNames, Row
from adharness.bundle.sources import Source
from adharness.store.identity import digest
from adharness.store.records import CellRecord
from adharness.store.run_record import OriginRecord


class Placed(NamedTuple):
    """A cell as the board has it, the one of its source, and what was found of it."""

    cell: CellRecord
    of: CellRecord
    source: Source
    origin: OriginRecord


def place_cells(rows: Sequence[Row], data: DataNames) -> list[Placed]:
    """Name the cells as the board does, own ones first, in the order of their sources."""
    found = [one for row in rows for one in _placed(row, data)]
    order = {id(cell): n for row in rows for n, cell in enumerate(row.source.cells)}
    return sorted(found, key=lambda p: (not p.source.own, p.source.key, order[id(p.of)]))


def _placed(row: Row, data: DataNames) -> Iterator[Placed]:
    for cell in row.cells:
        dataset, why = data[row.source.key, cell.dataset]
        notes = [note for note in (row.note, why) if note]
        origin = OriginRecord(
            source=row.source.label,
            status=_status(row, cell),
            not_recomputed=list(row.source.unchecked.get(cell.id, ())),
            sha256=None if row.source.own else row.source.key,
            also=sorted(other.label for other in row.also),
            note="; ".join(notes) or None,
        )
        yield Placed(renamed(cell, row.name, dataset), cell, row.source, origin)


def renamed(cell: CellRecord, method: str, dataset: str) -> CellRecord:
    """Give the cell these names; its identity has them, so its id is another one then."""
    names = {"method": method, "dataset": dataset}
    if all(getattr(cell, key) == value for key, value in names.items()):
        return cell
    identity = {**cell.identity, "names": {**cell.identity.get("names", {}), **names}}
    return cell.model_copy(update={**names, "identity": identity, "id": digest(identity)})


def _status(row: Row, cell: CellRecord) -> str:
    others_ran = any(other.own != row.source.own for other in row.also)
    if row.source.own:
        return "re-run" if others_ran else "run here"
    return "self-reported" if row.source.unchecked.get(cell.id) else "verified"
