"""Which methods of a ranking cannot be told apart: they share a rank.

Each pair of methods is compared by the paired bootstrap of the headline number; Holm's adjustment
makes up for the number of pairs. The rank of a method is one more than the number of methods that
are significantly better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from adharness.report.leaderboard import (
    HEADLINE_METRIC,
    Group,
    Leaderboard,
    Standing,
    headline_class,
)
from adharness.report.leads import Lead as Lead
from adharness.report.leads import Ranking as Ranking
from adharness.report.leads import Read, Singles, compared
from adharness.report.paired import Resampler


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
    alike: dict[tuple[object, ...], Ranking] = {}
    return [_ranking(group, found, resampler, read, alike) for group, found in groups.items()]


def with_ties(board: Leaderboard, rankings: Sequence[Ranking]) -> Leaderboard:
    """Give methods that cannot be told apart one rank; their order stays that of the number.

    Notes
    -----
    Not being told apart is no equality, and does not carry over: of three methods the first can
    differ from the third and the second from neither. `tied` names for each method all others
    that it cannot be told from.
    """
    by_group = {one.group: _pairs_of(one) for one in rankings if one.leads}
    return replace(
        board,
        standings=tuple(_placed(one, by_group.get(one.group)) for one in board.standings),
    )


_Pairs: TypeAlias = Mapping[str, Sequence[tuple[Lead, bool]]]
"""Method -> its pairs, and whether they are told apart."""


def _pairs_of(ranking: Ranking) -> _Pairs:
    found: dict[str, list[tuple[Lead, bool]]] = {}
    for lead in ranking.leads:
        told = lead, ranking.differs(lead)
        found.setdefault(lead.better, []).append(told)
        found.setdefault(lead.worse, []).append(told)
    return found


def _placed(standing: Standing, pairs: _Pairs | None) -> Standing:
    if pairs is None or standing.rank is None:
        return replace(standing, order=standing.rank)
    mine = pairs.get(standing.method, ())
    beaten_by = sum(differs and one.worse == standing.method for one, differs in mine)
    tied = tuple(
        one.worse if one.better == standing.method else one.better
        for one, differs in mine
        if not differs
    )
    return replace(standing, rank=1 + beaten_by, order=standing.rank, tied=tied)


def _ranking(
    group: Group,
    standings: Sequence[Standing],
    resampler: Resampler,
    read: Read,
    alike: dict[tuple[object, ...], Ranking],
) -> Ranking:
    """Compare the methods of a group, or find a group of `alike` that has the same scores.

    A thresholder changes no score, so most groups of a suite with several were compared before.
    """
    found = [_singles(standing, resampler) for standing in standings]
    singles = [one for one in found if one is not None]
    if len(singles) < len(found) or len(found) < 2 or not _paired(standings, singles):
        return Ranking(group, (), resampler.how.level)
    key = tuple((s.method, *its) for s, its in zip(standings, singles, strict=True))
    if key not in alike:
        alike[key] = compared(standings, singles, resampler, read)
    return replace(alike[key], group=group)


def _singles(standing: Standing, resampler: Resampler) -> Singles | None:
    key = HEADLINE_METRIC, headline_class(standing.group.protocol)
    found = [resampler.single(cell, key) for cell in standing.cells]
    known = [one for one in found if one is not None]
    return known if known and len(known) == len(found) else None


def _paired(standings: Sequence[Standing], several: Sequence[Singles]) -> bool:
    """Whether every method was judged on the same draws, seed by seed."""
    pairs = zip(standings, several, strict=True)
    told = {tuple((c.seed, d.draws) for c, d in zip(s.cells, its, strict=True)) for s, its in pairs}
    return len(told) == 1
