"""One setting a protocol, where every combination would be too much to show."""

from __future__ import annotations

from collections.abc import Iterable

from adharness.store.records import CellRecord


def representatives(cells: Iterable[CellRecord]) -> dict[str, list[CellRecord]]:
    """Of each protocol the cells of one normalizer, thresholder and seed.

    Parameters
    ----------
    cells
        Of one data set, in plan order. Failed ones have nothing to show and are left out.

    Returns
    -------
    dict
        Protocol -> its cells, one a method in order of the names, under the setting that the most
        methods have; the first in plan order of several.
    """
    settings: dict[str, dict[tuple[str, str, int], list[CellRecord]]] = {}
    for cell in cells:
        if cell.status != "failed":
            setting = (cell.normalizer, cell.thresholder, cell.seed)
            settings.setdefault(cell.protocol, {}).setdefault(setting, []).append(cell)
    chosen: dict[str, list[CellRecord]] = {}
    for protocol, found in settings.items():
        most = max(found.values(), key=len)  # the first of the longest
        chosen[protocol] = sorted(most, key=lambda cell: cell.method)
    return chosen
