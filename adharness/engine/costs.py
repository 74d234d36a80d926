"""What a model cost to make and to use, and what the models of a cell cost together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from statistics import fmean, median
from typing import Any

from adharness.contracts import Bag, Images, Memory
from adharness.engine.meter import Spent, warm
from adharness.engine.shard_entry import Shard
from adharness.store.provenance import cpu_name
from adharness.store.records import Circumstances, Costs

SUMMED = ("fit_s", "bank_s", "scorer_fit_s", "fit_cpu_s", "score_s", "score_cpu_s")
"""Over the models of a cell. So are `bank_rows` and `bank_mb`, of the banks that have any."""
HIGHEST = ("peak_memory_mb", "score_memory_mb")
"""Of any model: one is fitted, and used, after the other."""
TYPICAL = ("score_ms", "first_score_ms", "decode_ms", "network_ms")
"""Median over the models."""


@dataclass(eq=False)
class Workplace:
    """Where models are fitted, described once and not before it is asked for."""

    at_once: int = 1
    """Cells at work at the same time on the machine."""

    @cached_property
    def circumstances(self) -> Circumstances:
        """Describe it as the records keep it."""
        return Circumstances(cpu=cpu_name(), threads=library_threads(), at_once=self.at_once)

    def named_in(self, costs: Costs | None) -> Costs | None:
        """Say in costs that they were measured here."""
        return costs and costs.model_copy(update={"measured": [self.circumstances]})


def library_threads() -> int:
    """Threads that the numeric libraries of this process may use: the most of any of them."""
    pools = import_module("threadpoolctl").threadpool_info()  # scikit-learn brings it
    return max([1, *(int(pool["num_threads"]) for pool in pools)])


@dataclass(frozen=True, slots=True)
class FitSpent:
    """What reducing the features took, and then fitting the scorer on them."""

    bank: Spent
    scorer: Spent

    @property
    def peak_mb(self) -> float:
        """Most memory at once, beyond that of before both."""
        return max(self.bank.peak_mb, self.bank.held_mb + self.scorer.peak_mb)

    @property
    def held_mb(self) -> float:
        """Memory of the model."""
        return self.bank.held_mb + self.scorer.held_mb


@dataclass(slots=True)
class ScoreSpent:
    """What scoring images one by one took; `each_ms` in their order, without reading them."""

    each_ms: list[float] = field(default_factory=list)
    whole: Spent | None = None


def model_costs(
    memory: Memory, shards: Sequence[Shard], fitted: FitSpent, scored: ScoreSpent
) -> Costs:
    """Put together what one model cost.

    Parameters
    ----------
    shards
        Of the images that it was fitted on; none where no image was extracted.
    """
    rows: Any = memory.rows if isinstance(memory, Bag | Images) else None
    whole, image_ms, entries = scored.whole, warm(scored.each_ms), [shard.entry for shard in shards]
    in_use = None if whole is None else fitted.held_mb + whole.peak_mb
    return Costs(
        fit_s=fitted.bank.wall_s + fitted.scorer.wall_s,
        score_ms=image_ms or 0.0,
        extract_ms=fmean(entry.extract_ms for entry in entries) if entries else None,
        bank_rows=None if rows is None else len(rows),
        bank_mb=None if rows is None else rows.nbytes / 1e6,
        bank_s=fitted.bank.wall_s,
        scorer_fit_s=fitted.scorer.wall_s,
        fit_cpu_s=fitted.bank.cpu_s + fitted.scorer.cpu_s,
        score_s=None if whole is None else whole.wall_s,
        score_cpu_s=None if whole is None else whole.cpu_s,
        first_score_ms=scored.each_ms[0],
        decode_ms=_of_all(median, [entry.decode_ms for entry in entries]),
        network_ms=_of_all(median, [entry.network_ms for entry in entries]),
        peak_memory_mb=None if in_use is None else max(fitted.peak_mb, in_use),
        score_memory_mb=in_use,
    )


def total(costs: Sequence[Costs]) -> Costs | None:
    """Put together what the models of a cell cost; None of no model.

    Notes
    -----
    The order of the models does not matter. A number that one of them has not is not recorded of
    all, since a part would pass for the whole; but banks without rows count nothing.
    """
    if not costs:
        return None
    found: dict[str, Any] = {
        name: _of_all(pick, [getattr(one, name) for one in costs])
        for names, pick in ((SUMMED, math.fsum), (HIGHEST, max), (TYPICAL, median))
        for name in names
    }
    extracted = [one.extract_ms for one in costs if one.extract_ms is not None]
    rows = [one.bank_rows for one in costs if one.bank_rows is not None]
    sizes = [one.bank_mb for one in costs if one.bank_mb is not None]
    return Costs(
        **found,
        extract_ms=fmean(extracted) if extracted else None,
        bank_rows=sum(rows) if rows else None,
        bank_mb=math.fsum(sizes) if sizes else None,
        measured=_distinct(costs),
    )


def _of_all(
    pick: Callable[[Iterable[float]], float], values: Sequence[float | None]
) -> float | None:
    known = [value for value in values if value is not None]
    return pick(known) if known and len(known) == len(values) else None


def _distinct(costs: Sequence[Costs]) -> list[Circumstances]:
    found = {each for one in costs for each in one.measured}
    return sorted(found, key=lambda each: (each.cpu, each.threads, each.at_once))
