"""The drop under shift: what a method loses when its camera changes after it was deployed.

Clean minus shifted, in the metric's own unit: positive where a higher-is-better number fell. Both
sides have one model, one normalizer and one threshold, those of the clean set.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from adharness.report.leaderboard import AXES, Leaderboard, find_value
from adharness.report.paired import Intervals, Resample
from adharness.report.seeds import Score, over_seeds
from adharness.store.records import CellRecord, Value
from adharness.store.run_record import DatasetRecord


class Drops:
    """Compares each cell of a clean data set with the same cell of its shifts.

    Which sets are pairs is what the run recorded; names are never compared.

    Parameters
    ----------
    board
        All cells of the run.
    resample
        Gives the intervals; without it there are none.
    """

    def __init__(self, board: Leaderboard, resample: Resample | None = None) -> None:
        cells = {entry.cell.id: entry.cell for entry in board.rows}.values()
        self._cells = {_key(cell.dataset, cell): cell for cell in cells}
        self._data = {data.name: data for data in board.run.datasets}
        self._resample = resample
        self._known: dict[tuple[str, str], Intervals] = {}

    def shifts_of(self, dataset: str) -> list[DatasetRecord]:
        """Give the records of the shifts of a clean data set, in the order of the suite."""
        return [d for d in self._data.values() if d.shift is not None and d.shift.of == dataset]

    @property
    def any(self) -> bool:
        """Whether the run has a shift at all."""
        return any(data.shift is not None for data in self._data.values())

    def shift_of(self, cell: CellRecord) -> DatasetRecord | None:
        """Give the record of a cell's data set where that is a shift; None of a clean one."""
        data = self._data.get(cell.dataset)
        return data if data is not None and data.shift is not None else None

    def of(self, cell: CellRecord, class_name: str, metric: str) -> Value | None:
        """Give the drop that belongs beside a row of a cell.

        Returns
        -------
        Of a shifted set's cell its own drop; of a clean set's the mean over its shifts; None where
        the data set has none. Undefined, with the reason, where either side is: a mean over the
        corruptions that happened to work would be another number. Only a single drop
        has an interval.
        """
        data = self.shift_of(cell)
        if data is not None and data.shift is not None:
            clean = self._cells.get(_key(data.shift.of, cell))
            return self._between(clean, cell, data.shift.of, class_name, metric)
        singles = self.singles(cell, class_name, metric)
        return _mean(list(singles.values())) if singles else None

    def singles(self, clean: CellRecord, class_name: str, metric: str) -> Mapping[str, Value]:
        """Drop of a clean set's cell under each of its shifts, by the name of the shifted set."""
        return {
            data.name: Value(value=None, reason=f"no result of {data.name}")
            if shifted is None
            else self._between(clean, shifted, clean.dataset, class_name, metric)
            for data in self.shifts_of(clean.dataset)
            for shifted in [self._cells.get(_key(data.name, clean))]
        }

    def score(
        self, cells: Sequence[CellRecord], class_name: str, metric: str, shifted: str | None = None
    ) -> Score:
        """Drop over the seeds of clean cells, under one shift, or (None) the mean over all."""
        values = [
            self.of(cell, class_name, metric)
            if shifted is None
            else self.singles(cell, class_name, metric).get(shifted)
            for cell in cells
        ]
        none = Value(value=None, reason="the data set has no shift")
        return over_seeds([value or none for value in values])

    def _between(
        self,
        clean: CellRecord | None,
        shifted: CellRecord,
        origin: str,
        class_name: str,
        metric: str,
    ) -> Value:
        if clean is None:
            return Value(value=None, reason=f"no result of {origin}")
        sides = [find_value(cell, class_name, metric) for cell in (clean, shifted)]
        for cell, side in zip((clean, shifted), sides, strict=True):
            if side.value is None:
                return Value(value=None, reason=f"{cell.dataset}: {side.reason or 'undefined'}")
        first, second = (side.value for side in sides)
        assert first is not None  # noqa: S101  told above
        assert second is not None  # noqa: S101
        low, high = self._intervals(clean, shifted).get((metric, class_name), (None, None))
        return Value(value=first - second, low=low, high=high)

    def _intervals(self, clean: CellRecord, shifted: CellRecord) -> Intervals:
        """Resample a pair once for all its rows and metrics."""
        pair = clean.id, shifted.id
        if pair not in self._known:
            self._known[pair] = self._resample(clean, shifted) if self._resample else {}
        return self._known[pair]


def without_shifts(board: Leaderboard) -> Leaderboard:
    """Leave out the standings of shifted sets whose clean set is on the board too.

    The rows stay: a failure is told wherever it happened.
    """
    names = {data.name for data in board.run.datasets}
    kept = [d for d in board.run.datasets if d.shift is None or d.shift.of not in names]
    shown = {data.name for data in kept}
    standings = tuple(s for s in board.standings if s.group.dataset in shown)
    run = board.run.model_copy(update={"datasets": kept})
    return replace(board, run=run, standings=standings)


def _key(dataset: str, cell: CellRecord) -> tuple[object, ...]:
    return dataset, *(getattr(cell, axis) for axis in AXES if axis != "dataset")


def _mean(values: Sequence[Value]) -> Value:
    known = [value.value for value in values if value.value is not None]
    if len(known) < len(values):
        return next(value for value in values if value.value is None)
    return Value(value=math.fsum(known) / len(known))
