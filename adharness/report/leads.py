"""How far each method of a ranking is ahead of each other, and how surely."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, repeat
from typing import Literal, TypeAlias

import numpy as np

from adharness.arrays import AnyArray
from adharness.report.leaderboard import HEADLINE_METRIC, Group, Standing, headline_class
from adharness.report.metric_names import metric_name
from adharness.report.paired import Resampler, Single
from adharness.report.reading import ImageScores
from adharness.statistics import (
    Drawn,
    delong,
    detectable,
    holm,
    least_p,
    normal_p,
    over_alike,
    p_value,
)
from adharness.store.records import CellRecord

Test: TypeAlias = Literal["bootstrap", "normal approximation"]
Read: TypeAlias = Callable[[CellRecord], ImageScores | None]
Singles: TypeAlias = Sequence[Single]
"""The headline of a standing: one a seed."""
_Ordered: TypeAlias = Mapping[str, AnyArray]


@dataclass(frozen=True, slots=True)
class Lead:
    """How far one method of a ranking is ahead of another, and how surely.

    Parameters
    ----------
    better, worse
        Methods, by the headline number.
    difference, low, high
        Better minus worse; the interval is of this pair alone, at the level of the run.
    p, adjusted
        Two-sided p-value of no difference, alone and adjusted for all pairs of the ranking.
    deviation
        Standard deviation of the paired difference over the images.
    delong
        p-value of DeLong's test, which resamples nothing; None where it does not apply: several
        seeds, views of one object, classes that are drawn.
    """

    better: str
    worse: str
    difference: float
    low: float
    high: float
    p: float
    adjusted: float
    deviation: float
    delong: float | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """The pairs of one ranking.

    Parameters
    ----------
    leads
        Every pair; empty where there is nothing to compare, and then ranks go by the number.
    level
        A pair differs where its adjusted p-value is below 1 - level.
    test
        How p-values were made: from the replicates, or where they are too few for so many pairs,
        from their standard deviation.
    """

    group: Group
    leads: tuple[Lead, ...]
    level: float
    test: Test = "bootstrap"

    def differs(self, lead: Lead) -> bool:
        """Whether the better is significantly better."""
        return lead.adjusted < 1 - self.level

    @property
    def detectable(self) -> float | None:
        """The smallest difference of two methods found four times in five; None without pairs.

        Of the median pair, each compared alone.
        """
        if not self.leads:
            return None
        return detectable(statistics.median(lead.deviation for lead in self.leads), self.level)


def compared(
    standings: Sequence[Standing], singles: Sequence[Singles], resampler: Resampler, read: Read
) -> Ranking:
    """Compare every pair of methods, from the best on; no lead where a pair has no p-value.

    Parameters
    ----------
    standings, singles
        Of one group and drawn alike, seed by seed.
    read
        Gives the image scores of a cell, for DeLong's test.
    """
    group, level = standings[0].group, resampler.how.level
    count = math.comb(len(standings), 2)
    test: Test = "bootstrap"
    if count * least_p(resampler.how.draws) >= 1 - level:
        test = "normal approximation"
    alone: list[Lead] = []
    for (a, of_a), (b, of_b) in combinations(zip(standings, singles, strict=True), 2):
        drawn = _difference(of_a, of_b)
        if not _is_defined(drawn):
            return Ranking(group, (), level)
        alone.append(_lead(a, b, drawn, resampler, test))
    exact: Iterable[float | None] = repeat(None, count)
    if _comparable_by_delong(standings, resampler):
        exact = _delongs(standings, read)
    leads = tuple(
        replace(lead, adjusted=adjusted, delong=p)
        for lead, adjusted, p in zip(alone, holm([one.p for one in alone]), exact, strict=True)
    )
    return Ranking(group, leads, level, test)


def _is_defined(drawn: Drawn) -> bool:
    return math.isfinite(drawn.estimate) and math.isfinite(p_value(drawn))


def _difference(first: Singles, second: Singles) -> Drawn:
    """Pair the seeds, and average over them: the images are the same."""
    return over_alike(
        [mine.drawn.minus(other.drawn) for mine, other in zip(first, second, strict=True)]
    )


def _lead(
    first: Standing, second: Standing, drawn: Drawn, resampler: Resampler, test: Test
) -> Lead:
    """Compare two standings, the first before the second on the board: so the better one."""
    sign = 1.0 if metric_name(HEADLINE_METRIC).direction == "higher" else -1.0
    deviation = float(np.nanstd(drawn.replicates))
    ends = sorted(sign * end for end in drawn.interval(resampler.how.level, resampler.how.interval))
    p = p_value(drawn) if test == "bootstrap" else normal_p(drawn.estimate, deviation)
    return Lead(
        better=first.method,
        worse=second.method,
        difference=sign * drawn.estimate,
        low=ends[0],
        high=ends[1],
        p=p,
        adjusted=p,
        deviation=deviation,
    )


def _comparable_by_delong(standings: Sequence[Standing], resampler: Resampler) -> bool:
    return resampler.how.macro == "fixed" and all(len(one.cells) == 1 for one in standings)


def _delongs(standings: Sequence[Standing], read: Read) -> Iterator[float | None]:
    """p-values of DeLong's test of all pairs; the scores of a method are read and sorted once."""
    ordered = [_ordered(read(standing.cells[0])) for standing in standings]
    scope = headline_class(standings[0].group.protocol)
    return (_delong(one, other, scope) for one, other in combinations(ordered, 2))


def _delong(one: _Ordered | None, other: _Ordered | None, scope: str) -> float | None:
    """p-value of DeLong's test of the headline, within classes; a macro mean adds variances."""
    if one is None or other is None or not np.array_equal(one["samples"], other["samples"]):
        return None
    classes = one["classes"]
    scopes = [np.ones(len(classes), bool)]
    if scope == "macro":
        scopes = [classes == name for name in np.unique(classes)]
    parts = [
        delong(one["labels"][at], one["scores"][at], other["scores"][at], classes[at].tolist())
        for at in scopes
    ]
    difference = math.fsum(d for d, _ in parts) / len(parts)
    deviation = math.sqrt(math.fsum(v for _, v in parts)) / len(parts)
    return normal_p(difference, deviation) if math.isfinite(deviation) else None


def _ordered(scores: ImageScores | None) -> _Ordered | None:
    """Give the images in one order; None where some show one object: they are not independent."""
    if scores is None or any(scores.groups.tolist()):
        return None
    order = np.argsort(scores.samples)
    names = ("samples", "classes", "labels", "scores")
    return {name: getattr(scores, name)[order] for name in names}
