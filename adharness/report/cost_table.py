"""The numbers under a figure of costs: quality once a normalizer, each cost and its stages once."""

from __future__ import annotations

from collections.abc import Iterator

from adharness.report.boards import headline_label
from adharness.report.cost_groups import CostGroup, is_bound
from adharness.report.costs import AXES, STAGES, Cost, amounts, circumstances_of, mean_cost, said
from adharness.report.formats import DASH
from adharness.report.view import Column, Footnotes, Line, Number, Table, number


def cost_table(one: CostGroup, identity: str) -> Table:
    """Lay out the methods of one figure.

    Stages that no method recorded have no column: the caption says that they are missing.
    """
    notes, what = Footnotes(), headline_label(one.protocol)
    of_axes = [amounts(list(values), axis.missing) for axis, values in _by_axis(one)]
    stages = [[mean_cost(one.cells[m], stage.of) for m in one.methods] for stage in STAGES]
    recorded = any(value is not None for values in stages[:2] + stages[3:] for value in values)
    columns = [*of_axes, *(map(amounts, stages) if recorded else [])]
    several = len({place for m in one.methods for place in circumstances_of(one.cells[m])}) > 1
    return Table(
        id=identity,
        label=what,
        caption=f"{one.dataset}, {one.protocol}: quality and costs."
        + ("" if recorded else " The stages were not recorded."),
        settings=("on the front for",),
        columns=(
            *_quality(one, what),
            *(axis.column for axis in AXES),
            *(stage.column for stage in STAGES if recorded),
        ),
        lines=tuple(
            Line(
                method=method,
                keys={},
                numbers=(*_values(one, method, notes), *(column[at] for column in columns)),
                settings=(_fronts(one, at),),
                detail=" / ".join(map(said, circumstances_of(one.cells[method]))) * several,
            )
            for at, method in enumerate(one.methods)
        ),
        footnotes=notes.texts(),
    )


def _by_axis(one: CostGroup) -> Iterator[tuple[Cost, tuple[float | None, ...]]]:
    return zip(AXES, zip(*one.costs, strict=True), strict=True)


def _quality(one: CostGroup, what: str) -> list[Column]:
    alone = len(one.shown) == 1
    return [
        Column(
            what if alone else name,
            "Quality" if alone else what,
            *("metric", "↑", "%"),
            note="" if alone else f"normalizer {name}",
            tag="upper bound" if all(map(is_bound, standings.values())) else "",
        )
        for name, standings in one.shown.items()
    ]


def _values(one: CostGroup, method: str, notes: Footnotes) -> list[Number]:
    found = [standings.get(method) for standings in one.shown.values()]
    return [number(s.headline, notes) if s else Number(DASH, note="no number") for s in found]


def _fronts(one: CostGroup, at: int) -> str:
    """Name the costs of whose front a method is; under which normalizers, if not under all."""
    # A normalizer under which all are upper bounds has no front that a method could miss.
    of, told = {name: fronts for name, fronts in one.fronts.items() if any(fronts)}, []
    for place, axis in enumerate(AXES):
        under = [name for name, fronts in of.items() if at in fronts[place]]
        if under:
            told.append(axis.title + (f" ({', '.join(under)})" if len(under) < len(of) else ""))
    return " · ".join(told) or DASH
