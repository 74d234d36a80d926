"""Two runs, cell by cell: what moved, by how much, and whether chance over the images explains it.

Everywhere second minus first: the first run is the one that was there before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from adharness.arrays import AnyArray
from adharness.errors import StoreError
from adharness.report.comparable import Difference, conditions, differences
from adharness.report.leaderboard import AGGREGATES, AXES, find_value, rows_of
from adharness.report.metric_names import MetricName, metric_name
from adharness.report.paired import Intervals, Resampler, Resampling
from adharness.report.reading import ImageScores, read_replicates, read_run, read_scores
from adharness.report.regression import BAD, Rule, Verdict
from adharness.report.seeds import is_defined
from adharness.store.records import CellRecord, Value
from adharness.store.run_record import RunRecord


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs, with the cells that are there and whole."""

    folder: Path
    run: RunRecord
    cells: tuple[CellRecord, ...]

    @property
    def whole(self) -> bool:
        """Whether the run ended, and everything that it stored is still there."""
        return self.run.finished is not None and len(self.cells) == len(self.run.cells)


class Pair(NamedTuple):
    """The same cell of both runs; where methods were matched by hand, of two methods."""

    first: CellRecord
    second: CellRecord


@dataclass(frozen=True, slots=True)
class Line:
    """One metric of one row of a pair. `interval` is of second minus first, in shares of one."""

    pair: Pair
    class_name: str
    metric: MetricName
    before: Value
    after: Value
    interval: tuple[float, float] | None
    verdict: Verdict

    @property
    def difference(self) -> float | None:
        """Second minus first; None where either is undefined."""
        return _difference(self.before, self.after)

    @property
    def bad(self) -> bool:
        """Whether it is a regression, or a number that was lost."""
        return self.verdict in BAD


class Paired(NamedTuple):
    """Pairs in the order of the first run, and the cells that only one run has."""

    pairs: list[Pair]
    only_first: list[CellRecord]
    only_second: list[CellRecord]


def read_side(folder: Path) -> Side:
    """Read a run.

    Raises
    ------
    StoreError
        If the folder is not a run's, or none of its cells is there.
    """
    run, cells = read_run(folder)
    if not cells:
        told = f"none of its {len(run.cells)} cells is stored whole"
        if not run.cells and run.finished is None:
            told = "its run is not finished"
        raise StoreError(
            f"{folder} holds no result: {told}",
            hint="run the suite again; what is stored is found",
        )
    return Side(folder, run, tuple(cells))


def pair_cells(
    first: Sequence[CellRecord],
    second: Sequence[CellRecord],
    methods: Mapping[str, Sequence[str]] | None = None,
) -> Paired:
    """Find the cells that agree in data set, protocol, normalizer, thresholder and seed.

    Parameters
    ----------
    methods
        Method of the first run -> those of the second it is compared with. By default each method
        with the one of its name; otherwise no other is compared.
    """
    by_key = {_key(cell): cell for cell in second}
    pairs = [
        Pair(cell, by_key[_key(cell, name)])
        for cell in first
        for name in (methods.get(cell.method, ()) if methods else (cell.method,))
        if _key(cell, name) in by_key
    ]
    if methods:
        return Paired(pairs, [], [])
    taken = {_key(pair.first) for pair in pairs}
    return Paired(
        pairs,
        [cell for cell in first if _key(cell) not in taken],
        [cell for cell in second if _key(cell) not in taken],
    )


def _key(cell: CellRecord, method: str | None = None) -> tuple[object, ...]:
    named = {"method": method} if method else {}
    return tuple(named.get(axis, getattr(cell, axis)) for axis in AXES)


def refusals(first: Side, second: Side, pairs: Sequence[Pair]) -> dict[Difference, list[str]]:
    """Give what keeps the pairs apart, each with the data sets that it concerns."""
    found: dict[Difference, list[str]] = {}
    for pair in pairs:
        sides = conditions(first.run, pair.first), conditions(second.run, pair.second)
        for difference in differences(*sides):
            places = found.setdefault(difference, [])
            if pair.first.dataset not in places:
                places.append(pair.first.dataset)
    return found


def row_names(pair: Pair) -> list[str]:
    """Give the names of all rows that either cell has, those of the first in order."""
    return list(dict.fromkeys(row.class_name for cell in pair for row in rows_of(cell)))


def compare_pair(
    first: Side,
    second: Side,
    pair: Pair,
    rows: Sequence[str],
    metrics: Sequence[str],
    rule: Rule,
) -> Iterator[Line]:
    """Compare rows of a pair.

    Parameters
    ----------
    rows
        Names of classes, `macro` or `pooled`; from `row_names`.
    metrics
        Ids that both runs measured. Those of the image level have an interval: the paired bootstrap
        of the first run's statistics over the images that both cells scored. Pixel and region
        metrics have one where both judges stored replicates of the same draws.

    Notes
    -----
    A mean over classes, or over images, of a cell that failed for some of them has no value.
    """
    intervals = _intervals(first, second, pair, metrics)
    for class_name in rows:
        for metric in metrics:
            before, after = (_value(cell, class_name, metric) for cell in pair)
            ends = intervals.get((metric, class_name))
            if _difference(before, after) is None:
                ends = None
            name = metric_name(metric)
            verdict = rule.verdict(before.value, after.value, ends, name.direction)
            yield Line(pair, class_name, name, before, after, ends, verdict)


def _difference(before: Value, after: Value) -> float | None:
    if before.value is None or after.value is None:
        return None
    known = is_defined(before.value) and is_defined(after.value)
    return after.value - before.value if known else None


def _value(cell: CellRecord, class_name: str, metric: str) -> Value:
    if class_name in AGGREGATES and cell.status == "partial":
        return Value(value=None, reason="failed for some classes")
    return find_value(cell, class_name, metric)


def _intervals(first: Side, second: Side, pair: Pair, metrics: Sequence[str]) -> Intervals:
    scores = read_scores(first.folder, pair.first), read_scores(second.folder, pair.second)
    if scores[0] is None or scores[1] is None:
        return {}
    shared = np.intersect1d(scores[0].samples, scores[1].samples)
    if not len(shared):
        return {}
    # Cells of two runs may have one id: what a plugin's new version changed is no part of it.
    told = {"first": scores[0], "second": scores[1]}
    pixels = {
        "first": read_replicates(first.folder, pair.first),
        "second": read_replicates(second.folder, pair.second),
    }
    before, after = (
        cell.model_copy(update={"id": name}) for name, cell in zip(told, pair, strict=True)
    )
    resampler = Resampler(
        lambda cell: _among(told[cell.id], shared),
        [m for m in metrics if metric_name(m).level == "image"],
        Resampling.of(first.run),
        lambda cell: pixels[cell.id],
    )
    return resampler.intervals(after, before)


def _among(scores: ImageScores, samples: AnyArray) -> ImageScores:
    kept = np.isin(scores.samples, samples)
    return ImageScores(*(getattr(scores, name)[kept] for name in ImageScores.__slots__))
