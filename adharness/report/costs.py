"""What a line of the board cost: one unit and one number of decimals a column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from statistics import fmean

from adharness.report.formats import DASH, aligned, counted
from adharness.report.leaderboard import Leaderboard, Standing
from adharness.report.view import Column, Number
from adharness.store.records import CellRecord, Circumstances, Costs

COST_COLUMNS = (
    Column("fit", "Cost", "cost", "", "s", "wall time to fit all models of the line"),
    Column("score", "Cost", "cost", "", "ms", "median time an image, from its features"),
    Column("memory", "Cost", "cost", "", "MB", "most memory to fit and use a model of the line"),
    Column("bank", "Cost", "cost", "", "MB", "size of the banks"),
)
_BANKLESS = "no bank of rows"
_FIELDS = ("fit_s", "score_ms", "peak_memory_mb", "bank_mb")


def _extracted_and_scored(costs: Costs) -> float | None:
    return None if costs.extract_ms is None else costs.extract_ms + costs.score_ms


@dataclass(frozen=True, slots=True)
class Cost:
    """A cost: what it is called, its unit, how it is put together, and where it is recorded."""

    name: str
    unit: str
    note: str
    of: Callable[[Costs], float | None]
    group: str = "Cost"
    missing: str = "not recorded"
    """Why a method may have none."""

    @property
    def title(self) -> str:
        """Name and unit."""
        return f"{self.name}, {self.unit}"

    @property
    def column(self) -> Column:
        """Head of its column."""
        key = f"{self.group} {self.name} {self.unit}".lower()
        return Column(self.name, self.group, "cost", "↓", self.unit, self.note, key=key)


AXES = (
    Cost(
        *("an image", "ms", "time to extract the features of an image and to score it"),
        _extracted_and_scored,
    ),
    Cost("fit", "s", "wall time to fit all models of the line", attrgetter("fit_s")),
    Cost(
        *("memory", "MB", "most memory at once to fit a model and to score with it"),
        attrgetter("peak_memory_mb"),
    ),
    Cost("bank", "MB", "size of the banks", attrgetter("bank_mb"), missing=_BANKLESS),
    Cost("bank", "rows", "rows of the banks", attrgetter("bank_rows"), missing=_BANKLESS),
)
"""Those that quality is drawn against."""
_IMAGE, _FIT, _REST = "An image, by stage", "Fit, by stage", "Besides"
STAGES = (
    Cost(
        *("decode", "ms", "decode and resize, while the network works on other images"),
        *(attrgetter("decode_ms"), _IMAGE),
    ),
    Cost("network", "ms", "the extractor, in full batches", attrgetter("network_ms"), _IMAGE),
    Cost("score", "ms", "from its features; median", attrgetter("score_ms"), _IMAGE),
    Cost("map", "ms", "to draw it at native size", attrgetter("map_ms"), _IMAGE),
    Cost("first", "ms", "to score the first image", attrgetter("first_score_ms"), _IMAGE),
    Cost("bank", "s", "to reduce the features to the banks", attrgetter("bank_s"), _FIT),
    Cost("scorer", "s", "to fit the scorers on the banks", attrgetter("scorer_fit_s"), _FIT),
    Cost("CPU", "s", "of all threads", attrgetter("fit_cpu_s"), _FIT),
    Cost("in use", "MB", "memory to score, model included", attrgetter("score_memory_mb"), _REST),
    Cost("score all", "s", "wall time, images held out included", attrgetter("score_s"), _REST),
    Cost("judge", "s", "thresholds and metrics of a cell, mean", attrgetter("judge_s"), _REST),
)
"""What those are made of, and what the results cost besides. `score` alone is older than the
others."""


def cost_numbers(standings: Sequence[Standing]) -> list[tuple[Number, ...]]:
    """Give the cost columns of each standing, means over its seeds."""
    columns = [
        amounts(
            [mean_cost(standing.cells, attrgetter(field)) for standing in standings],
            _BANKLESS if field == "bank_mb" else "not recorded",
        )
        for field in _FIELDS
    ]
    return list(zip(*columns, strict=True))


def amounts(values: Sequence[float | None], missing: str = "not recorded") -> list[Number]:
    """Show a column of costs; a dash with its reason for what is missing, never a zero."""
    return [
        Number(text, sort=repr(value)) if value is not None else Number(DASH, note=missing)
        for value, text in zip(values, aligned(values), strict=True)
    ]


def mean_cost(cells: Iterable[CellRecord], read: Callable[[Costs], float | None]) -> float | None:
    """Give the mean of a cost over cells that recorded it; None where none did."""
    values = [read(cell.costs) for cell in cells if cell.costs is not None]
    known = [float(value) for value in values if value is not None]
    return fmean(known) if known else None


def cost_fields(costs: Costs) -> dict[str, float | int | str | None]:
    """Give all that is recorded of costs as columns; several circumstances are joined by `;`."""
    numbers = {name: value for name, value in costs if name != "measured"}
    places = {
        field: ";".join(str(getattr(one, field)) for one in costs.measured) or None
        for field in Circumstances.model_fields
    }
    return numbers | places


def circumstances_of(cells: Iterable[CellRecord]) -> list[Circumstances]:
    """Name each of the circumstances under which these cells' models were made, in their order."""
    told = (cell.costs.measured for cell in cells if cell.costs is not None)
    return list(dict.fromkeys(one for each in told for one in each))


def said(one: Circumstances) -> str:
    """`Xeon, 2 threads, one cell at a time`."""
    work = "one cell at a time" if one.at_once == 1 else f"{one.at_once} cells at once"
    return f"{one.cpu}, {counted(one.threads, 'thread')}, {work}"


def told_circumstances(board: Leaderboard) -> str:
    """Say under what circumstances the costs were measured, and whether times can be compared."""
    cells = list({cell.id: cell for s in board.standings for cell in s.cells}.values())
    found = [said(one) for one in circumstances_of(cells)]
    silent = any(cell.costs is not None and not cell.costs.measured for cell in cells)
    if not found:
        return "Threads, and cells at work at the same time, were not recorded."
    unknown = ["circumstances that were not recorded"] if silent else []
    if len(found) + len(unknown) == 1:
        return f"Models were made on {found[0]}."
    every = "; ".join([*found, *unknown])
    return f"Models were made under {len(found) + len(unknown)} circumstances, between which " \
           f"times cannot be compared: {every}."  # fmt: skip
