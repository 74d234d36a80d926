"""A few sentences that the numbers themselves say, for the head of the page."""

from __future__ import annotations

from collections.abc import Sequence

from adharness.report.drops import Drops
from adharness.report.formats import (
    counted,
    interval,
    listed,
    percent,
    points,
    points_interval,
)
from adharness.report.gap import Gap
from adharness.report.glances import Glance, Winner
from adharness.report.leaderboard import HEADLINE_METRIC, Leaderboard, Standing, headline_class
from adharness.report.metric_names import metric_name
from adharness.report.paired import Resample
from adharness.report.promises import told_promises
from adharness.report.reversals import told_reversals
from adharness.report.seeds import Score

UNFINISHED = (
    "The run is not finished: this board shows what was stored when it was written. The same "
    "command goes on from there."
)


def findings(
    board: Leaderboard,
    gaps: Sequence[Gap],
    resample: Resample | None = None,
    drops: Drops | None = None,
) -> list[str]:
    """Say who leads and how surely, what turns, what unifying and shifts cost, and what failed."""
    said: list[str] = [] if board.run.finished else [UNFINISHED]
    for data in board.run.datasets:
        best = winners(board, data.name)
        said.extend(_leaders(data.name, best))
        said.extend(_sureness(board, best, resample) if resample else [])
    said.extend(told_reversals(board, resample))
    said.extend(told_promises(board))
    fair = [gap for gap in gaps if gap.scope == "macro" and not gap.class_oracle]
    said += [*_largest(fair, HEADLINE_METRIC), *_largest(fair, "image_f1")]
    if drops:
        said += [one for d in board.run.datasets for one in _under_shift(board, d.name, drops)]
    return [*said, *_troubles(board)]


def winners(board: Leaderboard, dataset: str) -> list[Standing]:
    """Give the best ranked standing of each protocol over all normalizers and thresholders.

    Those that were judged apart from most have no say.
    """
    best: dict[str, Standing] = {}
    for standing in board.standings:
        group, value = standing.group, standing.headline.value
        unlike = group.dataset != dataset or group.apart
        if unlike or standing.rank is None or value is None:
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
        setting=" · ".join([f"normalizer {standing.group.normalizer}", *_company(standing)]),
    )


def _company(standing: Standing) -> list[str]:
    """Say how many methods cannot be told from it."""
    return [f"not told apart from {counted(len(standing.tied), 'other')}"] if standing.tied else []


def _leaders(dataset: str, best: Sequence[Standing]) -> list[str]:
    names = list(dict.fromkeys(winner.method for winner in best))
    if len(best) < 2:
        return [f"On {dataset}, {winner.method} {_stands(best)}." for winner in best]
    if len(names) == 1:
        return [f"On {dataset}, {names[0]} {_stands(best)} under every protocol."]
    told = "; ".join(
        f"{name} under " + listed([w.group.protocol for w in best if w.method == name])
        for name in names
    )
    what = "highest number" if _shared(best) else "winner"
    return [f"On {dataset} the {what} changes with the protocol: {told}."]


def _stands(best: Sequence[Standing]) -> str:
    """Say `leads` only where nobody shares the first rank."""
    return "has the highest number" if _shared(best) else "leads"


def _shared(best: Sequence[Standing]) -> bool:
    return any(winner.tied for winner in best)


def _sureness(board: Leaderboard, best: Sequence[Standing], resample: Resample) -> list[str]:
    """Tell which winners beat the second of their own board beyond the chance of the images."""
    told, sure = [], []
    for winner in best:
        second = _second(board, winner)
        lead = _lead(winner, second, resample) if second else None
        if second is None or lead is None or lead.low is None:
            continue
        protocol = winner.group.protocol
        told.append(
            f"{protocol} {points(lead.value or 0.0)} ({points_interval(lead)}) over {second.method}"
        )
        sure.extend([protocol] if lead.low > 0 else [])
    if not told:
        return []
    clear = f"Clear of zero: {listed(sure)}." if sure else "None is clear of zero."
    return ["Leads over the second, in points of headline AUROC: " + "; ".join(told) + f". {clear}"]


def _lead(winner: Standing, second: Standing, resample: Resample) -> Score | None:
    """Give the headline difference with its paired interval; None where there is none."""
    if len(winner.cells) != 1 or len(second.cells) != 1:
        return None
    key = (HEADLINE_METRIC, headline_class(winner.group.protocol))
    ends = resample(winner.cells[0], second.cells[0]).get(key)
    if ends is None or winner.headline.value is None or second.headline.value is None:
        return None
    return Score(winner.headline.value - second.headline.value, *ends)


def _second(board: Leaderboard, winner: Standing) -> Standing | None:
    rivals = (s for s in board.standings if s.group == winner.group and s.rank is not None)
    return next((s for s in rivals if s.method != winner.method), None)


def _largest(gaps: Sequence[Gap], metric: str) -> list[str]:
    """Name the method that unifying costs most, and how many settings lose beyond chance."""
    known = [g for g in gaps if g.metric == metric and g.score.value is not None]
    if not known:
        return []
    name = metric_name(metric).full
    gap = max(known, key=_lost)
    if _lost(gap) <= 0:
        return [f"No method loses macro {name} when the classes are unified."]
    span = points_interval(gap.score)
    return [
        f"Unifying costs {gap.method} most on {gap.dataset}: from per-class to {gap.versus} its "
        f"macro {name} falls by {percent(_lost(gap))} percentage points"
        + (f" ({span})" if span else "")
        + f", {_setting(gap, with_thresholder=metric != HEADLINE_METRIC)}."
    ]


def _lost(gap: Gap) -> float:
    return gap.score.value or 0.0


def _setting(gap: Gap, *, with_thresholder: bool) -> str:
    told = f"normalizer {gap.normalizer}"
    return f"{told}, thresholder {gap.thresholder}" if with_thresholder else told


def _under_shift(board: Leaderboard, dataset: str, drops: Drops) -> list[str]:
    """Name who loses least and most of the headline, on the mean over the corruptions."""
    shifts = drops.shifts_of(dataset)
    lost: dict[tuple[str, str], float] = {}
    for standing in board.standings if shifts else ():
        group = standing.group
        if group.dataset == dataset and standing.unranked is None:
            row = headline_class(group.protocol)
            value = drops.score(standing.cells, row, HEADLINE_METRIC).value
            if value is not None:
                lost.setdefault((standing.method, group.protocol), value)
    if len(lost) < 2:
        return []
    least, most = min(lost, key=lost.__getitem__), max(lost, key=lost.__getitem__)
    return [
        f"On {dataset}, corrupted test images ({counted(len(shifts), 'corruption')}) cost the "
        f"least headline AUROC with {least[0]} under {least[1]} ({points(lost[least])} points) "
        f"and the most with {most[0]} under {most[1]} ({points(lost[most])})."
    ]


def _troubles(board: Leaderboard) -> list[str]:
    return [*_apart(board), *_left_out(board)]


def _apart(board: Leaderboard) -> list[str]:
    """Name the methods that are ranked by themselves, and why."""
    why: dict[tuple[str, str], set[str]] = {}
    for standing in board.standings:
        if standing.group.apart:
            key = (standing.group.dataset, standing.group.apart)
            why.setdefault(key, set()).add(standing.method)
    return [
        f"On {dataset}, {listed(sorted(methods))} is not ranked with the others: {text}."
        if len(methods) == 1
        else f"On {dataset}, {listed(sorted(methods))} are not ranked with the others: {text}."
        for (dataset, text), methods in why.items()
    ]


def _left_out(board: Leaderboard) -> list[str]:
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
        said.append(
            f"{missing} without a result: never finished, or its files do not match its record."
        )
    if board.run.skipped:
        said.append(
            f"{counted(len(board.run.skipped), 'image')} left out of the run, listed below."
        )
    return said
