"""Compare a bundle with one's own run of the same suite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from adharness.arrays import AnyArray
from adharness.bundle.contents import Bundle
from adharness.bundle.recompute import Disagreement, differences_of
from adharness.errors import StoreError
from adharness.report.comparable import conditions, differences
from adharness.report.leaderboard import AXES
from adharness.report.reading import read_run
from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord, Value
from adharness.store.run_record import RunRecord

TOLERANCE = 1e-6
"""Largest difference of a number that was got again; a share of one, so 0.0001 points."""

State: TypeAlias = Literal["re-run", "differs", "not comparable", "not run here"]
_UNDEFINED = Value(value=None)


@dataclass(frozen=True)
class Rerun:
    """A cell of a bundle beside that of one's own run with the same axes."""

    cell: CellRecord
    state: State
    differences: tuple[Disagreement, ...] = ()
    why: str = ""


def compare_with_run(bundle: Bundle, folder: Path, tolerance: float = TOLERANCE) -> list[Rerun]:
    """Compare every cell of a verified bundle with the same cell of one's own run.

    Parameters
    ----------
    folder
        A run of one's own: what it says of images and labels is true.
    tolerance
        Largest difference of a value or an end of an interval.

    Raises
    ------
    StoreError
        The two share no cell; or an image has another class or label here than in the bundle.
    """
    run, cells = read_run(folder)
    mine = {axes_of(cell): cell for cell in cells}
    found = [
        _compare(bundle, cell, (run, folder, mine.get(axes_of(cell))), tolerance)
        for cell in bundle.cells
    ]
    if all(one.state == "not run here" for one in found):
        raise StoreError(
            f"{folder} has no cell of the bundle", hint="run the suite that the bundle holds first"
        )
    return found


def axes_of(cell: CellRecord) -> tuple[object, ...]:
    """Give what tells the cells of a run apart."""
    return tuple(getattr(cell, axis) for axis in AXES)


def moved(
    claimed: CellRecord, found: CellRecord, tolerance: float = TOLERANCE
) -> Iterator[Disagreement]:
    """Yield the numbers in which two cells differ, and rows that only one of them has."""
    rows = {row.class_name: row for row in found.rows}
    for row in claimed.rows:
        other = rows.pop(row.class_name, None)
        if other is None or other.status != row.status:
            told = None if other is None else other.status
            yield Disagreement(claimed.id, row.class_name, "-", "status", row.status, told)
            continue
        for metric in dict.fromkeys([*row.metrics, *other.metrics]):
            pair = (one.metrics.get(metric, _UNDEFINED) for one in (row, other))
            first, second = (replace(v, reason=None, spread=None) for v in pair)
            yield from differences_of(
                (claimed.id, row.class_name, metric), first, second, tolerance
            )
    for name in rows:
        yield Disagreement(claimed.id, name, "-", "row", None, name)


def check_truth(
    bundle: Bundle, cell: CellRecord, folder: Path, own: CellRecord, where: str
) -> None:
    """Refuse a bundle that gives an image another class or label than one's own data.

    Raises
    ------
    StoreError
        Naming the image.
    """
    theirs = truth_of(bundle.scores(cell))
    has = "scores.npz" in own.files
    mine = truth_of(RunFolder(folder).cell_arrays(own.id, "scores.npz")) if has else {}
    for sample in theirs.keys() & mine.keys():
        if theirs[sample] != mine[sample]:
            told = " | ".join(f"{name}, label {label}" for name, label in
                              (theirs[sample], mine[sample]))  # fmt: skip
            raise StoreError(
                f"cell {cell.id}: the image {sample[:80]!r} of {cell.dataset} is {told} "
                f"in {folder}",
                where=where,
            )


def truth_of(arrays: Mapping[str, AnyArray]) -> dict[str, tuple[str, int]]:
    """Give class and label of each test image by its name."""
    if not arrays:
        return {}
    keys = ("samples", "classes", "labels")
    columns = (np.asarray(arrays[key]).tolist() for key in keys)
    return {sample: (name, label) for sample, name, label in zip(*columns, strict=True)}


def _compare(
    bundle: Bundle,
    cell: CellRecord,
    own: tuple[RunRecord, Path, CellRecord | None],
    tolerance: float,
) -> Rerun:
    run, folder, mine = own
    if mine is None:
        return Rerun(cell, "not run here")
    told = differences(conditions(run, mine), conditions(bundle.run, cell))
    if told:
        return Rerun(cell, "not comparable", why="; ".join(map(str, told)))
    check_truth(bundle, cell, folder, mine, str(bundle.path))
    found = tuple(moved(cell, mine, tolerance))
    return Rerun(cell, "differs" if found else "re-run", found)
