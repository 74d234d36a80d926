"""Whether methods differ over classes: average ranks, and which of them do not differ.

Here the classes are the sample: it asks whether a method would be ahead on other classes too, which
a comparison over the images of these classes does not. Needs classes enough to say anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import scipy  # scipy.stats loads at its first use, not here

from adharness.arrays import Float64
from adharness.report.leaderboard import (
    AGGREGATES,
    HEADLINE_METRIC,
    Group,
    Leaderboard,
    Standing,
    rows_of,
    score_of,
)
from adharness.report.metric_names import metric_name
from adharness.statistics import holm

CLASSES = 6
"""Fewer classes than this say nothing: with 5 no two-sided signed-rank test is below 0.06."""


@dataclass(frozen=True, slots=True)
class ClassRanks:
    """The methods of a ranking over its classes.

    Parameters
    ----------
    methods, average_ranks
        From the best on; 1 is best, equal numbers share the mean of their ranks.
    friedman_p
        p-value that no method differs from another; None for two methods.
    adjusted
        Pair of methods -> p-value of Wilcoxon's signed-rank test, adjusted by Holm for all pairs.
    cliques
        Runs of neighbours in the order of `methods` of which no pair differs, each as long as it
        can be; what a critical-difference diagram joins by a bar.
    level
        A pair differs where its adjusted p-value is below 1 - level.
    """

    group: Group
    classes: tuple[str, ...]
    methods: tuple[str, ...]
    average_ranks: tuple[float, ...]
    friedman_p: float | None
    adjusted: Mapping[tuple[str, str], float]
    cliques: tuple[tuple[str, ...], ...]
    level: float


def class_ranks(board: Leaderboard) -> list[ClassRanks]:
    """Rank the methods of every group by their headline metric in each class.

    Notes
    -----
    Groups with fewer than `CLASSES` classes, with one method, or with a method that is undefined in
    a class, are left out. Several seeds count by their mean.

    References
    ----------
    Demsar, Statistical comparisons of classifiers over multiple data sets, JMLR 7, 2006 (ranks,
    Friedman, the diagram); Benavoli, Corani and Mangili, Should we really use post-hoc tests based
    on mean-ranks?, JMLR 17, 2016 (Wilcoxon and Holm in place of mean ranks).
    """
    groups: dict[Group, list[Standing]] = {}
    for standing in board.standings:
        if standing.rank is not None:
            groups.setdefault(standing.group, []).append(standing)
    level = float(board.run.statistics.get("level", 0.95))
    found = (_ranks(group, standings, level) for group, standings in groups.items())
    return [one for one in found if one is not None]


def without_thresholds(several: Sequence[ClassRanks]) -> list[ClassRanks]:
    """Keep one of those that differ in nothing but the thresholder, which changes no ranking."""
    kept: dict[object, ClassRanks] = {}
    for one in several:
        key = one.group._replace(thresholder=""), one.methods, one.average_ranks
        kept.setdefault(key, one)
    return list(kept.values())


def _ranks(group: Group, standings: Sequence[Standing], level: float) -> ClassRanks | None:
    names = [row.class_name for row in rows_of(standings[0].cells[0])]
    classes = [name for name in names if name not in AGGREGATES]
    scores = [[score_of(s.cells, name, HEADLINE_METRIC).value for name in classes]
              for s in standings]  # fmt: skip
    if len(classes) < CLASSES or len(standings) < 2:
        return None
    if any(value is None for row in scores for value in row):
        return None
    values = np.array(scores, dtype=np.float64)  # (methods, classes)
    return rank_over_classes(group, classes, [s.method for s in standings], values, level)


def rank_over_classes(
    group: Group, classes: Sequence[str], methods: Sequence[str], values: Float64, level: float
) -> ClassRanks:
    """Rank methods by their numbers, (methods, classes) float64; see `ClassRanks`."""
    sign = -1.0 if metric_name(HEADLINE_METRIC).direction == "higher" else 1.0
    averages = scipy.stats.rankdata(sign * values, axis=0).mean(axis=1)
    order = np.argsort(averages, kind="stable")
    names = [methods[i] for i in order]
    pairs = list(combinations(order.tolist(), 2))
    adjusted = holm(_wilcoxons(np.array([values[a] - values[b] for a, b in pairs])))
    by_pair = {(methods[a], methods[b]): p for (a, b), p in zip(pairs, adjusted, strict=True)}
    same = {pair for pair, p in by_pair.items() if p >= 1 - level}
    return ClassRanks(
        group=group,
        classes=tuple(classes),
        methods=tuple(names),
        average_ranks=tuple(float(averages[i]) for i in order),
        friedman_p=_friedman(values),
        adjusted=by_pair,
        cliques=tuple(_cliques(names, same)),
        level=level,
    )


def _wilcoxons(differences: Float64) -> list[float]:
    """Test each row of differences over classes, (pairs, classes) float64.

    Rows without zeros and ties go through one call: 200 methods are 20,000 pairs.
    """
    if not len(differences):
        return []
    sizes = np.sort(np.abs(differences), axis=1)
    distinct = (sizes[:, 0] > 0) & np.all(np.diff(sizes, axis=1) > 0, axis=1)
    if differences.shape[1] > 50:
        distinct[:] = False
    tested = np.ones(len(differences))
    if distinct.any():
        tested[distinct] = scipy.stats.wilcoxon(
            differences[distinct], axis=1, method="exact"
        ).pvalue
    for row in np.flatnonzero(~distinct):
        tested[row] = _wilcoxon(differences[row])
    return [float(each) for each in tested]


def _wilcoxon(differences: Float64) -> float:
    """Test two methods over classes; equal classes are left out, and all equal is no difference."""
    different = differences[differences != 0]
    if not len(different):
        return 1.0
    ties = len(np.unique(np.abs(different))) < len(different)
    exact = not ties and len(different) <= 50
    return float(scipy.stats.wilcoxon(different, method="exact" if exact else "approx").pvalue)


def _friedman(values: Float64) -> float | None:
    if len(values) < 3:
        return None
    return (
        1.0 if np.all(values == values[0]) else float(scipy.stats.friedmanchisquare(*values).pvalue)
    )


def _cliques(names: Sequence[str], same: set[tuple[str, str]]) -> list[tuple[str, ...]]:
    """Longest runs of neighbours in which every pair is among `same`; runs of one are none."""
    runs: list[tuple[int, int]] = []
    for start in range(len(names)):
        end = start + 1
        while end < len(names) and all((names[i], names[end]) in same for i in range(start, end)):
            end += 1
        if end - start > 1 and (not runs or end > runs[-1][1]):
            runs.append((start, end))
    return [tuple(names[start:end]) for start, end in runs]
