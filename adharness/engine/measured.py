"""A metric of a row with what its interval needs, and the mean over classes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from adharness.arrays import AnyArray
from adharness.metrics import MetricValue, find_metric
from adharness.statistics import Drawn, macro_mean
from adharness.store.records import Spread, Value
from adharness.suite.schema import StatisticsSettings


@dataclass(frozen=True, eq=False)
class Measured:
    """One metric of one row, with what its interval needs where it has one."""

    value: MetricValue
    drawn: Drawn | None = None

    def record(self, how: StatisticsSettings) -> Value:
        """Give the value and its interval as they are stored, unrounded."""
        if not np.isfinite(self.value.value):
            return Value(value=None, reason=self.value.reason)
        bounds: list[float | None] = [None, None]
        if self.drawn is not None:
            ends = self.drawn.interval(how.level, how.interval)
            bounds = [end if np.isfinite(end) else None for end in ends]
        low, high = bounds
        return Value(value=float(self.value.value), low=low, high=high, spread=self._spread())

    def _spread(self) -> Spread | None:
        """Give the quartiles over the images that have a number of their own, interpolated."""
        own = [one for one in self.value.per_image or () if one is not None]
        if not own:
            return None
        ends = np.quantile(np.array(own, dtype=np.float64), [0.0, 0.25, 0.5, 0.75, 1.0])
        return Spread(**dict(zip(Spread.model_fields, ends.tolist(), strict=True)))


def replicate_arrays(table: Mapping[str, Mapping[str, Measured]]) -> dict[str, AnyArray]:
    """Give the replicates of pixel and region metrics as they are stored; empty without any.

    Those of image metrics are not kept: a report makes them from the scores beside.

    Returns
    -------
    scopes : (S,) text
        Names of the rows.
    metrics : (M,) text
    estimates : (S, M) float64
    values : (S, M, B) float32
        NaN where a metric is undefined.
    influences : (S, M, J) float32
        Of the images of a row in the first places, zero in those beyond.
    strata : (S, J) int64
    """
    drawn = {
        (scope, name): one.drawn
        for scope, metrics in table.items()
        for name, one in metrics.items()
        if one.drawn is not None and find_metric(name).level != "image"
    }
    if not drawn:
        return {}
    scopes, metrics = (list(dict.fromkeys(key[axis] for key in drawn)) for axis in range(2))
    resamples = len(next(iter(drawn.values())).replicates)
    parts = max(len(one.influence) for one in drawn.values())
    estimates = np.full((len(scopes), len(metrics)), np.nan)
    values = np.full((*estimates.shape, resamples), np.nan, np.float32)
    influences = np.zeros((*estimates.shape, parts), np.float32)
    strata = np.zeros((len(scopes), parts), np.int64)
    for (scope, metric), one in drawn.items():
        row, column, count = scopes.index(scope), metrics.index(metric), len(one.influence)
        estimates[row, column], values[row, column] = one.estimate, one.replicates
        influences[row, column, :count], strata[row, :count] = one.influence, one.strata
    return {
        "scopes": np.array(scopes),
        "metrics": np.array(metrics),
        "estimates": estimates,
        "values": values,
        "influences": influences,
        "strata": strata,
    }


def undefined(names: Sequence[str], reason: str | None) -> dict[str, Measured]:
    """Give every one of these metrics the same reason for having no value."""
    return {name: Measured(MetricValue(math.nan, reason)) for name in names}


def macro_of(
    rows: Mapping[str, Mapping[str, Measured]], how: StatisticsSettings
) -> dict[str, Measured]:
    """Mean over classes: undefined where it is undefined in a class, never a mean of the rest."""
    names = list(next(iter(rows.values()))) if rows else []
    return {
        name: _mean({row: metrics[name] for row, metrics in rows.items()}, how) for name in names
    }


def _mean(by_class: Mapping[str, Measured], how: StatisticsSettings) -> Measured:
    missing = [c for c, m in by_class.items() if not np.isfinite(m.value.value)]
    if missing:
        first = by_class[missing[0]].value.reason
        reason = f"undefined in {', '.join(missing)}: {first}"
        return Measured(MetricValue(float("nan"), reason))
    mean = float(np.mean([m.value.value for m in by_class.values()]))
    value = MetricValue(mean, None, _images_of_all([m.value for m in by_class.values()]))
    drawn = [m.drawn for m in by_class.values() if m.drawn is not None]
    whole = len(drawn) == len(by_class)
    return Measured(value, macro_mean(drawn, how.macro) if whole else None)


def _images_of_all(values: Sequence[MetricValue]) -> tuple[float | None, ...] | None:
    """Join the numbers of single images, each taken within its own class."""
    own = [value.per_image for value in values if value.per_image is not None]
    return tuple(one for of_class in own for one in of_class) if own else None
