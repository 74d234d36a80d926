"""Measure the numbers of a cell again, by the judge itself, and say which are not as claimed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from adharness.arrays import Int64
from adharness.bundle.claims import deployment_of, statistics_of
from adharness.bundle.images import CellScores, StoredImages
from adharness.engine.draws import POOLED
from adharness.engine.judge import Referee, Table
from adharness.engine.measured import Measured
from adharness.engine.truth import Truth
from adharness.metrics import find_metric
from adharness.store.records import CellRecord, Row, Value
from adharness.store.run_record import RunRecord

TOLERANCE = 1e-9
"""Largest difference of a number from what is measured again; costs count relative to 1."""


KEPT = 500
"""Rankings that are remembered, for the cells that share them lie side by side."""


class Disagreement(NamedTuple):
    """A number that is not what the stored scores give."""

    cell: str
    row: str
    metric: str
    what: str
    """`value`, `low`, `high`, `normals` and so on."""
    claimed: object
    found: object

    def __str__(self) -> str:
        return (
            f"cell {self.cell}, {self.row}, {self.metric}: {self.what} is {self.claimed}, "
            f"the scores give {self.found}"
        )


@dataclass(eq=False)
class Recomputation:
    """Judges the cells of one run again; what cells share is drawn once."""

    run: RunRecord
    _referees: dict[str, Referee] = field(default_factory=dict)
    _measured: dict[tuple[object, ...], dict[str, Measured]] = field(default_factory=dict)

    @cached_property
    def metrics(self) -> list[str]:
        """Image metrics: all that scores alone can tell."""
        return [name for name in self.run.metrics if find_metric(name).level == "image"]

    def referee(self, images: StoredImages) -> Referee:
        """Give the judge of these images, with their draws."""
        if images.key not in self._referees:
            self._referees[images.key] = Referee(
                images,
                Truth({}, {}, {}),
                self.metrics,
                statistics_of(self.run),
                deployment=deployment_of(self.run),
            )
        return self._referees[images.key]

    def disagreements(self, cell: CellRecord, scores: CellScores) -> list[Disagreement]:
        """Compare every image metric of every row with what the scores give."""
        referee = self.referee(scores.images)
        failures = {row.class_name: row.failure for row in cell.rows if row.failure}
        normalized = self._table(referee, scores, cell, raw=False)
        as_raw = self._table(referee, scores, cell, raw=True)
        rows, others = (
            {row.class_name: row for row in referee.rows(table, failures)}
            for table in (normalized, as_raw)
        )
        return [one for row in cell.rows for one in self._row(cell, row, (rows, others))]

    def _row(
        self, cell: CellRecord, row: Row, tables: tuple[Mapping[str, Row], Mapping[str, Row]]
    ) -> list[Disagreement]:
        """Let a row agree with one reading of the scores as a whole, not number by number."""
        first, second = (
            list(self._differences(cell, row, table[row.class_name])) for table in tables
        )
        return first if not first or second else []

    def _differences(self, cell: CellRecord, row: Row, found: Row) -> Iterator[Disagreement]:
        if row.status != found.status:
            yield Disagreement(cell.id, row.class_name, "-", "status", row.status, found.status)
        elif row.status == "ok":
            for what in ("normals", "anomalies"):
                claimed, counted = getattr(row, what), getattr(found, what)
                if claimed != counted:
                    yield Disagreement(cell.id, row.class_name, "-", what, claimed, counted)
            for name in self.metrics:
                yield from differences_of(
                    (cell.id, row.class_name, name), row.metrics[name], found.metrics[name]
                )

    def _table(self, referee: Referee, scores: CellScores, cell: CellRecord, *, raw: bool) -> Table:
        every = np.arange(len(scores.scores), dtype=np.int64)
        rows = referee.rows_of(every) if len(every) else {}
        table: Table = {
            row: self._ranking(referee, row, chosen, scores, raw=raw)
            for row, chosen in rows.items()
        }
        known = np.flatnonzero(np.isfinite(scores.threshold)).astype(np.int64)
        decided: Table = {}
        if len(known):
            decided = referee.decisions(known, scores.scores[known], scores.threshold[known])
        return {
            row: ranked | decided.get(row, referee.undecided(_reason(cell, row)))
            for row, ranked in table.items()
        }

    def _ranking(
        self, referee: Referee, row: str, chosen: Int64, scores: CellScores, *, raw: bool
    ) -> dict[str, Measured]:
        """Rank the images of a row, of a class by the raw scores if the normalized ones follow.

        The engine ranks a class by its raw scores where a normalizer promises to keep their order:
        on the normalizer's scale rounding may tie two of them.
        """
        values, own = scores.scores[chosen], scores.raw[chosen]
        if not raw or row == POOLED or not _follows(own, values):
            return self._measure(referee, row, chosen, scores, ("order", "scale"), of="scores")
        return {
            **self._measure(referee, row, chosen, scores, ("order",), of="raw"),
            **self._measure(referee, row, chosen, scores, ("scale",), of="scores"),
        }

    def _measure(
        self, referee: Referee, row: str, chosen: Int64, scores: CellScores,
        kinds: tuple[str, ...], of: str,
    ) -> dict[str, Measured]:  # fmt: skip
        values = getattr(scores, of)[chosen]
        key = (scores.images.key, row, kinds, values.tobytes())
        if key not in self._measured:
            if len(self._measured) >= KEPT:
                self._measured.clear()
            self._measured[key] = referee.ranking(
                row,
                chosen,
                values,
                None,
                frozenset(kinds),  # type: ignore[arg-type]
            )
        return self._measured[key]


def differences_of(
    place: tuple[str, str, str], claimed: Value, found: Value, tolerance: float = TOLERANCE
) -> Iterator[Disagreement]:
    """Yield where two values differ by more than the tolerance, or in why they are undefined."""
    for what in ("value", "low", "high"):
        mine, theirs = getattr(claimed, what), getattr(found, what)
        if not close(mine, theirs, tolerance):
            yield Disagreement(*place, what, mine, theirs)
    if claimed.spread != found.spread:
        yield Disagreement(*place, "spread", claimed.spread, found.spread)
    if claimed.reason != found.reason:
        yield Disagreement(*place, "reason", claimed.reason, found.reason)


def close(first: float | None, second: float | None, tolerance: float = TOLERANCE) -> bool:
    """Whether two numbers are equal within the tolerance, relative above 1; None equals None."""
    if first is None or second is None:
        return first is second
    return abs(first - second) <= tolerance * max(1.0, abs(first), abs(second))


def _follows(raw: Sequence[float] | np.ndarray, values: np.ndarray) -> bool:
    order = np.argsort(np.asarray(raw), kind="stable")
    steps = np.diff(np.asarray(raw)[order])
    moves = np.diff(values[order])
    return bool(np.all(moves >= 0) and np.all(moves[steps == 0] == 0))


def _reason(cell: CellRecord, row: str) -> str | None:
    """Why nothing was decided, in the record's words: imported scores lack held-out images."""
    told = next((one for one in cell.rows if one.class_name == row), None)
    values = told.metrics.items() if told else ()
    deciding = (v for name, v in values if _decides(name))
    return next((value.reason for value in deciding if value.value is None), None)


def _decides(metric: str) -> bool:
    spec = find_metric(metric)
    return spec.level == "image" and spec.at_threshold
