"""The table of metrics: what each id means to the rest of the program, and what it promises."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, TypeAlias

from adharness.errors import MetricError
from adharness.metrics import catalogue
from adharness.metrics.dialect_table import Dialect, find_dialect
from adharness.metrics.traits import TRAITS, Level, Unit, applies
from adharness.suggest import closest

Direction: TypeAlias = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """What the program knows of a metric besides its formula.

    Parameters
    ----------
    name
        The id, `level_quantity[_limit][_oracle][@dialect]`.
    level
        What is counted: images, pixels, or ground-truth regions.
    quantity
        The id without level, limit and dialect: `auroc`, `f1_oracle`, `aupro`.
    needs
        Of `scores`, `threshold`, `masks`, `regions`: what must be given to compute it.
    traits
        The names in `TRAITS` that hold for it; every other trait is denied.
    summary
        One sentence for a table's footnote.
    direction
        Whether a `higher` or a `lower` value is better.
    range
        The smallest and the largest possible value.
    unit
        A `share` of one, or a `cost`, in the unit in which the suite gives its costs.
    limit
        Largest false-positive rate integrated over, of the metrics that carry it in their id.
    dialect
        The name of the code whose reading of the metric this is; None for the exact one.
    """

    name: str
    level: Level
    quantity: str
    needs: frozenset[str]
    traits: frozenset[str]
    summary: str
    direction: Direction = "higher"
    range: tuple[float, float] = (0.0, 1.0)
    unit: Unit = "share"
    limit: float | None = None
    dialect: str | None = None

    @property
    def best(self) -> float:
        """The end of the range that a perfect detector reaches."""
        return self.range[1] if self.direction == "higher" else self.range[0]

    @property
    def reading(self) -> str:
        """The quantity as it is read: `ap`, or `ap@trapezoid` in a dialect."""
        return f"{self.quantity}@{self.dialect}" if self.dialect else self.quantity

    @property
    def at_threshold(self) -> bool:
        """Whether it is measured at the deployed threshold."""
        return "threshold" in self.needs

    @property
    def denied(self) -> frozenset[str]:
        """The traits that make sense for it and do not hold."""
        asked = {t for t in TRAITS if applies(t, self.level, threshold=self.at_threshold)}
        return frozenset(asked - self.traits)


def _spec(entry: catalogue.Entry) -> MetricSpec:
    needs = {"scores"} | ({"masks"} if entry.level != "image" else set())
    return MetricSpec(
        name=f"{entry.level}_{entry.quantity}",
        level=entry.level,
        quantity=entry.quantity,
        needs=frozenset(needs | entry.needs),
        traits=entry.traits,
        summary=entry.summary,
        direction="lower" if entry.lower else "higher",
        range=(0.0, math.inf) if entry.unit == "cost" else (0.0, 1.0),
        unit=entry.unit,
    )


def _limited(quantity: str, percent: int) -> MetricSpec:
    entry = catalogue.LIMITED[quantity]
    spec = _spec(entry)
    return replace(
        spec,
        traits=spec.traits | (entry.at_full if percent == 100 else frozenset()),
        name=f"{spec.name}_{percent:02d}",
        summary=spec.summary.format(percent=percent),
        limit=percent / 100,
    )


_SPECS = (
    *(_spec(entry) for entry in catalogue.ENTRIES),
    *(_limited("aupro", percent) for percent in (30, 5)),
    _limited("spro", 5),
)
METRICS: Mapping[str, MetricSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})
"""The exact metrics, in the order of the docs; of those with a limit the customary ones."""

_LIMITED_NAME = re.compile(r"region_(?P<quantity>aupro|spro)_(?P<percent>0[1-9]|[1-9]\d|100)")


def find_metric(name: str) -> MetricSpec:
    """Return the metric of this id.

    `region_aupro_01` to `region_aupro_100` and `region_spro_01` to `region_spro_100` all exist,
    and `<id>@<dialect>` for what the dialect defines.

    Raises
    ------
    MetricError
        If there is no such id; the hint names the closest one.
    """
    exact, at, dialect = name.partition("@")
    if at:
        return _spoken(_exact(exact), find_dialect(dialect))
    return _exact(exact)


def _exact(name: str) -> MetricSpec:
    if name in METRICS:
        return METRICS[name]
    match = _LIMITED_NAME.fullmatch(name)
    if match:
        return _limited(match["quantity"], int(match["percent"]))
    raise MetricError(f"unknown metric '{name}'", hint=_hint(name))


def _spoken(spec: MetricSpec, dialect: Dialect) -> MetricSpec:
    """Describe the metric as the dialect reads it."""
    if not dialect.defines(f"{spec.level}_{spec.quantity}"):
        known = ", ".join(dialect.metrics)
        raise MetricError(
            f"the dialect '{dialect.name}' has no {spec.name}", hint=f"it reads {known}"
        )
    return replace(
        spec,
        name=f"{spec.name}@{dialect.name}",
        traits=dialect.traits & spec.traits,
        summary=f"{spec.summary} As {dialect.summary}",
        dialect=dialect.name,
    )


def _hint(name: str) -> str:
    for quantity in catalogue.LIMITED:
        if name.startswith(f"region_{quantity}_"):
            example = f"region_{quantity}_05"
            return f"the limit is a percentage of two or three digits, 01 to 100: {example}"
    return closest(name, METRICS, otherwise="the metrics are")
