"""A few sentences that the numbers themselves say, for the head of the page."""

from __future__ import annotations

from collections.abc import Sequence

from adharness.report.formats import counted, interval, percent, points, points_interval
from adharness.report.gap import HEADLINE, Gap
from adharness.report.leaderboard import HEADLINE_METRIC, Leaderboard, Standing
from adharness.report.view import Glance, Winner


def findings(board: Leaderboard, gaps: Sequence[Gap]) -> list[str]:
    """Say whether the winner changes with the protocol, the largest gap, and what failed."""
    said: list[str] = []
    for data in board.run.datasets:
        said.extend(_changes(data.name, winners(board, data.name)))
    return [*said, *_largest_gap(gaps), *_troubles(board)]


def winners(board: Leaderboard, dataset: str) -> list[Standing]:
    """Give the best ranked standing of each protocol over all normalizers and thresholders."""
    best: dict[str, Standing] = {}
    for standing in board.standings:
        group, value = standing.group, standing.headline.value
        if group.dataset != dataset or standing.rank is None or value is None:
            continue
        held = best.get(group.protocol)
        if held is None or value > (held.headline.value or 0.0):
            best[group.protocol] = standing
    return [best[protocol] for protocol in board.run.protocols if protocol in best]


def glance(board: Leaderboard) -> list[Glance]:
    """Give the winner of each data set under each protocol, for the table at the top."""
    shown: list[Glance] = []
    for data in board.run.datasets:
        best = {winner.group.protocol: _winner(winner) for winner in winners(board, data.name)}
        shown.append(Glance(data.name, tuple(best.get(p) for p in board.run.protocols)))
    return shown


def _winner(standing: Standing) -> Winner:
    score = standing.headline
    return Winner(
        method=standing.method,
        number=percent(score.value or 0.0),
        aside=interval(score),
        setting=f"normalizer {standing.group.normalizer}",
    )


def _changes(dataset: str, best: Sequence[Standing]) -> list[str]:
    names = list(dict.fromkeys(winner.method for winner in best))
    if len(best) < 2:
        return [f"On {dataset}, {name} leads." for name in names]
    if len(names) == 1:
        return [f"On {dataset}, {names[0]} leads under every protocol."]
    told = "; ".join(
        f"{name} under "
        + " and ".join(winner.group.protocol for winner in best if winner.method == name)
        for name in names
    )
    return [f"On {dataset} the winner changes with the protocol: {told}."]


def _largest_gap(gaps: Sequence[Gap]) -> list[str]:
    known = [
        gap
        for gap in gaps
        if gap.scope == HEADLINE and gap.metric == HEADLINE_METRIC and not gap.class_oracle
    ]
    known = [gap for gap in known if gap.score.value is not None]
    if not known:
        return []
    gap = max(known, key=lambda g: g.score.value or 0.0)
    span = points_interval(gap.score)
    return [
        f"The largest unification gap is {points(gap.score.value or 0.0)} percentage points"
        + (f" ({span})" if span else "")
        + f": {gap.method} on {gap.dataset}, per-class against {gap.versus}, "
        f"normalizer {gap.normalizer}."
    ]


def _troubles(board: Leaderboard) -> list[str]:
    cells = {entry.cell.id: entry.cell.status for entry in board.rows}
    counts = [sum(status == s for status in cells.values()) for s in ("failed", "partial")]
    said = []
    if any(counts):
        said.append(
            f"Of {len(board.run.cells)} cells {counts[0]} failed and {counts[1]} failed in part; "
            "they stay on the boards, unranked, with the reason."
        )
    if board.missing:
        missing = counted(len(board.missing), "planned cell")
        said.append(f"{missing} without a result: the run is not finished.")
    if board.run.skipped:
        said.append(
            f"{counted(len(board.run.skipped), 'image')} left out of the run, listed below."
        )
    return said
