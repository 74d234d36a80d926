"""Cost against quality: which methods no other one beats in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from adharness.report.boards import headline_label
from adharness.report.drawings import CostFigure, Figure
from adharness.report.embedded import Plain
from adharness.report.formats import DASH, aligned
from adharness.report.leaderboard import Leaderboard, Standing
from adharness.report.view import Column, Footnotes, Line, Number, Table, number
from adharness.store.records import Costs

DIGITS = 5


@dataclass(frozen=True, slots=True)
class Axis:
    """A cost: what it is called, its unit, and how it is put together."""

    name: str
    unit: str
    note: str


AXES = (
    Axis("an image", "ms", "time to extract the features of an image and to score it"),
    Axis("fit", "s", "wall time to fit all models of the line"),
    Axis("bank", "MB", "memory of the banks"),
    Axis("bank", "rows", "rows of the banks"),
)


def pareto_front(costs: Sequence[float | None], values: Sequence[float]) -> list[int]:
    """Find what no other one beats: none costs less and is as good, or costs as much and is better.

    Parameters
    ----------
    costs
        Lower is better; None takes no part.
    values
        Higher is better.

    Returns
    -------
    list of int
        Places in ascending order of cost. Equals in both are all on the front.
    """
    known = sorted(((cost, -values[at], at) for at, cost in enumerate(costs) if cost is not None))
    front: list[int] = []
    best: tuple[float, float] | None = None
    for cost, worse, at in known:
        if best is None or worse < best[1] or (cost, worse) == best:
            best = (cost, worse)
            front.append(at)
    return front


def costs_of(standing: Standing) -> list[float | None]:
    """Give each of `AXES`, the mean over seeds; None where it was not measured."""
    told = [_read(cell.costs) for cell in standing.cells if cell.costs is not None]
    columns = zip(*told, strict=True) if told else [() for _ in AXES]
    known = [[value for value in column if value is not None] for column in columns]
    return [fmean(values) if values else None for values in known]


def _read(costs: Costs) -> tuple[float | None, ...]:
    image = None if costs.extract_ms is None else costs.extract_ms + costs.score_ms
    return image, costs.fit_s, costs.bank_mb, costs.bank_rows


def cost_figures(board: Leaderboard) -> list[tuple[str, CostFigure]]:
    """Draw what is ranked together, with its numbers; each figure with its protocol.

    The headline needs no threshold: lines that differ in the thresholder alone are one, the first.
    """
    groups: dict[tuple[str, ...], dict[str, Standing]] = {}
    for standing in board.standings:
        group = standing.group
        if standing.headline.value is not None and any(c.costs for c in standing.cells):
            key = (group.dataset, group.protocol, group.normalizer, group.apart)
            groups.setdefault(key, {}).setdefault(standing.method, standing)
    return [
        (key[1], _drawn(board, key, list(found.values()), f"cost-{place}"))
        for place, (key, found) in enumerate(groups.items(), 1)
    ]


def _drawn(
    board: Leaderboard, key: tuple[str, ...], standings: Sequence[Standing], identity: str
) -> CostFigure:
    dataset, protocol, normalizer, apart = key
    costs = [costs_of(standing) for standing in standings]
    values = [standing.headline.value or 0.0 for standing in standings]
    # What knows the class that its protocol hides cannot be had at any cost: it stands apart.
    fair = [not any(cell.class_oracle for cell in standing.cells) for standing in standings]
    fronts = [
        pareto_front([c[at] if ok else None for c, ok in zip(costs, fair, strict=True)], values)
        for at in range(len(AXES))
    ]
    keys = {"dataset": dataset, "normalizer": normalizer}
    what = headline_label(protocol)
    figure = Figure(
        kind="pareto",
        title=f"{dataset}: {what} against cost, {protocol}",
        note=f"normalizer {normalizer}" + (f". Judged apart: {apart}" if apart else ""),
        keys=keys,
        data={
            "choices": [{"name": "cost", "label": "Cost", "values": [_title(a) for a in AXES]}],
            "quality": what,
            "methods": [_point(board, *line) for line in zip(standings, costs, fair, strict=True)],
            "fronts": fronts,
        },
        instead="Its numbers are in the table below.",
    )
    return CostFigure(figure, _table(key, identity, standings, costs, fronts))


def _title(axis: Axis) -> str:
    return f"{axis.name}, {axis.unit}"


def _point(
    board: Leaderboard, standing: Standing, costs: Sequence[float | None], fair: object
) -> Mapping[str, Plain]:
    score, order = standing.headline, list(board.run.methods)
    ends = score.spread or (score.low, score.high)
    return {
        "name": standing.method,
        "colour": order.index(standing.method) if standing.method in order else 0,
        "bound": not fair,
        "costs": [None if cost is None else float(f"{cost:.4g}") for cost in costs],
        "value": _share(score.value),
        "ends": [_share(end) for end in ends],
    }


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def _table(
    key: tuple[str, ...],
    identity: str,
    standings: Sequence[Standing],
    costs: Sequence[Sequence[float | None]],
    fronts: Sequence[Sequence[int]],
) -> Table:
    dataset, protocol, normalizer, _ = key
    notes, what = Footnotes(), headline_label(protocol)
    columns = [_amounts([cost[at] for cost in costs]) for at in range(len(AXES))]
    lines = [
        Line(
            method=standing.method,
            keys={},
            numbers=(number(standing.headline, notes), *(column[at] for column in columns)),
            settings=(_fronts(at, fronts),),
        )
        for at, standing in enumerate(standings)
    ]
    return Table(
        id=identity,
        label=what,
        caption=f"{dataset}, {protocol}, normalizer {normalizer}: quality and costs.",
        settings=("on the front for",),
        columns=(
            Column(what, "Quality", "metric", "↑", "%"),
            *(Column(a.name, "Cost", "cost", "↓", a.unit, a.note) for a in AXES),
        ),
        lines=tuple(lines),
        footnotes=notes.texts(),
    )


def _fronts(at: int, fronts: Sequence[Sequence[int]]) -> str:
    told = [_title(axis) for axis, front in zip(AXES, fronts, strict=True) if at in front]
    return " · ".join(told) or DASH


def _amounts(values: Sequence[float | None]) -> list[Number]:
    return [
        Number(text, sort=repr(value)) if value is not None else Number(DASH, note="not measured")
        for value, text in zip(values, aligned(values), strict=True)
    ]
