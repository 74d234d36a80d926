"""What `adharness check` prints of the cost of a run, and when it refuses one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from adharness.cli import render
from adharness.engine.calibration import Budget
from adharness.engine.estimate import Estimate, estimate
from adharness.engine.fits import too_large
from adharness.engine.growth import Span
from adharness.engine.reckoning import of_method
from adharness.engine.room import Room, one_disk, size_text
from adharness.errors import StoreError
from adharness.plan import Plan

TRIAL_S = 30.0
"""Seconds that all trials of a check may take together."""
_UNITS = (("s", 1.0), ("min", 60.0), ("h", 3600.0))


@dataclass(frozen=True)
class Places:
    """Where a run would read and write, and how much of each class; `room` says what is free."""

    cache: Path
    out: Path
    limit: int | None = None
    room: Room = field(default_factory=Room)


def tell_costs(plan: Plan, where: Places, budget_s: float = TRIAL_S) -> None:
    """Print the cells, what the cache holds, and what a run would take; refuse what cannot fit.

    Raises
    ------
    StoreError
        The suite will not fit on the disk or in memory.
    SuiteError
        As `estimate`.
    """
    made = estimate(plan, where.cache, limit=where.limit, budget=Budget(budget_s))
    render.print_table(["cells", *plan.suite.protocols], cell_rows(plan))
    if not made.features:
        for line in ("no estimate:", *(f"  {why}" for why in made.untold)):
            render.print_line(line)
        return
    _print_features(made)
    _print_methods(made)
    for line in total_lines(made, where):
        render.print_line(line)
    refuse(made, where)


def cell_rows(plan: Plan) -> list[render.Row]:
    """Count the cells by data set, one column a protocol."""
    counted = Counter((cell.dataset.name, cell.protocol) for cell in plan.cells)
    protocols = plan.suite.protocols
    return [
        render.Row([data.name, *(str(counted[data.name, name]) for name in protocols)])
        for data in plan.suite.data
    ]


def _print_features(made: Estimate) -> None:
    columns = [
        "features",
        "extractor",
        "images",
        "cached",
        "an image",
        "to extract",
        "disk",
        "time",
    ]
    rows = []
    for row in made.features:
        told = [row.dataset, row.extractor, str(row.images), str(row.cached)]
        told += [size_text(row.image_bytes), str(row.left), size_text(row.left_bytes)]
        rows.append(render.Row([*told, span_text(row.seconds)]))
    render.print_table(columns, rows)


def _print_methods(made: Estimate) -> None:
    columns = ["method", "models", "fit", "score", "grows as", "tried on", "memory"]
    rows = []
    for name, costs in made.methods.items():
        models, fit, score = of_method(made.work, name, costs)
        largest = max(n for key, n in made.work.fits.items() if key[1] == name)
        told = [name, str(models), span_text(fit), span_text(score)]
        assumed = "" if len(costs.fit_s.sizes) > 1 else ", assumed"
        told += [f"n^{costs.fit_s.exponent:.1f}{assumed}"]
        told += [f"{costs.fit_s.sizes[-1]} of {largest} images"]
        rows.append(render.Row([*told, size_text(costs.memory.at(largest).likely)]))
    render.print_table(columns, rows)


def total_lines(made: Estimate, where: Places) -> list[str]:
    """Write the totals, each beside what there is."""
    cache, out, room = where.cache, where.out, where.room
    whole = Span.sum(made.stages_s.values())
    stages = ", ".join(f"{name} {span_text(span)}" for name, span in made.stages_s.items())
    untold = [f"  not in it: {why}" for why in made.untold]
    results = f"{size_text(made.results.low)} to {size_text(made.results.high)}"
    memory = f"{size_text(made.memory.low)} to {size_text(made.memory.high)}"
    return [
        f"time: {span_text(whole)} on one process ({stages})",
        *untold,
        f"memory: {memory} at the peak; {size_text(room.memory())} are free",
        f"disk: features {size_text(made.feature_bytes)}; "
        f"{size_text(room.disk(cache))} are free at {cache}",
        f"disk: results {results}; {size_text(room.disk(out))} are free at {out}",
        f"from a trial of {made.spent_s:.0f} s; what {out} holds already is not counted",
    ]


def refuse(made: Estimate, where: Places) -> None:
    """Refuse a suite that will not fit: at the lower ends of what was reckoned, features exactly.

    Raises
    ------
    StoreError
        The disk or the memory is too small.
    """
    cache, out, room = where.cache, where.out, where.room
    if made.feature_bytes > room.disk(cache):
        images = sum(row.left for row in made.features)
        what = f"features of {images} images"
        raise too_large(what, made.feature_bytes, room.disk(cache), cache)
    needed = int(made.results.low) + (made.feature_bytes if one_disk(cache, out) else 0)
    if needed > room.disk(out):
        what = "results and features" if one_disk(cache, out) else "results"
        raise too_large(what, needed, room.disk(out), out)
    if made.memory.low > room.memory() + made.held:
        raise StoreError(
            f"the suite needs at least {size_text(made.memory.low)} of memory, and "
            f"{size_text(room.memory() + made.held)} are free",
            hint="run fewer images with --limit, keep less in a bank (ratio, shots), "
            "or use a machine with more memory",
        )


def span_text(span: Span) -> str:
    """Write a span of seconds, such as `2 to 5 min` or `40 s to 3 min`; `0 s` of nothing."""
    if span.high < 1:
        return "0 s" if span.high == 0 else "< 1 s"
    low, high = _duration(span.low), _duration(span.high)
    if low == high:
        return high
    number, unit = low.split()
    return f"{number} to {high}" if high.endswith(f" {unit}") else f"{low} to {high}"


def _duration(seconds: float) -> str:
    """Write seconds in the unit that suits them: `85 s`, `2.5 min`, `31 h`."""
    unit, length = next((u for u in _UNITS if seconds < 100 * u[1]), _UNITS[-1])
    value = seconds / length
    return f"{value:.0f} {unit}" if value >= 10 or unit == "s" else f"{value:.1f} {unit}"
