"""Intervals of the difference of two cells that judged the same images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from adharness.arrays import AnyArray, Float64
from adharness.metrics.table import find_metric
from adharness.report.leaderboard import headline_class
from adharness.report.reading import ImageScores
from adharness.statistics import (
    bootstrap_weights,
    interval,
    macro_replicates,
    paired_difference,
    replicates_of,
    strata_of,
)
from adharness.store.records import CellRecord

HEADLINE = "headline"
"""The scope that compares each protocol's own headline number: macro minus macro or pooled."""

Intervals = Mapping[tuple[str, str], tuple[float, float]]
"""Metric and scope (a class name, `macro`, `pooled` or `headline`) -> low, high."""
Resample = Callable[[CellRecord, CellRecord], Intervals]
"""Paired bootstrap of image metrics, first cell minus second; empty where it can't be done."""


@dataclass(frozen=True, slots=True)
class _Replicates:
    """Of one cell: its images in order of their names, and (B,) values by metric and scope."""

    samples: AnyArray
    strata: AnyArray
    values: Mapping[tuple[str, str], Float64]


def paired_intervals(
    read: Callable[[CellRecord], ImageScores | None],
    metrics: Sequence[str],
    *,
    draws: int,
    level: float,
    seed: int,
) -> Resample:
    """Make the paired bootstrap over the images that two cells share.

    Parameters
    ----------
    read
        Gives the image scores of a cell.
    metrics
        Ids of the image level.
    draws
        Bootstrap samples; 0 for no intervals.
    level
        Share of the draws inside the interval, in (0, 1).
    seed
        Every cell sees the same draws, so an interval does not depend on its neighbours.

    Notes
    -----
    Images are drawn within class and label, so no draw lacks one of them. The thresholds stay.
    """
    known: dict[str, _Replicates | None] = {}

    def replicated(cell: CellRecord) -> _Replicates | None:
        if cell.id not in known:
            scores = read(cell)
            rng = np.random.default_rng(seed)
            known[cell.id] = None if scores is None else _replicates(scores, metrics, draws, rng)
        return known[cell.id]

    def resample(first: CellRecord, second: CellRecord) -> Intervals:
        if draws < 1:
            return {}
        sides = replicated(first), replicated(second)
        if sides[0] is None or sides[1] is None or not _same_images(sides[0], sides[1]):
            return {}
        drawn = _differences(sides[0], sides[1], metrics, headline_class(second.protocol))
        found = {key: interval(values, level) for key, values in drawn.items()}
        return {key: ends for key, ends in found.items() if np.isfinite(ends).all()}

    return resample


def _replicates(
    scores: ImageScores, metrics: Sequence[str], draws: int, rng: np.random.Generator
) -> _Replicates:
    order = np.argsort(scores.samples)
    samples, classes, labels, values, threshold = (
        getattr(scores, name)[order] for name in ImageScores.__slots__
    )
    strata = strata_of(labels, classes)
    weights = bootstrap_weights(strata, draws, rng)
    found: dict[tuple[str, str], Float64] = {}

    def judge(scope: str, taken: AnyArray) -> None:
        known = bool(np.isfinite(threshold[taken]).all())  # NaN where nothing could fit one
        names = [name for name in metrics if known or not find_metric(name).at_threshold]
        of_scope = {name: np.full(draws, np.nan) for name in metrics} | replicates_of(
            names,
            labels[taken],
            values[taken],
            weights[:, taken],
            threshold[taken] if known else None,
        )
        found.update({(metric, scope): drawn for metric, drawn in of_scope.items()})

    names = [str(name) for name in np.unique(classes)]
    for name in names:
        judge(name, classes == name)
    judge("pooled", np.ones(len(labels), dtype=bool))
    for metric in metrics:
        found[metric, "macro"] = macro_replicates([found[metric, name] for name in names])
    return _Replicates(samples, strata, found)


def _same_images(first: _Replicates, second: _Replicates) -> bool:
    return np.array_equal(first.samples, second.samples) and np.array_equal(
        first.strata, second.strata
    )


def _differences(
    first: _Replicates, second: _Replicates, metrics: Sequence[str], headline: str
) -> dict[tuple[str, str], Float64]:
    found = {
        key: paired_difference(values, second.values[key]) for key, values in first.values.items()
    }
    for metric in metrics:
        sides = first.values[metric, "macro"], second.values[metric, headline]
        found[metric, HEADLINE] = paired_difference(*sides)
    return found
