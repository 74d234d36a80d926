"""Runs in long form: one line a number, or one line an image or a cell; a cell at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from adharness.arrays import AnyArray
from adharness.errors import StoreError
from adharness.metrics.decisions import decide
from adharness.report.comparable import EXACT
from adharness.report.costs import cost_fields
from adharness.report.leaderboard import failure_text, rows_of
from adharness.report.long_schemas import CELL
from adharness.report.run_id import run_id
from adharness.report.seeds import finite
from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord, Row, Value
from adharness.store.run_record import RunRecord


@dataclass(frozen=True, slots=True)
class Chunk:
    """The lines of one cell: columns that are `same` in each line, and those of their `own`."""

    length: int
    same: Mapping[str, Any]
    own: Mapping[str, Sequence[Any] | AnyArray]


@dataclass(frozen=True, slots=True)
class LongRun:
    """A run that is read cell by cell."""

    store: RunFolder
    record: RunRecord
    id: str

    def cells(self) -> Iterator[CellRecord]:
        """Yield the cells that are there and whole, in plan order."""
        found = (self.store.cell(identity) for identity in self.record.cells)
        return (cell for cell in found if cell is not None)


def open_runs(folders: Sequence[Path]) -> list[LongRun]:
    """Read the records of runs.

    Raises
    ------
    StoreError
        If a folder is not a run's, or two hold the same run.
    """
    found: dict[str, Path] = {}
    runs = []
    for folder in folders:
        record = RunFolder(folder).run()
        identity = run_id(record)
        if identity in found:
            raise StoreError(
                f"{found[identity]} and {folder} are the same run, {identity}",
                hint="name each run once: its lines would count twice",
            )
        found[identity] = folder
        runs.append(LongRun(RunFolder(folder), record, identity))
    return runs


def table_chunks(runs: Sequence[LongRun]) -> Iterator[Chunk]:
    """Yield the numbers of each cell, in the columns of `TABLE`.

    Notes
    -----
    A failed row has a line for each metric of the run, all undefined with the failure as reason; a
    planned cell that has no whole record has none.
    """
    return (_numbers(run, cell) for run in runs for cell in run.cells())


def score_chunks(runs: Sequence[LongRun]) -> Iterator[Chunk]:
    """Yield the image scores of each cell that has some, in the columns of `SCORES`."""
    for run in runs:
        for cell in run.cells():
            if "scores.npz" in cell.files:
                yield _scores(run, cell, run.store.cell_arrays(cell.id, "scores.npz"))


def cost_chunks(runs: Sequence[LongRun]) -> Iterator[Chunk]:
    """Yield what each cell cost, in the columns of `COSTS`; none where scores were made elsewhere.

    Cells that differ only in protocol, normalizer or thresholder may share their models, and each
    tells the whole cost of them.
    """
    return (
        Chunk(
            1, {**_settings(run, cell), "models": len(cell.scorings), **cost_fields(cell.costs)}, {}
        )
        for run in runs
        for cell in run.cells()
        if cell.costs is not None
    )


def _numbers(run: LongRun, cell: CellRecord) -> Chunk:
    lines = [
        _number(row, metric, value)
        for row in rows_of(cell)
        for metric, value in _values(row, run.record.metrics)
    ]
    own = {name: [line[at] for line in lines] for at, name in enumerate(_OF_A_NUMBER)}
    return Chunk(len(lines), {**_settings(run, cell), "versions": _versions(cell)}, own)


_OF_A_NUMBER = ("class", "status", "normals", "anomalies", "metric", "dialect",
                "value", "low", "high", "reason")  # fmt: skip


def _values(row: Row, metrics: Sequence[str]) -> list[tuple[str, Value]]:
    if row.failure is not None:
        lost = Value(value=None, reason=failure_text(row.failure))
        return [(metric, lost) for metric in metrics]
    return [(metric, row.metrics[metric]) for metric in metrics if metric in row.metrics]


def _number(row: Row, metric: str, value: Value) -> tuple[Any, ...]:
    exact, _, dialect = metric.partition("@")
    number = finite(value.value)
    reason = None if number is not None else value.reason or "undefined"
    counted = row.normals or row.anomalies
    counts = (row.normals, row.anomalies) if counted else (None, None)
    ends = (finite(value.low), finite(value.high))
    return (row.class_name, row.status, *counts, exact, dialect or EXACT, number, *ends, reason)


def _scores(run: LongRun, cell: CellRecord, arrays: Mapping[str, AnyArray]) -> Chunk:
    scores, threshold = arrays["scores"], arrays["threshold"]  # (n,) float64
    decided = decide(scores, threshold).astype(np.float64)
    own = {
        "class": arrays["classes"],
        "sample": arrays["samples"],
        "label": arrays["labels"],
        "raw_score": arrays.get("raw", np.full(len(scores), np.nan)),
        "score": scores,
        "threshold": threshold,
        "decision": np.where(np.isnan(threshold) | np.isnan(scores), np.nan, decided),
    }
    return Chunk(len(scores), _settings(run, cell), own)


def _settings(run: LongRun, cell: CellRecord) -> dict[str, Any]:
    data = next((d for d in run.record.datasets if d.name == cell.dataset), None)
    shift = data.shift if data else None
    return {
        **{field.name: getattr(cell, field.name, None) for field in CELL},
        "run": run.id,
        "suite": run.record.suite,
        "started": run.record.started,
        "fingerprint": data.fingerprint if data else None,
        "shift_of": shift.of if shift else None,
        "corruption": shift.corruption if shift else None,
        "severity": shift.severity if shift else None,
        "cell": cell.id,
    }


def _versions(cell: CellRecord) -> str:
    """Name the project's own distributions; all others are in the cell's record."""
    own = {name: v for name, v in cell.versions.items() if name.partition("-")[0] == "adharness"}
    return ";".join(f"{name}=={version}" for name, version in sorted(own.items()))
