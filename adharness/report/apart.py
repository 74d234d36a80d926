"""Which cells of a board were not judged as the others, and so stand in a ranking of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import TypeAlias

from adharness.report.comparable import Condition, Conditions, conditions
from adharness.store.records import CellRecord
from adharness.store.run_record import RunRecord

OF_THE_PROTOCOL = ("protocol", "class told")
"""Conditions that a board keeps apart by other means: it has a table a protocol, and does not rank
a cell that was told its class."""
_Keys: TypeAlias = tuple[str | None, ...]


def judged_apart(run: RunRecord, cells: Iterable[CellRecord]) -> dict[str, str]:
    """Say of each cell how it was judged otherwise than most cells of its data set.

    Parameters
    ----------
    run
        That the cells belong to.
    cells
        In plan order; failed ones count too.

    Returns
    -------
    dict
        Cell id -> what differs, `name: here (others: there)`, and empty for most cells. Cells with
        equal texts were judged alike, all others were not.

    Notes
    -----
    Of equally many the first in plan order are the others that are spoken of. What the records do
    not hold counts as one condition, `not recorded`: within a run nothing tells it apart, while
    `adharness compare` takes it for different, since two runs may well have differed there.
    """
    found: dict[str, str] = {}
    for _, same in groupby(sorted(cells, key=_dataset), key=_dataset):
        found |= _of_dataset([(cell.id, _judging(run, cell)) for cell in same])
    return found


def _dataset(cell: CellRecord) -> str:
    return cell.dataset


def _judging(run: RunRecord, cell: CellRecord) -> Conditions:
    of_cell = conditions(run, cell)
    return {name: one for name, one in of_cell.items() if name not in OF_THE_PROTOCOL}


def _of_dataset(cells: Sequence[tuple[str, Conditions]]) -> dict[str, str]:
    keys = {cell: tuple(one.key for one in judging.values()) for cell, judging in cells}
    most = Counter(keys.values()).most_common(1)[0][0]  # of equal counts the first
    usual = next(judging for cell, judging in cells if keys[cell] == most)
    texts: dict[_Keys, str] = {}
    for cell, judging in cells:
        texts.setdefault(keys[cell], _distinct(_told(judging, usual), texts.values()))
    return {cell: texts[keys[cell]] for cell, _ in cells}


def _told(judging: Mapping[str, Condition], usual: Conditions) -> str:
    return "; ".join(
        f"{name}: {one.told} (others: {usual[name].told})"
        for name, one in judging.items()
        if one.key != usual[name].key
    )


def _distinct(text: str, taken: Iterable[str]) -> str:
    """Give a text that others have too a number: what differs may be beyond the digits shown."""
    same = sum(other == text or other.startswith(f"{text} [") for other in taken)
    return f"{text} [{same + 1}]" if same else text
