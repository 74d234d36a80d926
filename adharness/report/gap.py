"""The unification gap: what a method loses when the class is hidden from it.

Per-class minus unified, in the metric's own unit: positive where a higher-is-better number fell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from adharness.arrays import Float64, Int64
from adharness.report.leaderboard import (
    AGGREGATES,
    HEADLINE_METRIC,
    Group,
    Leaderboard,
    Standing,
    find_value,
    headline_class,
    rows_of,
)
from adharness.report.reading import ImageScores
from adharness.report.resampling import bootstrap_weights, weighted_auroc
from adharness.report.seeds import Score, over_seeds
from adharness.store.records import CellRecord, Value

REFERENCE = "per-class"
UNIFIED = ("model-unified", "absolute-unified")
HEADLINE = "headline"
"""The scope that compares each protocol's own headline number: macro minus macro or pooled."""

Intervals = Mapping[str, tuple[float, float]]
"""Scope (a class name, `macro`, `pooled` or `headline`) -> low, high."""
Resample = Callable[[CellRecord, CellRecord], Intervals]
"""Paired bootstrap of image AUROC, first cell minus second; empty where it can't be done."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Per-class minus `versus`, of one metric, for a class or an aggregate."""

    dataset: str
    method: str
    normalizer: str
    thresholder: str
    versus: str
    scope: str
    metric: str
    class_oracle: bool
    score: Score


def unification_gaps(board: Leaderboard, resample: Resample | None = None) -> list[Gap]:
    """Gaps of every method that has both cells, in the order of the board.

    Parameters
    ----------
    board
        Cells are paired by data set, method, normalizer, thresholder and seed.
    resample
        Gives the intervals; without it there are none.

    Notes
    -----
    Undefined, with the reason, where either side is. So are the gaps of `headline`, `macro` and
    `pooled` where a class failed: they would compare different sets of classes.
    Several seeds give the mean difference and its spread; only one seed keeps an interval.
    """
    by_key = {(s.group, s.method): s for s in board.standings}
    gaps: list[Gap] = []
    for standing in board.standings:
        if standing.group.protocol != REFERENCE:
            continue
        for versus in UNIFIED:
            other = by_key.get((standing.group._replace(protocol=versus), standing.method))
            if other is not None:
                gaps.extend(_gaps(board.run.metrics, standing, other, resample))
    return gaps


def _gaps(
    metrics: Sequence[str], first: Standing, second: Standing, resample: Resample | None
) -> Iterator[Gap]:
    pairs = _same_seeds(first.cells, second.cells)
    intervals = resample(*pairs[0]) if resample and len(pairs) == 1 else {}
    group: Group = second.group
    for scope in _scopes(first.cells):
        for metric in metrics:
            score = over_seeds([_difference(a, b, scope, metric) for a, b in pairs])
            if metric == HEADLINE_METRIC and score.value is not None and scope in intervals:
                low, high = intervals[scope]
                score = Score(score.value, low, high)
            yield Gap(
                group.dataset,
                first.method,
                group.normalizer,
                group.thresholder,
                group.protocol,
                scope,
                metric,
                any(cell.class_oracle for cell in second.cells),
                score,
            )


def _same_seeds(
    first: Sequence[CellRecord], second: Sequence[CellRecord]
) -> list[tuple[CellRecord, CellRecord]]:
    by_seed = {cell.seed: cell for cell in second}
    return [(cell, by_seed[cell.seed]) for cell in first if cell.seed in by_seed]


def _scopes(cells: Sequence[CellRecord]) -> list[str]:
    classes = dict.fromkeys(row.class_name for cell in cells for row in rows_of(cell))
    return [HEADLINE, *AGGREGATES, *(name for name in classes if name not in AGGREGATES)]


def _difference(first: CellRecord, second: CellRecord, scope: str, metric: str) -> Value:
    sides = []
    for cell in (first, second):
        if scope in (HEADLINE, *AGGREGATES) and cell.status == "partial":
            return Value(value=None, reason=f"{cell.protocol}: failed for some classes")
        row = headline_class(cell.protocol) if scope == HEADLINE else scope
        value = find_value(cell, row, metric)
        if value.value is None:
            return Value(value=None, reason=f"{cell.protocol}: {value.reason or 'undefined'}")
        sides.append(value.value)
    return Value(value=sides[0] - sides[1])


def paired_auroc(
    read: Callable[[str], ImageScores | None], *, draws: int, level: float, seed: int
) -> Resample:
    """Make the paired bootstrap over the images that two cells share.

    Parameters
    ----------
    read
        Cell id -> its image scores.
    draws
        Bootstrap samples; 0 for no intervals.
    level
        Share of the draws inside the interval, in (0, 1).
    seed
        Every pair sees the same draws, so an interval does not depend on its neighbours.

    Notes
    -----
    Images are drawn within class and label, so no draw lacks one of them. The thresholder does not
    touch the scores: pairs that differ only in it are computed once.
    """
    known: dict[tuple[str, ...], Intervals] = {}

    def resample(first: CellRecord, second: CellRecord) -> Intervals:
        key = (first.dataset, first.method, first.normalizer, second.protocol, str(first.seed))
        if key not in known:
            sides = read(first.id), read(second.id)
            if draws < 1 or sides[0] is None or sides[1] is None:
                return {}
            rng = np.random.default_rng(seed)
            pooled = headline_class(second.protocol) == "pooled"
            drawn = _draws(sides[0], sides[1], draws, rng, pooled_headline=pooled)
            known[key] = {scope: _quantiles(values, level) for scope, values in drawn.items()}
        return known[key]

    return resample


def _draws(
    first: ImageScores,
    second: ImageScores,
    draws: int,
    rng: np.random.Generator,
    *,
    pooled_headline: bool,
) -> dict[str, Float64]:
    one, two = np.argsort(first.samples), np.argsort(second.samples)
    if not np.array_equal(first.samples[one], second.samples[two]):
        return {}
    classes, labels = first.classes[one], first.labels[one]
    strata = np.unique(np.stack([np.unique(classes, return_inverse=True)[1], labels]), axis=1,
                       return_inverse=True)[1]  # fmt: skip
    weights = bootstrap_weights(strata, draws, rng)
    sides = [
        _aurocs(classes, labels, values, weights)
        for values in (first.scores[one], second.scores[two])
    ]
    found = {scope: sides[0][scope] - sides[1][scope] for scope in sides[0]}
    found[HEADLINE] = sides[0]["macro"] - sides[1]["pooled" if pooled_headline else "macro"]
    return {scope: values for scope, values in found.items() if np.isfinite(values).all()}


def _aurocs(classes: Float64, labels: Int64, scores: Float64, weights: Int64) -> dict[str, Float64]:
    by_class = {
        str(name): weighted_auroc(labels[members], scores[members], weights[:, members])
        for name in np.unique(classes)
        for members in [classes == name]
    }
    macro = np.mean(list(by_class.values()), axis=0)
    return {**by_class, "macro": macro, "pooled": weighted_auroc(labels, scores, weights)}


def _quantiles(values: Float64, level: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
