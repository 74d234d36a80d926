"""Which methods a page shows in detail: all, or of very many those that stand highest.

A board of 100 methods in every setting is read by its first lines, and searched. Tables of each
class, of each threshold and curves of all of them would make a page that no browser opens quickly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TypeVar

from adharness.report.cross_class import CrossRate
from adharness.report.gap import Gap
from adharness.report.leaderboard import Leaderboard

LINES = 500
"""Lines of the boards whose methods are shown in detail; 3 MB or so of a page."""
OneT = TypeVar("OneT", Gap, CrossRate)


@dataclass(frozen=True, slots=True)
class Detailed:
    """What a page shows beyond its boards.

    Parameters
    ----------
    board
        Without the methods that are left out.
    note
        What a reader is told of those; empty where all are there.
    """

    board: Leaderboard
    note: str = ""


def leading(board: Leaderboard, lines: int = LINES) -> Detailed:
    """Keep the methods that stand highest in any ranking, as many as have so many lines, or one.

    Notes
    -----
    By the highest place of each, then by the next highest, and so on; equals in the order of the
    suite. Those without a rank come last.
    """
    if len(board.standings) <= lines:
        return Detailed(board)
    places: dict[str, list[float]] = {method: [] for method in board.run.methods}
    for one in board.standings:
        places.setdefault(one.method, []).append(one.order or one.rank or math.inf)
    own = {method: len(found) for method, found in places.items() if found}
    kept: list[str] = []
    for method in sorted(own, key=lambda name: sorted(places[name])):
        if kept and sum(own[each] for each in [*kept, method]) > lines:
            break
        kept.append(method)
    return Detailed(_only(board, set(kept)), _note(len(kept), len(own)))


def of_detail(several: list[OneT], detailed: Detailed) -> list[OneT]:
    """Keep the gaps, or the rates, of methods that are shown in detail."""
    if not detailed.note:
        return several
    kept = {standing.method for standing in detailed.board.standings}
    return [one for one in several if _method(one) in kept]


def _method(one: Gap | CrossRate) -> str:
    return one.method if isinstance(one, Gap) else one.cell.method


def _only(board: Leaderboard, methods: set[str]) -> Leaderboard:
    return replace(
        board,
        rows=tuple(entry for entry in board.rows if entry.cell.method in methods),
        standings=tuple(one for one in board.standings if one.method in methods),
    )


def _note(kept: int, all_of_them: int) -> str:
    return (
        f"Of {all_of_them} methods the {kept} that stand highest in a ranking, to keep this page "
        "small: the boards have all of them, and so have the CSV and JSON files."
    )
