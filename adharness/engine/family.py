"""Cells that differ only in their thresholder: normalized once, measured once, stored together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from adharness.arrays import AnyArray, Int64
from adharness.contracts import FittedNormalizer, ImageContext, Threshold
from adharness.contracts.specs import NormalizerSpec
from adharness.engine.failures import failure_of
from adharness.engine.gather import Gathered
from adharness.engine.group import FeatureGroup
from adharness.engine.protocols import Held, Normalized, choose_threshold, normalize
from adharness.engine.scored_maps import ScoredMaps
from adharness.errors import StoreError
from adharness.plan import PROTOCOLS, Cell
from adharness.store.records import Failure, ThresholdRecord
from adharness.suite.bind import Bound


@dataclass(frozen=True, eq=False)
class Part:
    """What shares one normalizer and one threshold: a class, or all where it is unknown (None).

    `test` and `calibration` are rows of the gathered scores.
    """

    class_name: str | None
    test: Int64
    calibration: Int64
    normalized: Normalized
    context: ImageContext


@dataclass(frozen=True, eq=False)
class Decided:
    """The thresholds of one cell, and the classes for which none could be chosen."""

    chosen: list[tuple[Part, Threshold]]
    failures: dict[str, Failure]

    def test_arrays(self) -> dict[str, AnyArray]:
        """Rows (n,), normalized scores (n,) and thresholds (n,) of the test images, by row."""
        parts = [p for p, _ in self.chosen]
        values = [np.full(len(p.test), t.value) for p, t in self.chosen]
        order = np.argsort(np.concatenate([p.test for p in parts]), kind="stable")
        return {
            "rows": np.concatenate([p.test for p in parts])[order],
            "scores": np.concatenate([p.normalized.test for p in parts])[order],
            "threshold": np.concatenate(values)[order],
        }

    def records(self) -> list[ThresholdRecord]:
        """Describe the thresholds for the record of the cell."""
        return [
            ThresholdRecord(
                class_name=part.class_name,
                value=chosen.value,
                normals=chosen.normals,
                anomalies=chosen.anomalies,
                note=chosen.note,
            )
            for part, chosen in self.chosen
        ]


@dataclass(frozen=True, eq=False)
class Family:
    """The cells of one method, protocol, seed and normalizer."""

    group: FeatureGroup
    gathered: Gathered
    parts: list[Part]
    failures: dict[str, Failure]
    maps_file: list[Path] = field(default_factory=list)
    """The stored maps, once the first cell has written them; the others link to them."""

    def decide(self, thresholder: Bound) -> Decided:
        """Choose each part's threshold; a part that has none fails its classes, not the run."""
        failures = dict(self.failures)
        chosen: list[tuple[Part, Threshold]] = []
        for part in self.parts:
            try:
                chosen.append((part, choose_threshold(thresholder, part.normalized)))
            except Exception as error:  # noqa: BLE001 - whatever a plugin raises becomes failed rows
                names = [part.class_name] if part.class_name else self.group.survey.classes
                failures |= dict.fromkeys(names, failure_of("threshold", error))
        return Decided(chosen, failures)

    def test_rows(self) -> Int64:
        """Rows of all test images, ascending."""
        return np.sort(np.concatenate([p.test for p in self.parts]))

    def scored_maps(self, smooth_px: float) -> ScoredMaps:
        """Anomaly maps of all test images, by ascending row, drawn when they are read."""
        rows = np.concatenate([p.test for p in self.parts])
        positions = self.gathered.positions[rows]
        fitted: list[FittedNormalizer] = []
        contexts: list[ImageContext] = []
        for part in self.parts:
            fitted += [part.normalized.fitted] * len(part.test)
            contexts += [part.context.single(i) for i in range(len(part.test))]
        patches = self.gathered.patches
        maps = ScoredMaps(
            patches=None if patches is None else patches[rows],
            sizes=[self.group.sizes[int(i)] for i in positions],
            input_size=self.group.input_size,
            smooth_px=smooth_px,
            normalizers=fitted,
            contexts=contexts,
        )
        return maps.where(np.argsort(rows, kind="stable"))


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
    return Family(group, gathered, parts, failures)


def needs_class(cell: Cell) -> bool:
    """Whether the cell's normalizer declares that it must be told the class."""
    spec = cell.normalizer.component.spec
    return isinstance(spec, NormalizerSpec) and spec.needs_class


def _part_names(cell: Cell, group: FeatureGroup) -> Sequence[str | None]:
    return group.survey.classes if PROTOCOLS[cell.protocol].labels_at_eval else [None]


def _part(cell: Cell, group: FeatureGroup, gathered: Gathered, name: str | None) -> Part:
    if name is None and gathered.failures:
        raise StoreError(gathered.first_failure().message, hint=gathered.first_failure().hint)
    survey = group.survey
    shows_class = name is not None or needs_class(cell)
    test = gathered.rows(survey.portion("test", name))
    calibration = gathered.rows(survey.portion("calibration", name))
    held, tested = (_held(group, gathered, rows, shows_class) for rows in (calibration, test))
    labels = survey.labels(gathered.positions[calibration])
    normalized = normalize(cell.normalizer, held, labels, tested)
    return Part(name, test, calibration, normalized, tested.context)


def _held(group: FeatureGroup, gathered: Gathered, rows: Int64, shows_class: bool) -> Held:
    positions = gathered.positions[rows]
    classes = group.survey.class_names(positions) if shows_class else None
    embeddings = group.features.subset(positions).embeddings()
    return Held(gathered.raw[rows], ImageContext(classes, embeddings))
