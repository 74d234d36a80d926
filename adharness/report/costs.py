"""What a line of the board cost: one unit and one number of decimals a column."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from statistics import fmean

from adharness.report.formats import DASH, aligned
from adharness.report.leaderboard import Standing
from adharness.report.view import Column, Number

COST_COLUMNS = (
    Column("fit", "Cost", "cost", "", "s", "wall time to fit all models of the line"),
    Column("score", "Cost", "cost", "", "ms", "mean time an image, from its features"),
    Column("bank", "Cost", "cost", "", "MB", "memory of the banks"),
)
_FIELDS = ("fit_s", "score_ms", "bank_mb")


def cost_numbers(standings: Sequence[Standing]) -> list[tuple[Number, ...]]:
    """Give the cost columns of each standing, means over its seeds."""
    columns = [_column([_mean(standing, field) for standing in standings]) for field in _FIELDS]
    return list(zip(*columns, strict=True))


def _column(values: Sequence[float | None]) -> list[Number]:
    return [
        Number(text, sort=repr(value)) if value is not None else Number(DASH, note="not measured")
        for value, text in zip(values, aligned(values), strict=True)
    ]


def _mean(standing: Standing, field: str) -> float | None:
    read = attrgetter(field)
    values = [read(cell.costs) for cell in standing.cells if cell.costs is not None]
    known = [float(value) for value in values if value is not None]
    return fmean(known) if known else None
