"""A few sentences that the numbers themselves say, for the head of the page."""

from __future__ import annotations

from collections.abc import Sequence

from adharness.report.boards import headline_label, protocol_title
from adharness.report.formats import percent, points, points_interval
from adharness.report.gap import HEADLINE, Gap
from adharness.report.leaderboard import HEADLINE_METRIC, Leaderboard, Standing


def findings(board: Leaderboard, gaps: Sequence[Gap]) -> list[str]:
    """Say per data set who wins where, whether the winner changes, the gap, and what failed."""
    said: list[str] = []
    for data in board.run.datasets:
        winners = _winners(board, data.name)
        if winners:
            said.append(f"{data.name}: " + "; ".join(_won(winner) for winner in winners) + ".")
        said.extend(_changes(data.name, winners))
    return [*said, *_largest_gap(gaps), *_troubles(board)]


def _winners(board: Leaderboard, dataset: str) -> list[Standing]:
    """Best ranked standing of each protocol over all normalizers and thresholders."""
    best: dict[str, Standing] = {}
    for standing in board.standings:
        group, value = standing.group, standing.headline.value
        if group.dataset != dataset or standing.rank is None or value is None:
            continue
        held = best.get(group.protocol)
        if held is None or value > (held.headline.value or 0.0):
            best[group.protocol] = standing
    return [best[protocol] for protocol in board.run.protocols if protocol in best]


def _won(winner: Standing) -> str:
    group, score = winner.group, winner.headline
    number = percent(score.value or 0.0)
    if score.low is not None and score.high is not None:
        number += f" ({percent(score.low)} to {percent(score.high)})"
    return (
        f"{protocol_title(group.protocol).lower()}, {winner.method} leads with {number} % "
        f"{headline_label(group.protocol)} (normalizer {group.normalizer})"
    )


def _changes(dataset: str, winners: Sequence[Standing]) -> list[str]:
    names = list(dict.fromkeys(winner.method for winner in winners))
    if len(winners) < 2:
        return []
    if len(names) == 1:
        return [f"On {dataset} the winner is {names[0]} under every protocol."]
    return [f"On {dataset} the winner changes with the protocol: {', '.join(names)}."]


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
        said.append(f"{len(board.missing)} planned cells have no result: the run is not finished.")
    if board.run.skipped:
        said.append(f"{len(board.run.skipped)} images were left out; they are listed below.")
    return said
