"""Intervals of the difference of two cells that judged the same images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import numpy as np

from adharness.arrays import AnyArray
from adharness.metrics.costs import MistakeCosts
from adharness.metrics.evaluate import DEFAULT_COSTS
from adharness.metrics.table import find_metric
from adharness.report.leaderboard import headline_class
from adharness.report.reading import ImageScores, PixelReplicates
from adharness.statistics import (
    Drawn,
    IntervalKind,
    MacroKind,
    bootstrap_weights,
    join,
    macro_mean,
    replicates_of,
    strata_of,
    units_of,
)
from adharness.store.records import CellRecord
from adharness.store.run_record import RunRecord

HEADLINE = "headline"
"""The scope that compares each protocol's own headline number: macro minus macro or pooled."""

Intervals = Mapping[tuple[str, str], tuple[float, float]]
"""Metric and scope (a class name, `macro`, `pooled` or `headline`) -> low, high."""
Resample = Callable[[CellRecord, CellRecord], Intervals]
"""Paired bootstrap, first cell minus second; without the metrics for which it can't be done."""


Key: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Replicates:
    """Of one cell: what was drawn, and its statistics; those of equal draws are paired."""

    draws: object
    values: Mapping[Key, Drawn]


@dataclass(frozen=True, slots=True)
class Resampling:
    """How images are drawn again, and what is counted on them.

    Parameters
    ----------
    draws
        Bootstrap samples; 0 for no intervals.
    level
        Share of the draws inside the interval, in (0, 1).
    seed
        Every cell sees the same draws, so an interval does not depend on its neighbours.
    costs
        What the metrics of costs count by.
    interval, macro
        As under `statistics:` of a suite; runs of before these were there have `percentile`.
    """

    draws: int
    level: float
    seed: int
    costs: MistakeCosts = DEFAULT_COSTS
    interval: IntervalKind = "bca"
    macro: MacroKind = "fixed"

    @classmethod
    def of(cls, run: RunRecord) -> Resampling:
        """Draw and count as the run did."""
        told, costs = run.statistics, run.deployment
        return cls(
            draws=int(told.get("bootstrap") or 0),
            level=float(told.get("level", 0.95)),
            seed=int(told.get("seed", 0)),
            costs=DEFAULT_COSTS
            if costs is None
            else MistakeCosts(*(float(costs[name]) for name in _COSTS)),
            interval="bca" if told.get("interval") == "bca" else "percentile",
            macro="hierarchical" if told.get("macro") == "hierarchical" else "fixed",
        )


_COSTS = ("miss_cost", "false_alarm_cost", "defect_rate")


class Resampler:
    """The paired bootstrap over the images that two cells share.

    Parameters
    ----------
    read
        Gives the image scores of a cell.
    metrics
        Ids of the image level.
    how
        How images are drawn again.
    stored
        Gives the replicates of a cell's pixel and region metrics, which the judge drew: they need
        the maps.

    Notes
    -----
    Images are drawn within class and label, views of one object together, so no draw lacks one of
    them. The thresholds stay.
    """

    def __init__(
        self,
        read: Callable[[CellRecord], ImageScores | None],
        metrics: Sequence[str],
        how: Resampling,
        stored: Callable[[CellRecord], PixelReplicates | None] = lambda _: None,
    ) -> None:
        self._read, self._metrics, self.how, self._stored = read, metrics, how, stored
        self._known: dict[str, list[_Replicates]] = {}

    def intervals(self, first: CellRecord, second: CellRecord) -> Intervals:
        """Interval of first minus second, of all metrics and scopes."""
        headline = headline_class(second.protocol)
        drawn = {
            key: one
            for mine, theirs in self._pairs(first, second)
            for key, one in _differences(mine, theirs, headline).items()
        }
        how = self.how
        found = {key: one.interval(how.level, how.interval) for key, one in drawn.items()}
        return {key: ends for key, ends in found.items() if np.isfinite(ends).all()}

    def difference(self, first: CellRecord, second: CellRecord, key: Key) -> Drawn | None:
        """First minus second, of one metric and scope; None where it can't be drawn."""
        for mine, theirs in self._pairs(first, second):
            if key in mine.values and key in theirs.values:
                return mine.values[key].minus(theirs.values[key])
        return None

    def of(self, cell: CellRecord, key: Key) -> Drawn | None:
        """One metric and scope of a cell; None where it can't be drawn."""
        found = (one.values[key] for one in self._replicated(cell) if key in one.values)
        return next(found, None)

    def _pairs(
        self, first: CellRecord, second: CellRecord
    ) -> Iterator[tuple[_Replicates, _Replicates]]:
        for mine, theirs in product(self._replicated(first), self._replicated(second)):
            if mine.draws == theirs.draws:
                yield mine, theirs

    def _replicated(self, cell: CellRecord) -> list[_Replicates]:
        if self.how.draws < 1:
            return []
        if cell.id not in self._known:
            scores, pixels = self._read(cell), self._stored(cell)
            found = [_replicates(scores, self._metrics, self.how)] if scores else []
            found += [_of_pixels(pixels, self.how)] if pixels else []
            self._known[cell.id] = found
        return self._known[cell.id]


def _replicates(scores: ImageScores, metrics: Sequence[str], how: Resampling) -> _Replicates:
    order = np.argsort(scores.samples)
    samples, classes, labels, values, threshold, groups = (
        getattr(scores, name)[order] for name in ImageScores.__slots__
    )
    units = units_of(groups.tolist(), classes.tolist())
    strata = strata_of(labels, classes, units)
    rng = np.random.default_rng(how.seed)
    weights = bootstrap_weights(strata, how.draws, rng, units)
    found: dict[Key, Drawn] = {}

    def judge(scope: str, taken: AnyArray) -> None:
        known = bool(np.isfinite(threshold[taken]).all())  # NaN where nothing could fit one
        names = [name for name in metrics if known or not find_metric(name).at_threshold]
        sampling = join([weights[:, taken]], [strata[taken]], [units[taken]], rng)
        of_scope = {name: np.full(len(sampling.weights), np.nan) for name in metrics}
        of_scope |= replicates_of(
            names,
            labels[taken],
            values[taken],
            sampling.weights,
            threshold[taken] if known else None,
            how.costs,
        )
        found.update({(metric, scope): sampling.read(of) for metric, of in of_scope.items()})

    names = [str(name) for name in np.unique(classes)]
    for name in names:
        judge(name, classes == name)
    judge("pooled", np.ones(len(labels), dtype=bool))
    draws = samples.tolist(), strata.tolist(), units.tolist()
    return _Replicates(draws, _with_macro(found, how.macro))


def _of_pixels(pixels: PixelReplicates, how: Resampling) -> _Replicates:
    return _Replicates(pixels.draws, _with_macro(pixels.values, how.macro))


def _with_macro(values: Mapping[Key, Drawn], macro: MacroKind) -> dict[Key, Drawn]:
    """Add the mean over the classes that are there; where one failed, no gap is shown."""
    found = dict(values)
    for metric in dict.fromkeys(metric for metric, _ in values):
        of_classes = [v for (m, scope), v in values.items() if m == metric and scope != "pooled"]
        if of_classes:
            found[metric, "macro"] = macro_mean(of_classes, macro)
    return found


def _differences(first: _Replicates, second: _Replicates, headline: str) -> dict[Key, Drawn]:
    mine, theirs = first.values, second.values
    found = {key: mine[key].minus(theirs[key]) for key in mine.keys() & theirs.keys()}
    for metric, scope in mine:
        if scope == "macro" and (metric, headline) in theirs:
            found[metric, HEADLINE] = _unlike(mine[metric, "macro"], theirs[metric, headline])
    return found


def _unlike(macro: Drawn, headline: Drawn) -> Drawn:
    """Difference of a macro and a pooled number: their images are left out in other rows."""
    if len(macro.influence) == len(headline.influence):
        return macro.minus(headline)
    none = np.zeros(0), np.zeros(0, np.int64)
    return Drawn(macro.estimate, macro.replicates, *none).minus(
        Drawn(headline.estimate, headline.replicates, *none)
    )
