"""Intervals of the difference of two cells that judged the same images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from adharness.arrays import AnyArray, Float64
from adharness.metrics.costs import MistakeCosts
from adharness.metrics.evaluate import DEFAULT_COSTS
from adharness.metrics.table import find_metric
from adharness.report.leaderboard import headline_class
from adharness.report.reading import ImageScores, PixelReplicates
from adharness.statistics import (
    bootstrap_weights,
    interval,
    macro_replicates,
    paired_difference,
    replicates_of,
    strata_of,
)
from adharness.store.records import CellRecord
from adharness.store.run_record import RunRecord

HEADLINE = "headline"
"""The scope that compares each protocol's own headline number: macro minus macro or pooled."""

Intervals = Mapping[tuple[str, str], tuple[float, float]]
"""Metric and scope (a class name, `macro`, `pooled` or `headline`) -> low, high."""
Resample = Callable[[CellRecord, CellRecord], Intervals]
"""Paired bootstrap, first cell minus second; without the metrics for which it can't be done."""


@dataclass(frozen=True, slots=True)
class _Replicates:
    """Of one cell: what was drawn, and (B,) values by metric and scope; equal draws are paired."""

    draws: object
    values: Mapping[tuple[str, str], Float64]


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
    """

    draws: int
    level: float
    seed: int
    costs: MistakeCosts = DEFAULT_COSTS

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
        )


_COSTS = ("miss_cost", "false_alarm_cost", "defect_rate")


def paired_intervals(
    read: Callable[[CellRecord], ImageScores | None],
    metrics: Sequence[str],
    how: Resampling,
    stored: Callable[[CellRecord], PixelReplicates | None] = lambda _: None,
) -> Resample:
    """Make the paired bootstrap over the images that two cells share.

    Parameters
    ----------
    read
        Gives the image scores of a cell.
    metrics
        Ids of the image level.
    stored
        Gives the replicates of a cell's pixel and region metrics, which the judge drew: they need
        the maps.

    Notes
    -----
    Images are drawn within class and label, so no draw lacks one of them. The thresholds stay.
    """
    known: dict[str, list[_Replicates]] = {}

    def replicated(cell: CellRecord) -> list[_Replicates]:
        if cell.id not in known:
            scores, pixels = read(cell), stored(cell)
            known[cell.id] = [_replicates(scores, metrics, how)] if scores else []
            known[cell.id] += [_of_pixels(pixels)] if pixels else []
        return known[cell.id]

    def resample(first: CellRecord, second: CellRecord) -> Intervals:
        if how.draws < 1:
            return {}
        drawn: dict[tuple[str, str], Float64] = {}
        for mine, theirs in product(replicated(first), replicated(second)):
            if mine.draws == theirs.draws:
                drawn |= _differences(mine, theirs, headline_class(second.protocol))
        found = {key: interval(values, how.level) for key, values in drawn.items()}
        return {key: ends for key, ends in found.items() if np.isfinite(ends).all()}

    return resample


def _replicates(scores: ImageScores, metrics: Sequence[str], how: Resampling) -> _Replicates:
    order = np.argsort(scores.samples)
    samples, classes, labels, values, threshold = (
        getattr(scores, name)[order] for name in ImageScores.__slots__
    )
    strata = strata_of(labels, classes)
    weights = bootstrap_weights(strata, how.draws, np.random.default_rng(how.seed))
    found: dict[tuple[str, str], Float64] = {}

    def judge(scope: str, taken: AnyArray) -> None:
        known = bool(np.isfinite(threshold[taken]).all())  # NaN where nothing could fit one
        names = [name for name in metrics if known or not find_metric(name).at_threshold]
        of_scope = {name: np.full(how.draws, np.nan) for name in metrics} | replicates_of(
            names,
            labels[taken],
            values[taken],
            weights[:, taken],
            threshold[taken] if known else None,
            how.costs,
        )
        found.update({(metric, scope): drawn for metric, drawn in of_scope.items()})

    names = [str(name) for name in np.unique(classes)]
    for name in names:
        judge(name, classes == name)
    judge("pooled", np.ones(len(labels), dtype=bool))
    return _Replicates((samples.tolist(), strata.tolist()), _with_macro(found))


def _of_pixels(pixels: PixelReplicates) -> _Replicates:
    return _Replicates(pixels.draws, _with_macro(pixels.values))


def _with_macro(values: Mapping[tuple[str, str], Float64]) -> dict[tuple[str, str], Float64]:
    """Add the mean over the classes that are there; where one failed, no gap is shown."""
    found = dict(values)
    for metric in dict.fromkeys(metric for metric, _ in values):
        of_classes = [v for (m, scope), v in values.items() if m == metric and scope != "pooled"]
        if of_classes:
            found[metric, "macro"] = macro_replicates(of_classes)
    return found


def _differences(
    first: _Replicates, second: _Replicates, headline: str
) -> dict[tuple[str, str], Float64]:
    mine, theirs = first.values, second.values
    found = {key: paired_difference(mine[key], theirs[key]) for key in mine.keys() & theirs.keys()}
    for metric, scope in mine:
        if scope == "macro" and (metric, headline) in theirs:
            sides = mine[metric, "macro"], theirs[metric, headline]
            found[metric, HEADLINE] = paired_difference(*sides)
    return found
