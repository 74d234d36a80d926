"""From records to the rows and ranks of a leaderboard. Pure: no file is read, nothing is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

from adharness.report.apart import judged_apart
from adharness.report.metric_names import metric_name
from adharness.report.seeds import Score, over_seeds
from adharness.store.records import CellRecord, Failure, Row, Value
from adharness.store.run_record import RunRecord

HEADLINE_METRIC = "image_auroc"
HEADLINE_CLASS: Mapping[str, str] = MappingProxyType(
    {
        "per-class": "macro",
        "model-unified": "macro",
        "absolute-unified": "pooled",
        "routed": "pooled",
    }
)
"""Which row is a protocol's headline. Where the class is unknown at evaluation, all images are
pooled; a mean of per-class numbers would hide what a single threshold breaks."""
AGGREGATES = ("macro", "pooled")
AXES = ("dataset", "protocol", "method", "normalizer", "thresholder", "seed")
"""What tells the cells of a run apart."""


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One line of `leaderboard.json` and `leaderboard.csv`: a cell's class, macro or pooled row."""

    cell: CellRecord
    row: Row


class Group(NamedTuple):
    """Methods are ranked against each other only where all of this is the same."""

    dataset: str
    protocol: str
    normalizer: str
    thresholder: str
    apart: str = ""
    """How it was judged otherwise than most of its data set; see `judged_apart`."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A method in its group, over all seeds.

    Parameters
    ----------
    cells
        One a seed, in order of the seed.
    headline
        The number it is ranked by.
    rank
        1 is best; equal numbers share a rank and the next one is skipped. None where unranked.
    unranked
        Why there is no rank.
    order
        The place by the number alone, where `rank` is shared by methods that can't be told apart.
    tied
        The methods it can't be told from, by the order of the board.
    """

    group: Group
    method: str
    cells: tuple[CellRecord, ...]
    headline: Score
    rank: int | None = None
    unranked: str | None = None
    order: int | None = None
    tied: tuple[str, ...] = ()

    @property
    def caution(self) -> str:
        """What a reader must know before comparing it: no rank, or a ranking of its own; or ""."""
        return self.unranked or (f"judged apart: {self.group.apart}" if self.group.apart else "")


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """A run as a table: rows in plan order, standings by group and rank, and what is missing."""

    run: RunRecord
    rows: tuple[BoardRow, ...]
    standings: tuple[Standing, ...]
    missing: tuple[str, ...]
    """Ids of planned cells that have no record: the run was interrupted before them."""


def leaderboard(run: RunRecord, cells: Sequence[CellRecord]) -> Leaderboard:
    """Arrange the cells of a run.

    Parameters
    ----------
    run
        Its `cells` give the order of the rows.
    cells
        In any order; those that are not of this run are left out.

    Returns
    -------
    Leaderboard
        The same for every order of `cells`.

    Notes
    -----
    Ranked by `image_auroc` of the protocol's headline row, among methods that were judged alike.
    Unranked, with the reason: a cell told
    the class that its protocol hides, a cell that failed in whole or in part (a mean over fewer
    classes is another number), an undefined headline, and a missing seed.
    """
    by_id = {cell.id: cell for cell in cells}
    ordered = [by_id[identity] for identity in run.cells if identity in by_id]
    rows = tuple(BoardRow(cell, row) for cell in ordered for row in rows_of(cell))
    return Leaderboard(
        run=run,
        rows=rows,
        standings=tuple(_standings(run, ordered)),
        missing=tuple(identity for identity in run.cells if identity not in by_id),
    )


def headline_class(protocol: str) -> str:
    """`macro` or `pooled`; a protocol this version does not know counts as `macro`."""
    return HEADLINE_CLASS.get(protocol, "macro")


def rows_of(cell: CellRecord) -> list[Row]:
    """Rows of a cell; a failed cell without rows still gets its headline row."""
    if cell.rows:
        return list(cell.rows)
    silent = Failure(stage="unknown", type="CellFailed", message="the cell left no numbers")
    return [Row(class_name=headline_class(cell.protocol), status="failed", failure=silent)]


def find_row(cell: CellRecord, class_name: str) -> Row | None:
    """Row of this class of a cell, or None."""
    return next((row for row in rows_of(cell) if row.class_name == class_name), None)


def find_value(cell: CellRecord, class_name: str, metric: str) -> Value:
    """Value of a metric in a cell; undefined with the reason where it is not there."""
    row = find_row(cell, class_name) or _failed_whole(cell)
    if row is None:
        return Value(value=None, reason=f"the cell has no {class_name} row")
    if row.failure is not None:
        return Value(value=None, reason=failure_text(row.failure))
    return row.metrics.get(metric, Value(value=None, reason="not computed"))


def _failed_whole(cell: CellRecord) -> Row | None:
    """Give the row that says why a cell failed: it stands for all the rows the cell never got."""
    return rows_of(cell)[0] if cell.status == "failed" else None


def score_of(cells: Sequence[CellRecord], class_name: str, metric: str) -> Score:
    """Mean of a metric over cells that differ in nothing but their seed."""
    return over_seeds([find_value(cell, class_name, metric) for cell in cells])


def failure_text(failure: Failure) -> str:
    """Say in one line what failed and where."""
    return f"{failure.type} while {failure.stage}: {failure.message}"


def failures_of(cell: CellRecord) -> list[tuple[str, Failure]]:
    """Class name and failure of each failed row of a cell."""
    return [(row.class_name, row.failure) for row in rows_of(cell) if row.failure is not None]


def _standings(run: RunRecord, cells: Sequence[CellRecord]) -> list[Standing]:
    by_method: dict[tuple[Group, str], list[CellRecord]] = {}
    apart = judged_apart(run, cells)
    for cell in cells:
        settings = (cell.dataset, cell.protocol, cell.normalizer, cell.thresholder)
        group = Group(*settings, apart[cell.id])
        by_method.setdefault((group, cell.method), []).append(cell)
    groups: dict[Group, list[Standing]] = {}
    for (group, method), found in by_method.items():
        in_order = tuple(sorted(found, key=lambda cell: cell.seed))
        groups.setdefault(group, []).append(_unranked(run, group, method, in_order))
    return [standing for found in groups.values() for standing in _rank(found)]


def _unranked(run: RunRecord, group: Group, method: str, cells: tuple[CellRecord, ...]) -> Standing:
    headline = score_of(cells, headline_class(group.protocol), HEADLINE_METRIC)
    reason = _why_unranked(run, cells, headline)
    return Standing(group, method, cells, headline, unranked=reason)


def why_bound(cells: Sequence[CellRecord]) -> str:
    """Say what an upper bound knows that its protocol hides."""
    told = {part for cell in cells for part in cell.told_class}
    if told == {"normalizer at fit"}:
        return "upper bound: was told the classes of calibration images"
    return "upper bound: knows the class"


def _why_unranked(run: RunRecord, cells: Sequence[CellRecord], headline: Score) -> str | None:
    if any(cell.class_oracle for cell in cells):
        return why_bound(cells)
    worst = [cell for cell in cells if cell.status != "ok"]
    if worst:
        return "failed" if worst[0].status == "failed" else "failed for some classes"
    absent = sorted(set(run.seeds) - {cell.seed for cell in cells})
    if absent:
        return "no result for seed " + ", ".join(map(str, absent))
    return f"undefined: {headline.reason}" if headline.value is None else None


def _rank(standings: Sequence[Standing]) -> list[Standing]:
    sign = -1.0 if metric_name(HEADLINE_METRIC).direction == "higher" else 1.0
    ranked = {s.method: sign * s.headline.value for s in standings if _is_ranked(s)}  # type: ignore[operator]
    placed = [
        replace(s, rank=1 + sum(other < ranked[s.method] for other in ranked.values()))
        if s.method in ranked
        else s
        for s in standings
    ]
    return sorted(placed, key=lambda s: (s.rank is None, s.rank or 0, s.method))


def _is_ranked(standing: Standing) -> bool:
    return standing.unranked is None and standing.headline.value is not None
