"""Every stored number of two runs: raw scores, maps, thresholds, metrics and their intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from adharness.arrays import AnyArray, Float64
from adharness.report.comparison import Pair, pair_cells
from adharness.report.leaderboard import AXES
from adharness.report.reading import read_run
from adharness.reproduction.deviations import TOLERANCE, Deviation, Kind, deviation
from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord, Row, Value

KINDS = MappingProxyType(
    {
        ("scorings", "scores.npz", "patches"): "patch scores of a model",
        ("scorings", "scores.npz", "own"): "image scores of a model",
        ("cells", "maps.npz", "patches"): "patch scores of maps",
        ("cells", "scores.npz", "raw"): "image scores",
        ("cells", "scores.npz", "scores"): "normalized image scores",
        ("cells", "scores.npz", "threshold"): "thresholds",
        ("cells", "replicates.npz", "values"): "bootstrap replicates",
        ("cells", "replicates.npz", "influences"): "bootstrap replicates",
        ("cells", "replicates.npz", "estimates"): "bootstrap replicates",
        ("cells", "curves.npz", "values"): "curves",
    }
)
"""Part of the run, file and array -> what a reader calls it; the others are `names and counts`."""
OTHER = "names and counts"
SINGLE = "metrics of single images"
_ENDS = ("low", "high")


class Arrays(NamedTuple):
    """One npz of both runs: which part of a run holds it, its name, who it is of, its hashes.

    A hash is None where a run has no such file.
    """

    part: str
    file: str
    where: str
    ids: tuple[str, str]
    hashes: tuple[str | None, str | None]


@dataclass
class Compared:
    """What was found.

    Parameters
    ----------
    kinds
        By name, in the order of the chain from scores to metrics.
    not_stored
        Kind -> how many arrays of it the first run did not keep, so that nothing is known of them.
    missing, added
        Cells that one of the runs alone has.
    """

    kinds: dict[str, Kind] = field(default_factory=dict)
    not_stored: Counter[str] = field(default_factory=Counter)
    missing: list[CellRecord] = field(default_factory=list)
    added: list[CellRecord] = field(default_factory=list)

    def add(self, kind: str, found: Deviation, where: str) -> None:
        """Count a pair of arrays."""
        self.kinds.setdefault(kind, Kind(kind)).add(found, where)

    def agree(self, tolerance: float = TOLERANCE) -> bool:
        """Whether every number of every cell agrees, and no cell is missing."""
        return not self.missing and all(k.within(tolerance) for k in self.kinds.values())

    @property
    def count(self) -> int:
        """Numbers that were compared."""
        return sum(kind.count for kind in self.kinds.values())

    @property
    def identical(self) -> int:
        """Those that are equal to the last bit."""
        return sum(kind.identical for kind in self.kinds.values())


def compare_runs(first: Path, second: Path) -> Compared:
    """Compare every stored number of two runs, cell by cell.

    Parameters
    ----------
    first
        The run that was there; what it did not store is counted and not compared.
    second
        The run that was made again.

    Returns
    -------
    Compared
        Scores, maps and thresholds are relative to the largest absolute value of their array or
        cell; metrics and ends of intervals to their value, and to 1 where it is less.

    Raises
    ------
    StoreError
        A run cannot be read. Cells that are damaged count as missing.
    """
    sides = RunFolder(first), RunFolder(second)
    cells = [read_run(side.path)[1] for side in sides]
    paired = pair_cells(cells[0], cells[1])
    found = Compared(missing=paired.only_first, added=paired.only_second)
    seen: set[tuple[str, ...]] = set()
    for pair in paired.pairs:
        for arrays in [*_of_models(sides, pair, found, seen), *_of_cells(pair)]:
            key = (arrays.part, arrays.file, *map(str, arrays.hashes))
            if key not in seen or None in arrays.hashes:  # cells link to one file of maps
                _compare_file(sides, arrays, found)
            seen.add(key)
        _compare_records(pair, found)
    found.kinds = {name: found.kinds[name] for name in _ordered(found.kinds)}
    return found


def _ordered(names: Sequence[str] | dict[str, Kind]) -> list[str]:
    chain = [*dict.fromkeys(KINDS.values()), "metrics", "intervals", SINGLE, "states", OTHER]
    known = [name for name in chain if name in names]
    return known + [name for name in names if name not in known]


def told(cell: CellRecord) -> str:
    """Name a cell by its axes."""
    return " ".join(str(getattr(cell, axis)) for axis in AXES)


def _of_models(
    sides: tuple[RunFolder, RunFolder], pair: Pair, found: Compared, seen: set[tuple[str, ...]]
) -> Iterator[Arrays]:
    """Yield the scores of the models of two cells that no other pair had."""
    models = pair.first.scorings, pair.second.scorings
    where, name = told(pair.first), "scores.npz"
    if len(models[0]) != len(models[1]):
        size = max(map(len, models))
        found.add("states", Deviation(size, 0, size, 0.0, 0.0), where)
    for ids in zip(*models, strict=False):
        if ("ids", *ids) in seen:
            continue
        seen.add(("ids", *ids))
        stored = [side.scoring(own) for side, own in zip(sides, ids, strict=True)]
        first, second = (None if one is None else one.files.get(name) for one in stored)
        yield Arrays("scorings", name, where, ids, (first, second))


def _of_cells(pair: Pair) -> Iterator[Arrays]:
    """Yield the files of two cells."""
    ids = pair.first.id, pair.second.id
    for name in sorted({*pair.first.files, *pair.second.files}):
        hashes = pair.first.files.get(name), pair.second.files.get(name)
        yield Arrays("cells", name, told(pair.first), ids, hashes)


def _compare_file(sides: tuple[RunFolder, RunFolder], arrays: Arrays, found: Compared) -> None:
    first, second = (_read(side, arrays, i) for i, side in enumerate(sides))
    for name, values in first.items():
        kind = KINDS.get((arrays.part, arrays.file, name), _other(values))
        found.add(kind, deviation(values, second.get(name, np.zeros(0))), arrays.where)
    for name in second.keys() - first.keys():
        kind = KINDS.get((arrays.part, arrays.file, name), OTHER)
        found.not_stored[kind] += 1


def _read(side: RunFolder, arrays: Arrays, number: int) -> dict[str, AnyArray]:
    if arrays.hashes[number] is None:
        return {}
    read = side.scoring_arrays if arrays.part == "scorings" else side.cell_arrays
    return read(arrays.ids[number], arrays.file)


def _other(values: AnyArray) -> str:
    """Metrics of single images lie beside the image scores, and are floats."""
    return SINGLE if values.dtype.kind == "f" and values.ndim == 1 else OTHER


def _compare_records(pair: Pair, found: Compared) -> None:
    """Compare what the records themselves hold."""
    where = told(pair.first)
    states = [np.array([cell.status, *_states(cell)]) for cell in pair]
    found.add("states", deviation(*states), where)
    for name in ("thresholds", "pixel_thresholds"):
        values = [np.array([one.value for one in getattr(cell, name)]) for cell in pair]
        found.add("thresholds", deviation(*values), where)
    facts = sorted({*pair.first.facts, *pair.second.facts})
    if facts:
        sides = [_numbers([cell.facts.get(name) for name in facts]) for cell in pair]
        found.add("facts of models", deviation(*sides), where)
    others = {row.class_name: row for row in pair.second.rows}
    for row in pair.first.rows:
        if row.class_name in others:
            _compare_rows(row, others[row.class_name], found, f"{where} {row.class_name}")


def _states(cell: CellRecord) -> list[str]:
    return [f"{row.class_name} {row.status}" for row in cell.rows]


def _compare_rows(first: Row, second: Row, found: Compared, where: str) -> None:
    none = Value(value=None)
    for metric in dict.fromkeys([*first.metrics, *second.metrics]):
        mine, theirs = (row.metrics.get(metric, none) for row in (first, second))
        place = f"{where} {metric}"
        found.add("metrics", _pair([mine.value], [theirs.value]), place)
        found.add("intervals", _pair(_interval(mine), _interval(theirs)), place)


def _interval(value: Value) -> list[float | None]:
    quartiles = value.spread.model_dump().values() if value.spread else ()
    return [*(getattr(value, end) for end in _ENDS), *quartiles]


def _pair(first: Sequence[float | None], second: Sequence[float | None]) -> Deviation:
    """Compare numbers, each on its own scale; what neither side has is none."""
    sides = [_numbers(values) for values in (first, second)]
    if sides[0].shape == sides[1].shape:
        there = ~(np.isnan(sides[0]) & np.isnan(sides[1]))
        sides = [values[there] for values in sides]
    return deviation(*sides, floor=1.0)


def _numbers(values: Sequence[float | None]) -> Float64:
    return np.array([np.nan if one is None else one for one in values], dtype=np.float64)
