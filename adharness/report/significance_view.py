"""What the page says of ties: the sentence at its head, and the tables of `Significance`."""

from __future__ import annotations

from collections.abc import Sequence

from adharness.report.class_tables import merge_thresholders
from adharness.report.findings import winners
from adharness.report.formats import DASH, counted, listed
from adharness.report.headings import protocol_title
from adharness.report.leaderboard import HEADLINE_METRIC, Leaderboard
from adharness.report.metric_names import metric_name
from adharness.report.significance import ClassRanks
from adharness.report.ties import Ranking
from adharness.report.view import Column, Line, Number, Table, without_idle

_AXES = ("dataset", "normalizer", "thresholder")


def told_ties(board: Leaderboard, rankings: Sequence[Ranking]) -> list[str]:
    """Say of each data set who cannot be told from its winners, and what could be detected."""
    by_group = {ranking.group: ranking for ranking in rankings if ranking.leads}
    said = []
    for data in board.run.datasets:
        told, sizes = [], []
        for winner in winners(board, data.name):
            ranking = by_group.get(winner.group)
            if ranking is None or ranking.detectable is None:
                continue
            sizes.append(ranking.detectable)
            if winner.tied:
                names = f"{winner.method} and {listed(winner.tied)}"
                told.append(f"under {winner.group.protocol} {names}")
        if sizes:
            said.append(_sentence(data.name, told, sizes))
    return [*said, *_disagreements(rankings)]


def _sentence(dataset: str, told: Sequence[str], sizes: Sequence[float]) -> str:
    who = (
        f"On {dataset} these cannot be told from the best: {'; '.join(told)}."
        if told
        else f"On {dataset} every winner is told apart from all others."
    )
    ends = [f"{100 * end:.1f}" for end in (min(sizes), max(sizes))]
    span = ends[0] if ends[0] == ends[1] else " to ".join(ends)
    return f"{who} Differences below {span} points would be missed more than one time in five."


def _disagreements(rankings: Sequence[Ranking]) -> list[str]:
    """Name the pairs that DeLong's test judges otherwise, each alone; far apart only."""
    found = [
        (ranking.group, lead)
        for ranking in rankings
        for lead in ranking.leads
        if lead.delong is not None and _apart(lead.p, lead.delong, 1 - ranking.level)
    ]
    if not found:
        return []
    group, lead = max(found, key=lambda one: abs(one[1].p - (one[1].delong or 0.0)))
    return [
        f"DeLong's test and the bootstrap disagree on {counted(len(found), 'pair')}, most on "
        f"{lead.better} and {lead.worse} ({group.dataset}, {group.protocol}): "
        f"p {lead.delong:.3g} and {lead.p:.3g}."
    ]


def _apart(bootstrap: float, exact: float, limit: float) -> bool:
    """Whether one is clearly below the limit and the other clearly above."""
    low, high = sorted((bootstrap, exact))
    return low < limit / 2 and high > 2 * limit


def significance_tables(
    board: Leaderboard, rankings: Sequence[Ranking], ranks: Sequence[ClassRanks]
) -> list[Table]:
    """Make a table of the rankings a protocol, and one of the ranks over classes a ranking."""
    tables = [_ties(board, rankings, protocol) for protocol in board.run.protocols]
    tables += [_over_classes(one, f"classes-{place}") for place, one in enumerate(ranks, 1)]
    return [table for table in tables if table.lines]


def _ties(board: Leaderboard, rankings: Sequence[Ranking], protocol: str) -> Table:
    mine = [one for one in rankings if one.group.protocol == protocol and one.leads]
    level = f"{100 * mine[0].level:g} %" if mine else ""
    table = Table(
        id=f"ties-{board.run.protocols.index(protocol) + 1}",
        label=protocol_title(protocol),
        caption=(
            f"Pairs of methods compared by {metric_name(HEADLINE_METRIC).full} on the same images, "
            f"adjusted for their number by Holm, at {level}. Detectable: the smallest difference "
            "of two methods, compared alone, that would be found four times in five."
        ),
        settings=_AXES[1:],
        columns=(
            Column("methods", "Ranking", "metric"),
            Column("share rank 1", "Ranking", "metric"),
            Column("pairs told apart", "Pairs", "metric"),
            Column("detectable", "Pairs", "metric", "", "pp"),
        ),
        lines=tuple(merge_thresholders([_line(board, one) for one in mine])),
        head="Data set",
    )
    return without_idle(table)


def _line(board: Leaderboard, ranking: Ranking) -> Line:
    group = ranking.group
    standings = [s for s in board.standings if s.group == group and s.rank is not None]
    first = [s.method for s in standings if s.rank == 1]
    told = sum(ranking.differs(lead) for lead in ranking.leads)
    pairs = len(ranking.leads)
    size = 100 * (ranking.detectable or 0.0)
    return Line(
        method=group.dataset,
        keys={axis: getattr(group, axis) for axis in _AXES},
        numbers=(
            Number(str(len(standings)), sort=str(len(standings))),
            Number(str(len(first)), sort=str(len(first)), note=listed(first)),
            Number(f"{told} of {pairs}", sort=repr(told / pairs)),
            Number(f"{size:.1f}", sort=repr(size)),
        ),
        settings=(group.normalizer, group.thresholder),
        detail=f"rank 1: {listed(first)}",
        why="p-values by normal approximation: too few draws for so many pairs"
        if ranking.test == "normal approximation"
        else "",
    )


def _over_classes(ranks: ClassRanks, identity: str) -> Table:
    group = ranks.group
    letters = {
        method: "".join("abcdefghijklmnopqrstuvwxyz"[i % 26]
                        for i, clique in enumerate(ranks.cliques) if method in clique)
        for method in ranks.methods
    }  # fmt: skip
    friedman = "" if ranks.friedman_p is None else f" Friedman: p {ranks.friedman_p:.2g}."
    return Table(
        id=identity,
        label=protocol_title(group.protocol),
        caption=(
            f"{group.dataset}, normalizer {group.normalizer}: average rank over "
            f"{len(ranks.classes)} classes, 1 is best. Methods that share a letter do not differ "
            f"over classes (Wilcoxon's signed-rank test, Holm, {100 * ranks.level:g} %).{friedman}"
        ),
        settings=(),
        columns=(
            Column("average rank", "Over classes", "metric", "↓"),
            Column("do not differ", "Over classes", "metric"),
        ),
        lines=tuple(
            Line(
                method=method,
                keys={},
                numbers=(
                    Number(f"{rank:.2f}", sort=repr(rank)),
                    Number(letters[method] or DASH, sort=letters[method]),
                ),
            )
            for method, rank in zip(ranks.methods, ranks.average_ranks, strict=True)
        ),
        keys={"dataset": group.dataset, "normalizer": group.normalizer},
    )
