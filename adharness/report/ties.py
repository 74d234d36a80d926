"""Which methods of a ranking cannot be told apart: they share a rank.

Each pair of methods is compared by the paired bootstrap of the headline number; Holm's adjustment
makes up for the number of pairs. The rank of a method is one more than the number of methods that
are significantly better.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, TypeAlias

import numpy as np

from adharness.arrays import AnyArray
from adharness.report.leaderboard import (
    HEADLINE_METRIC,
    Group,
    Leaderboard,
    Standing,
    headline_class,
)
from adharness.report.metric_names import metric_name
from adharness.report.paired import Resampler
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


def find_rankings(board: Leaderboard, resampler: Resampler, read: Read) -> list[Ranking]:
    """Compare the ranked methods of every group, in the order of the board.

    Parameters
    ----------
    resampler
        Knows the headline metric.
    read
        Gives the image scores of a cell, for DeLong's test.
    """
    groups: dict[Group, list[Standing]] = {}
    for standing in board.standings:
        if standing.rank is not None:
            groups.setdefault(standing.group, []).append(standing)
    return [_ranking(group, found, resampler, read) for group, found in groups.items()]


def with_ties(board: Leaderboard, rankings: Sequence[Ranking]) -> Leaderboard:
    """Give methods that cannot be told apart one rank; their order stays that of the number.

    Notes
    -----
    Not being told apart is no equality, and does not carry over: of three methods the first can
    differ from the third and the second from neither. `tied` names for each method all others
    that it cannot be told from.
    """
    by_group = {ranking.group: ranking for ranking in rankings if ranking.leads}
    return replace(
        board,
        standings=tuple(_placed(one, by_group.get(one.group)) for one in board.standings),
    )


def _placed(standing: Standing, ranking: Ranking | None) -> Standing:
    if ranking is None or standing.rank is None:
        return replace(standing, order=standing.rank)
    mine = [one for one in ranking.leads if standing.method in (one.better, one.worse)]
    beaten_by = sum(ranking.differs(one) and one.worse == standing.method for one in mine)
    tied = tuple(
        one.worse if one.better == standing.method else one.better
        for one in mine
        if not ranking.differs(one)
    )
    return replace(standing, rank=1 + beaten_by, order=standing.rank, tied=tied)


def _ranking(
    group: Group, standings: Sequence[Standing], resampler: Resampler, read: Read
) -> Ranking:
    pairs = [(a, b, _difference(a, b, resampler)) for a, b in combinations(standings, 2)]
    level = resampler.how.level
    known = [(a, b, drawn) for a, b, drawn in pairs if drawn is not None and _is_defined(drawn)]
    if len(known) < len(pairs) or not pairs:
        return Ranking(group, (), level)
    test: Test = "bootstrap"
    if len(pairs) * least_p(resampler.how.draws) >= 1 - level:
        test = "normal approximation"
    alone = [_lead(a, b, drawn, resampler, test) for a, b, drawn in known]
    exact = _comparable_by_delong(standings, resampler)
    leads = [
        replace(lead, adjusted=adjusted, delong=_delong(a, b, read) if exact else None)
        for lead, adjusted, (a, b, _) in zip(alone, holm([one.p for one in alone]), known,
                                             strict=True)
    ]  # fmt: skip
    return Ranking(group, tuple(leads), level, test)


def _is_defined(drawn: Drawn) -> bool:
    return math.isfinite(drawn.estimate) and math.isfinite(p_value(drawn))


def _difference(first: Standing, second: Standing, resampler: Resampler) -> Drawn | None:
    """Pair the seeds, and average over them: the images are the same."""
    key = HEADLINE_METRIC, headline_class(first.group.protocol)
    others = {cell.seed: cell for cell in second.cells}
    found = [resampler.difference(c, others[c.seed], key) for c in first.cells if c.seed in others]
    drawn = [one for one in found if one is not None]
    return over_alike(drawn) if drawn and len(drawn) == len(first.cells) else None


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


def _delong(first: Standing, second: Standing, read: Read) -> float | None:
    """p-value of DeLong's test of the headline, within classes; a macro mean adds variances."""
    one, other = (_ordered(read(standing.cells[0])) for standing in (first, second))
    if one is None or other is None or not np.array_equal(one["samples"], other["samples"]):
        return None
    classes = one["classes"]
    scopes = [np.ones(len(classes), bool)]
    if headline_class(first.group.protocol) == "macro":
        scopes = [classes == name for name in np.unique(classes)]
    parts = [
        delong(one["labels"][at], one["scores"][at], other["scores"][at], classes[at].tolist())
        for at in scopes
    ]
    difference = math.fsum(d for d, _ in parts) / len(parts)
    deviation = math.sqrt(math.fsum(v for _, v in parts)) / len(parts)
    return normal_p(difference, deviation) if math.isfinite(deviation) else None


def _ordered(scores: ImageScores | None) -> Mapping[str, AnyArray] | None:
    """Give the images in one order; None where some show one object: they are not independent."""
    if scores is None or any(scores.groups.tolist()):
        return None
    order = np.argsort(scores.samples)
    names = ("samples", "classes", "labels", "scores")
    return {name: getattr(scores, name)[order] for name in names}
