"""Cells that differ only in their thresholder: normalized once, measured once, stored together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from adharness.arrays import AnyArray, Float64, Int64
from adharness.contracts import FittedNormalizer, ImageContext, Threshold
from adharness.contracts.specs import ExtractorSpec, NormalizerSpec, ScorerSpec
from adharness.engine.failures import failure_of
from adharness.engine.gather import Gathered
from adharness.engine.group import FeatureGroup
from adharness.engine.looked_up import named
from adharness.engine.pixel_threshold import choose_pixel_threshold
from adharness.engine.protocols import Held, Normalized, choose_threshold, normalize
from adharness.engine.scored_maps import NativeMaps, ScoredMaps
from adharness.engine.told import needs_class, needs_embedding, told_class
from adharness.errors import AdharnessError, DataError
from adharness.plan import PROTOCOLS, Cell
from adharness.store.records import Failure, ThresholdRecord
from adharness.suite.bind import Bound


@dataclass(frozen=True, eq=False)
class Part:
    """What shares one normalizer and one threshold: a class, or all where it is unknown (None).

    `test` and `calibration` are rows of the gathered scores, each with its context.
    """

    class_name: str | None
    test: Int64
    calibration: Int64
    normalized: Normalized
    context: ImageContext
    calibration_context: ImageContext
    told_at_fit: list[str] | None = None
    """Classes of the calibration images, where the normalizer is told them at its fit alone."""
    gap: str | None = None
    """Why nothing can be calibrated: held-out images without a score. Only of imported scores."""

    def held_out_normals(self, raw: NativeMaps) -> ScoredMaps:
        """Give the maps of the held-out normal images, on the normalizer's scale; no test image."""
        chosen = np.flatnonzero(self.normalized.calibration_labels == 0)
        contexts = [self.calibration_context.single(int(i)) for i in chosen]
        transforms = [self.normalized.fitted] * len(chosen)
        return ScoredMaps(raw, self.calibration[chosen], transforms, contexts)


@dataclass(frozen=True, eq=False)
class Decided:
    """The thresholds of one cell, and the classes for which none could be chosen."""

    chosen: list[tuple[Part, Threshold]]
    failures: dict[str, Failure]
    gaps: list[Part] = field(default_factory=list)
    """Parts that are ranked, but have no threshold."""

    def test_arrays(self) -> dict[str, AnyArray]:
        """Rows (n,), normalized scores (n,) and thresholds (n,) of the test images, by row.

        The threshold is NaN where there is none.
        """
        parts = [*(p for p, _ in self.chosen), *self.gaps]
        values = [np.full(len(p.test), t.value) for p, t in self.chosen]
        values += [np.full(len(p.test), np.nan) for p in self.gaps]
        order = np.argsort(np.concatenate([p.test for p in parts]), kind="stable")
        return {
            "rows": np.concatenate([p.test for p in parts])[order],
            "scores": np.concatenate([p.normalized.test for p in parts])[order],
            "threshold": np.concatenate(values)[order],
        }

    def records(self) -> list[ThresholdRecord]:
        """Describe the thresholds for the record of the cell."""
        return [threshold_record(part.class_name, chosen) for part, chosen in self.chosen]


def threshold_record(class_name: str | None, chosen: Threshold) -> ThresholdRecord:
    """Describe the threshold of a part."""
    return ThresholdRecord(
        class_name=class_name,
        value=chosen.value,
        normals=chosen.normals,
        anomalies=chosen.anomalies,
        note=chosen.note,
        batch=chosen.batch,
        promised_fpr=chosen.promised_fpr,
    )


@dataclass(frozen=True, eq=False)
class Family:
    """The cells of one method, protocol, seed and normalizer."""

    group: FeatureGroup
    gathered: Gathered
    parts: list[Part]
    failures: dict[str, Failure]
    pixel_thresholder: Bound | None = None
    """What the suite says under `pixel_threshold:`; None for the rule of MVTec AD 2."""
    shared_files: list[Path] = field(default_factory=list)
    """Stored maps and replicates, once the first cell has written them; the others link to them."""

    @cached_property
    def pixel_thresholds(self) -> list[tuple[Part, Threshold]]:
        """The deployed pixel threshold of each part; none where the scorer gives no maps.

        A suite has one rule for it, so it is fitted once for all thresholders of images.
        """
        maps = self.gathered.maps
        if maps is None:
            return []
        whole = [part for part in self.parts if not part.gap]
        rule = self.pixel_thresholder
        fitted = [(p, choose_pixel_threshold(rule, p.held_out_normals(maps))) for p in whole]
        return [(part, threshold) for part, threshold in fitted if threshold]

    def decide(self, thresholder: Bound) -> Decided:
        """Choose each part's threshold; a part that has none fails its classes, not the run."""
        failures = dict(self.failures)
        chosen: list[tuple[Part, Threshold]] = []
        for part in (part for part in self.parts if not part.gap):
            try:
                chosen.append((part, choose_threshold(thresholder, part.normalized)))
            except Exception as error:  # noqa: BLE001 - whatever a plugin raises becomes failed rows
                names = [part.class_name] if part.class_name else self.group.survey.classes
                failures |= dict.fromkeys(names, failure_of("threshold", error))
        return Decided(chosen, failures, [part for part in self.parts if part.gap])

    def test_rows(self) -> Int64:
        """Rows of all test images, ascending."""
        return np.sort(np.concatenate([p.test for p in self.parts]))

    def transforms(self) -> tuple[list[FittedNormalizer], list[ImageContext]]:
        """Give the normalizer and the context of each test image, by ascending row."""
        fitted = [
            (row, p.normalized.fitted, p.context.single(i))
            for p in self.parts
            for i, row in enumerate(p.test.tolist())
        ]
        fitted.sort(key=lambda one: one[0])
        return [f for _, f, _ in fitted], [c for _, _, c in fitted]

    def test_pixel_thresholds(self) -> Float64 | None:
        """Pixel thresholds of all test images, by ascending row; None where a part has none."""
        chosen = self.pixel_thresholds
        if len(chosen) < len(self.parts):
            return None
        rows = np.concatenate([part.test for part, _ in chosen])
        values = np.concatenate([np.full(len(part.test), t.value) for part, t in chosen])
        return values[np.argsort(rows, kind="stable")]

    def test_scores(self) -> Float64:
        """Normalized scores of all test images, by ascending row."""
        rows = np.concatenate([p.test for p in self.parts])
        scores = np.concatenate([p.normalized.test for p in self.parts])
        return scores[np.argsort(rows, kind="stable")]


def open_family(cell: Cell, group: FeatureGroup, gathered: Gathered) -> Family:
    """Normalize the scores of a cell's images, each part on its own."""
    failures = dict(gathered.failures)
    parts = []
    for name in _part_names(cell, group):
        if name in failures:
            continue
        try:
            parts.append(_part(cell, group, gathered, name))
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises becomes failed rows
            names = group.survey.classes if name is None else (name,)
            failures |= {c: failure_of("normalize", error) for c in names if c not in failures}
    return Family(group, gathered, parts, failures, cell.pixel_thresholder)


def imports_of(cell: Cell) -> list[Literal["features", "scores"]]:
    """Say what of a cell was made elsewhere: beside scores, features are but a stand-in."""
    extractor, scorer = cell.method.extractor.component.spec, cell.method.scorer.component.spec
    if isinstance(scorer, ScorerSpec) and scorer.imported:
        return ["scores"]
    return ["features"] if isinstance(extractor, ExtractorSpec) and extractor.imported else []


def keeps_class_order(cell: Cell) -> bool:
    """Whether the cell's normalizer declares that it cannot change a ranking within a class."""
    spec = cell.normalizer.component.spec
    return isinstance(spec, NormalizerSpec) and spec.keeps_class_order


def _part_names(cell: Cell, group: FeatureGroup) -> Sequence[str | None]:
    return group.survey.classes if PROTOCOLS[cell.protocol].labels_at_eval else [None]


def _part(cell: Cell, group: FeatureGroup, gathered: Gathered, name: str | None) -> Part:
    if name is None and gathered.failures:
        raise gathered.first_failure()
    survey = group.survey
    need = needs_class(cell.normalizer)
    shows_class = name is not None or "normalizer" in told_class(cell)
    test = gathered.rows(survey.portion("test", name))
    calibration = gathered.rows(survey.portion("calibration", name))
    gap = _gap(group, gathered, survey.portion("calibration", name))
    if gap:  # a part of the held-out images would make thresholds and scales of another kind
        calibration = calibration[:0]
    held, tested = (_held(cell, group, gathered, rows, shows_class) for rows in (calibration, test))
    labels = survey.labels(gathered.positions[calibration])
    told = None
    if need == "at-fit" and not shows_class:
        told = survey.class_names(gathered.positions[calibration])
    try:
        normalized = normalize(
            cell.normalizer, held, labels, tested, told_at_fit=told, uncalibrated=bool(gap)
        )
    except AdharnessError as error:
        raise error if gap is None else DataError(gap, hint="use `raw`, or add them") from error
    return Part(name, test, calibration, normalized, tested.context, held.context, told, gap)


def _gap(group: FeatureGroup, gathered: Gathered, held_out: Int64) -> str | None:
    missing = held_out[~np.isin(held_out, gathered.positions)]
    if not len(missing):
        return None
    paths = [group.survey.samples[int(i)].path for i in missing]
    of = f"{len(paths)} of {len(held_out)} held-out images"
    return f"{of} have no imported output: {named(paths)}"


def _held(
    cell: Cell, group: FeatureGroup, gathered: Gathered, rows: Int64, shows_class: bool
) -> Held:
    positions = gathered.positions[rows]
    classes = group.survey.class_names(positions) if shows_class else None
    embeddings = None
    if needs_embedding(cell.normalizer) and "scores" not in imports_of(cell):
        embeddings = group.image_vectors(positions)
    return Held(gathered.raw[rows], ImageContext(classes, embeddings))
