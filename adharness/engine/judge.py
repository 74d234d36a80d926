"""The judge: the only place where scores meet test labels and masks."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adharness.arrays import Float64, Int64
from adharness.engine.scored_maps import ScoredMaps
from adharness.engine.survey import Survey
from adharness.engine.truth import Truth
from adharness.metrics import MetricValue, evaluate_images, evaluate_pixels, find_metric
from adharness.statistics.bootstrap import (
    bootstrap_weights,
    interval,
    macro_replicates,
    replicates_of,
)
from adharness.store.records import Failure, Row, Spread, Value
from adharness.suite.schema import StatisticsSettings

POOLED, MACRO = "pooled", "macro"


@dataclass(frozen=True, eq=False)
class Measured:
    """One metric of one row, with its bootstrap replicates where it has any."""

    value: MetricValue
    replicates: Float64 | None = None

    def record(self, level: float) -> Value:
        """Give the value and its interval as they are stored, unrounded."""
        if not np.isfinite(self.value.value):
            return Value(value=None, reason=self.value.reason)
        bounds: list[float | None] = [None, None]
        if self.replicates is not None:
            bounds = [b if np.isfinite(b) else None for b in interval(self.replicates, level)]
        low, high = bounds
        return Value(value=float(self.value.value), low=low, high=high, spread=self._spread())

    def _spread(self) -> Spread | None:
        """Give the quartiles over the images that have a number of their own, interpolated."""
        own = [one for one in self.value.per_image or () if one is not None]
        if not own:
            return None
        ends = np.quantile(np.array(own, dtype=np.float64), [0.0, 0.25, 0.5, 0.75, 1.0])
        return Spread(**dict(zip(Spread.model_fields, ends.tolist(), strict=True)))


Table = dict[str, dict[str, Measured]]
"""Row name -> metric -> what was measured."""


_NO_IMAGES = Failure(stage="judge", type="DataError", message="the class has no test image left")


def _some_failed(broken: Mapping[str, Failure], classes: int) -> Failure:
    first = next(iter(broken.values()))
    message = f"{len(broken)} of {classes} classes failed: {', '.join(broken)}"
    if len(broken) == classes and all(f.message == first.message for f in broken.values()):
        message = first.message
    return first.model_copy(update={"message": message})


class Referee:
    """Judges the scores of one data set's test images.

    Images are resampled within class and label, with the same draws for every cell of the data
    set, so that differences between cells are paired.

    Parameters
    ----------
    spill_to
        An existing folder for pixels that don't fit in memory; the system's own if not given.
    """

    def __init__(
        self,
        survey: Survey,
        truth: Truth,
        metrics: Sequence[str],
        statistics: StatisticsSettings,
        spill_to: Path | None = None,
    ) -> None:
        self._spill_to = spill_to
        self._survey, self._truth = survey, truth
        self._metrics = [find_metric(name) for name in metrics]
        self._statistics = statistics
        self._weights = {name: self._draw(name) for name in survey.classes}

    def _draw(self, class_name: str) -> Int64:
        labels = self._survey.labels(self._survey.portion("test", class_name))
        if not len(labels) or not self._statistics.bootstrap:
            return np.zeros((0, len(labels)), dtype=np.int64)
        rng = np.random.default_rng([zlib.crc32(class_name.encode()), 1])
        return bootstrap_weights(labels, self._statistics.bootstrap, rng)

    def ranking(
        self, row: str, positions: Int64, scores: Float64, maps: ScoredMaps | None
    ) -> dict[str, Measured]:
        """Measure every metric of one row that needs no threshold; `maps` is None without any."""
        image = self._image_names(threshold=False)
        return {
            **self._image_metrics(row, positions, scores, image, None),
            **self._pixel_metrics(positions, maps, self._pixel_names(threshold=False), None),
        }

    @property
    def decides_pixels(self) -> bool:
        """Whether a metric at the deployed pixel threshold is asked for."""
        return bool(self._pixel_names(threshold=True))

    def pixel_decisions(
        self, positions: Int64, maps: ScoredMaps | None, thresholds: Float64 | None
    ) -> dict[str, Measured]:
        """Measure what is decided at the deployed pixel thresholds, (n,) one an image.

        Undefined, with the reason, where there are no maps or no thresholds.
        """
        names = self._pixel_names(threshold=True)
        if maps is not None and thresholds is None:
            return _undefined(names, "no held-out normal image fits the pixel threshold")
        return self._pixel_metrics(positions, maps, names, thresholds)

    def decisions(self, positions: Int64, scores: Float64, thresholds: Float64) -> Table:
        """Measure every metric of the decisions at the deployed thresholds, (n,) one an image."""
        names = self._image_names(threshold=True)
        return {
            row: self._image_metrics(
                row, positions[chosen], scores[chosen], names, thresholds[chosen]
            )
            for row, chosen in self.rows_of(positions).items()
        }

    def rows(self, table: Table, failures: Mapping[str, Failure]) -> list[Row]:
        """Rows for the record: the classes, their macro mean, and pooled.

        Where a class failed, macro and pooled fail too: a mean over the classes that happened to
        work would favour the method that fails on the hard ones.
        """
        classes = self._survey.classes
        broken = {
            c: failures.get(c, _NO_IMAGES) for c in classes if c not in table or c in failures
        }
        rows = [self._row(c, table.get(c, {}), broken.get(c)) for c in classes]
        whole = _some_failed(broken, len(classes)) if broken else None
        macro = {} if broken else _macro({c: table[c] for c in classes})
        pooled = {} if broken else table[POOLED]
        return [*rows, self._row(MACRO, macro, whole), self._row(POOLED, pooled, whole)]

    def _row(self, name: str, metrics: Mapping[str, Measured], failure: Failure | None) -> Row:
        of_class = None if name in (MACRO, POOLED) else name
        labels = self._survey.labels(self._survey.portion("test", of_class))
        level = self._statistics.level
        return Row(
            class_name=name,
            status="failed" if failure else "ok",
            normals=int((labels == 0).sum()),
            anomalies=int((labels == 1).sum()),
            metrics={}
            if failure
            else {metric: one.record(level) for metric, one in sorted(metrics.items())},
            failure=failure,
        )

    def _image_names(self, *, threshold: bool) -> list[str]:
        mine = [m for m in self._metrics if m.level == "image"]
        return [m.name for m in mine if m.at_threshold == threshold]

    def _pixel_names(self, *, threshold: bool) -> list[str]:
        mine = [m for m in self._metrics if m.level != "image"]
        return [m.name for m in mine if m.at_threshold == threshold]

    def rows_of(self, positions: Int64) -> dict[str, Int64]:
        """Which of these images each row holds: a class each, and pooled if none is missing."""
        classes = np.array(self._survey.class_names(positions))
        rows = {
            name: np.flatnonzero(classes == name)
            for name in self._survey.classes
            if name in classes
        }
        if len(rows) == len(self._survey.classes):
            rows[POOLED] = np.concatenate(list(rows.values()))
        return rows

    def _image_metrics(
        self,
        row: str,
        positions: Int64,
        scores: Float64,
        names: Sequence[str],
        thresholds: Float64 | None,
    ) -> dict[str, Measured]:
        if not names:
            return {}
        labels = self._survey.labels(positions)
        values = evaluate_images(labels, scores, names, threshold=thresholds)
        weights = self._row_weights(row)
        if not len(weights):
            return {name: Measured(value) for name, value in values.items()}
        drawn = replicates_of(names, labels, scores, weights, threshold=thresholds)
        return {name: Measured(value, drawn[name]) for name, value in values.items()}

    def _row_weights(self, row: str) -> Int64:
        if row == POOLED:
            return np.concatenate([self._weights[c] for c in self._survey.classes], axis=1)
        return self._weights[row]

    def _pixel_metrics(
        self,
        positions: Int64,
        maps: ScoredMaps | None,
        names: Sequence[str],
        thresholds: Float64 | None,
    ) -> dict[str, Measured]:
        if not names:
            return {}
        missing = self._truth.gap(self._survey, positions.tolist())
        if maps is None:
            missing = "the scorer gives image scores only, no map"
        if missing or maps is None:
            return _undefined(names, missing)
        masks = self._truth.of(positions)
        values = evaluate_pixels(masks, maps, names, threshold=thresholds, spill_to=self._spill_to)
        return {name: Measured(value) for name, value in values.items()}


def _undefined(names: Sequence[str], reason: str | None) -> dict[str, Measured]:
    return {name: Measured(MetricValue(math.nan, reason)) for name in names}


def _macro(rows: Mapping[str, Mapping[str, Measured]]) -> dict[str, Measured]:
    """Mean over classes: undefined where it is undefined in a class, never a mean of the rest."""
    names = list(next(iter(rows.values()))) if rows else []
    return {name: _mean({row: metrics[name] for row, metrics in rows.items()}) for name in names}


def _mean(by_class: Mapping[str, Measured]) -> Measured:
    undefined = [c for c, m in by_class.items() if not np.isfinite(m.value.value)]
    if undefined:
        first = by_class[undefined[0]].value.reason
        reason = f"undefined in {', '.join(undefined)}: {first}"
        return Measured(MetricValue(float("nan"), reason))
    mean = float(np.mean([m.value.value for m in by_class.values()]))
    value = MetricValue(mean, None, _images_of_all([m.value for m in by_class.values()]))
    drawn = [m.replicates for m in by_class.values() if m.replicates is not None]
    whole = len(drawn) == len(by_class)
    return Measured(value, macro_replicates(drawn) if whole else None)


def _images_of_all(values: Sequence[MetricValue]) -> tuple[float | None, ...] | None:
    """Join the numbers of single images, each taken within its own class."""
    own = [value.per_image for value in values if value.per_image is not None]
    return tuple(one for of_class in own for one in of_class) if own else None
