"""The judge: the only place where scores meet test labels and masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from adharness.arrays import Float64, Int64
from adharness.engine.draws import POOLED, draw_test_images, draws_digest
from adharness.engine.measured import Measured, macro_of, undefined
from adharness.engine.scored_maps import ScoredMaps
from adharness.engine.survey import JudgedImages
from adharness.engine.truth import Truth
from adharness.metrics import (
    MetricSpec,
    MistakeCosts,
    evaluate_images,
    find_metric,
)
from adharness.statistics import Sampling, judge_pixels, replicates_of
from adharness.store.records import Failure, Row
from adharness.suite.schema import DeploymentSettings, StatisticsSettings

MACRO = "macro"


Table = dict[str, dict[str, Measured]]
"""Row name -> metric -> what was measured."""


_NO_IMAGES = Failure(stage="judge", type="DataError", message="the class has no test image left")


def _some_failed(broken: Mapping[str, Failure], classes: int) -> Failure:
    first = next(iter(broken.values()))
    message = f"{len(broken)} of {classes} classes failed: {', '.join(broken)}"
    if len(broken) == classes and all(f.message == first.message for f in broken.values()):
        message = first.message
    return first.model_copy(update={"message": message})


Kind: TypeAlias = Literal["order", "scale", "threshold"]
"""Whether a metric reads the order of the scores only, also their scale, or a threshold."""


def kind_of(metric: MetricSpec) -> Kind:
    """Tell what a metric reads; dialects with score steps read the scale."""
    if metric.at_threshold:
        return "threshold"
    return "order" if "rank_invariant" in metric.traits else "scale"


def _costs(told: DeploymentSettings) -> MistakeCosts:
    return MistakeCosts(told.miss_cost, told.false_alarm_cost, told.defect_rate)


class Referee:
    """Judges the scores of one data set's test images.

    Images are resampled within class and label, views of one object together, with the same draws
    for every cell of the data set, so that differences between cells are paired.

    Parameters
    ----------
    spill_to
        An existing folder for pixels that don't fit in memory; the system's own if not given.
    deployment
        What costs are counted by; the defaults if not given.
    """

    def __init__(
        self,
        survey: JudgedImages,
        truth: Truth,
        metrics: Sequence[str],
        statistics: StatisticsSettings,
        spill_to: Path | None = None,
        deployment: DeploymentSettings | None = None,
    ) -> None:
        self._costs = _costs(deployment or DeploymentSettings())
        self._spill_to = spill_to
        self._survey, self._truth = survey, truth
        self._metrics = [find_metric(name) for name in metrics]
        self._pixels_decided = [
            m.name for m in self._metrics if m.at_threshold and m.level != "image"
        ]
        self._images_decided = [
            m.name for m in self._metrics if m.at_threshold and m.level == "image"
        ]
        self._statistics = statistics

    @cached_property
    def _samplings(self) -> Mapping[str, Sampling]:
        """Drawn once, and not at all where every cell is stored."""
        return draw_test_images(self._survey, self._statistics.bootstrap)

    @cached_property
    def draws(self) -> str:
        """Digest of the images, their strata and how often they are drawn.

        Replicates of two cells with the same one are paired.
        """
        return draws_digest(self._survey, self._statistics.bootstrap)

    def ranking(
        self,
        row: str,
        positions: Int64,
        scores: Float64,
        maps: ScoredMaps | None,
        kinds: frozenset[Kind],
    ) -> dict[str, Measured]:
        """Measure the metrics of one row of these kinds; `maps` is None without any."""
        mine = [m for m in self._metrics if kind_of(m) in kinds]
        image = [m.name for m in mine if m.level == "image"]
        pixel = [m.name for m in mine if m.level != "image"]
        return {
            **self._image_metrics(row, positions, scores, image, None),
            **self._pixel_metrics(row, positions, maps, pixel, None),
        }

    @property
    def decides_pixels(self) -> bool:
        """Whether a metric at the deployed pixel threshold is asked for."""
        return bool(self._pixels_decided)

    def pixel_decisions(
        self, row: str, positions: Int64, maps: ScoredMaps | None, thresholds: Float64 | None
    ) -> dict[str, Measured]:
        """Measure what is decided at the deployed pixel thresholds, (n,) one an image.

        Undefined, with the reason, where there are no maps or no thresholds.
        """
        names = self._pixels_decided
        if maps is not None and thresholds is None:
            return undefined(names, "no held-out normal image fits the pixel threshold")
        return self._pixel_metrics(row, positions, maps, names, thresholds)

    def decisions(self, positions: Int64, scores: Float64, thresholds: Float64) -> Table:
        """Measure every metric of the decisions at the deployed thresholds, (n,) one an image."""
        names = self._images_decided
        return {
            row: self._image_metrics(
                row, positions[chosen], scores[chosen], names, thresholds[chosen]
            )
            for row, chosen in self.rows_of(positions).items()
        }

    def undecided(self, reason: str | None) -> dict[str, Measured]:
        """Give every metric of the decisions the same reason for having no value."""
        return undefined(self._images_decided, reason)

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
        macro = {} if broken else macro_of({c: table[c] for c in classes}, self._statistics)
        pooled = {} if broken else table[POOLED]
        return [*rows, self._row(MACRO, macro, whole), self._row(POOLED, pooled, whole)]

    def _row(self, name: str, metrics: Mapping[str, Measured], failure: Failure | None) -> Row:
        of_class = None if name in (MACRO, POOLED) else name
        labels = self._survey.labels(self._survey.portion("test", of_class))
        return Row(
            class_name=name,
            status="failed" if failure else "ok",
            normals=int((labels == 0).sum()),
            anomalies=int((labels == 1).sum()),
            metrics={}
            if failure
            else {metric: one.record(self._statistics) for metric, one in sorted(metrics.items())},
            failure=failure,
        )

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
        values = evaluate_images(labels, scores, names, threshold=thresholds, costs=self._costs)
        sampling = self._samplings.get(row)
        if sampling is None:
            return {name: Measured(value) for name, value in values.items()}
        drawn = replicates_of(
            names, labels, scores, sampling.weights, threshold=thresholds, costs=self._costs
        )
        return {name: Measured(value, sampling.read(drawn[name])) for name, value in values.items()}

    def _pixel_metrics(
        self,
        row: str,
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
            return undefined(names, missing)
        masks = self._truth.of(positions)
        sampling = self._samplings.get(row)
        weights = np.zeros((0, len(maps)), np.int64) if sampling is None else sampling.weights
        drawn, curve = judge_pixels(
            masks, maps, names, weights, threshold=thresholds, spill_to=self._spill_to
        )
        return {
            name: Measured(
                one.value,
                None
                if sampling is None or one.replicates is None
                else sampling.read(one.replicates),
                curve,
            )
            for name, one in drawn.items()
        }
