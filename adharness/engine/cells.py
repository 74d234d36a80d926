"""The record of a cell: thresholds chosen, metrics measured, everything stored."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from adharness.arrays import AnyArray, Int64
from adharness.engine.asked import costs_told
from adharness.engine.draws import POOLED
from adharness.engine.family import Decided, Family, imports_of, threshold_record
from adharness.engine.gather import Gathered
from adharness.engine.group import FeatureGroup
from adharness.engine.judge import Referee, Table
from adharness.engine.measured import curve_arrays, replicate_arrays
from adharness.engine.score import Reuse, ScoringOutcome, task_versions
from adharness.engine.told import told_class
from adharness.plan import Cell
from adharness.store.folder import RunFolder
from adharness.store.identity import digest
from adharness.store.records import CellRecord, Costs, ThresholdRecord
from adharness.suite.bind import BoundSuite


@dataclass(frozen=True, eq=False)
class CellWorker:
    """Judges the cells of one feature group and stores them."""

    suite: BoundSuite
    group: FeatureGroup
    referee: Referee
    folder: RunFolder
    reuse: Reuse

    def identity(self, cell: Cell, outcomes: Sequence[ScoringOutcome]) -> dict[str, Any]:
        """Everything that can change a number of a cell, and the names that its row shows.

        Two methods that differ in their name alone share scores, but each has its own row.
        """
        return {
            "names": _names(cell),
            "scorings": [o.id for o in outcomes],
            **self._truths,
            "protocol": cell.protocol,
            "normalizer": cell.normalizer.identity(),
            "thresholder": cell.thresholder.identity(),
            "pixel_threshold": cell.pixel_thresholder and cell.pixel_thresholder.identity(),
            "maps": cell.method.maps.model_dump(mode="json"),
        }

    @cached_property
    def _truths(self) -> dict[str, str]:
        """Digests of what the judge sees, the same for every cell of the group."""
        survey = self.group.survey
        return {
            "calibration": survey.truth(survey.portion("calibration")),
            "test": survey.truth(survey.portion("test")),
        }

    def stored(self, cell: Cell, outcomes: Sequence[ScoringOutcome]) -> CellRecord | None:
        """Find a whole stored record that may be used as it is; failed ones are tried again."""
        record = self.folder.cell(digest(self.identity(cell, outcomes)))
        if record is None or record.status != "ok" or record.judged != self._asked:
            return None
        return record if self.reuse.allows(record.versions, self._versions(cell)) else None

    def judge(
        self,
        cell: Cell,
        outcomes: Sequence[ScoringOutcome],
        family: Family,
        ranking: Table,
        shared_s: float,
    ) -> CellRecord:
        """Choose thresholds, measure the decisions, and store one cell.

        `shared_s` is its share of the time to measure what it has in common with other cells.
        """
        begun = time.perf_counter()
        decided = family.decide(cell.thresholder)
        table = self._table(decided, family, ranking)
        rows = self.referee.rows(table, decided.failures)
        identity, told = self.identity(cell, outcomes), told_class(cell)
        record = CellRecord(
            id=digest(identity),
            **_names(cell),
            image_score=family.gathered.image_score,
            facts=dict(family.gathered.facts),
            class_oracle=bool(told),
            told_class=told,
            imported=imports_of(cell),
            made_with=self.group.identity.get("made_with", []),
            status=_status([r.status for r in rows]),
            rows=rows,
            thresholds=decided.records(),
            pixel_thresholds=self._pixel_thresholds(family),
            costs=_judged(family.gathered, shared_s + time.perf_counter() - begun),
            scorings=[o.id for o in outcomes],
            versions=self._versions(cell) | _made_with(outcomes),
            identity=identity,
            judged=self._asked,
        )
        self._store(record, decided, family, ranking)
        return record

    def _pixel_thresholds(self, family: Family) -> list[ThresholdRecord]:
        if not self.referee.decides_pixels:
            return []
        return [threshold_record(part.class_name, t) for part, t in family.pixel_thresholds]

    @cached_property
    def _asked(self) -> dict[str, Any]:
        """Other metrics or statistics than the stored ones mean judging again, and no more."""
        return {
            "metrics": sorted(self.suite.metrics),
            "statistics": self.suite.statistics.model_dump(mode="json"),
            "deployment": costs_told(self.suite),
            "resampled": ["image", "pixel", "region"],
            "curves": ["pixel", "region"],
            "draws": self.referee.draws,
        }

    def _versions(self, cell: Cell) -> dict[str, str]:
        judges = [cell.normalizer, cell.thresholder]
        judges += [cell.pixel_thresholder] if cell.pixel_thresholder else []
        named = self.group.installed.versions([b.component.distribution for b in judges])
        return task_versions(cell.method, self.group) | named

    def _table(self, decided: Decided, family: Family, ranking: Table) -> Table:
        if not decided.chosen and not decided.gaps:
            return {}
        arrays = decided.test_arrays()
        known = np.isfinite(arrays["threshold"])
        rows, scores, thresholds = (arrays[k][known] for k in ("rows", "scores", "threshold"))
        positions = family.gathered.positions[rows]
        table = dict(self.referee.decisions(positions, scores, thresholds)) if len(rows) else {}
        if decided.gaps:
            why = {part.class_name: self.referee.undecided(part.gap) for part in decided.gaps}
            first = next(iter(why.values()))
            table = {row: table.get(row, why.get(row, first)) for row in ranking}
        return {row: ranking.get(row, {}) | metrics for row, metrics in table.items()}

    def _store(self, record: CellRecord, decided: Decided, family: Family, ranking: Table) -> None:
        arrays: dict[str, Mapping[str, AnyArray]] = {}
        if decided.chosen or decided.gaps:
            of_images = self._of_images(decided, family, ranking)
            arrays["scores.npz"] = {**self._score_arrays(decided, family), **of_images}
        shared = {f.name: f for f in family.shared_files}
        made = {} if shared else self._shared_arrays(record, family, ranking)
        self.folder.put_cell(record, {**arrays, **made}, shared)
        family.shared_files.extend(self.folder.path / "cells" / record.id / name for name in made)

    def _shared_arrays(
        self, record: CellRecord, family: Family, ranking: Table
    ) -> dict[str, Mapping[str, AnyArray]]:
        """Give what no thresholder changes: the maps, and replicates of what is read off them."""
        made: dict[str, Mapping[str, AnyArray]] = {}
        if family.gathered.patches is not None and family.parts:
            made["maps.npz"] = self._map_arrays(family, record.identity["maps"])
        drawn = replicate_arrays(ranking)
        if drawn:
            made["replicates.npz"] = {**drawn, "draws": np.array(self.referee.draws)}
        curves = curve_arrays(ranking)
        if curves:
            made["curves.npz"] = curves
        return made

    def _score_arrays(self, decided: Decided, family: Family) -> dict[str, AnyArray]:
        test = decided.test_arrays()
        parts = [*(p for p, _ in decided.chosen), *decided.gaps]
        calibration = np.concatenate([p.calibration for p in parts])
        held = self._described(calibration, family)
        return {
            **self._described(test["rows"], family),
            "scores": test["scores"],
            "threshold": test["threshold"],
            **{f"calibration_{name}": values for name, values in held.items()},
            "calibration_scores": np.concatenate([p.normalized.calibration for p in parts]),
        }

    def _of_images(self, decided: Decided, family: Family, ranking: Table) -> dict[str, AnyArray]:
        """Numbers that a metric gives each image: NaN for images that have none."""
        rows = family.test_rows()
        stored = np.isin(rows, decided.test_arrays()["rows"])
        found: dict[str, AnyArray] = {}
        for row, chosen in self.referee.rows_of(family.gathered.positions[rows]).items():
            for metric, measured in ranking.get(row, {}).items():
                if measured.value.per_image is None:
                    continue
                name = f"{metric}_pooled" if row == POOLED else metric
                of_all = found.setdefault(name, np.full(len(rows), np.nan))
                of_all[chosen] = np.array(measured.value.per_image, dtype=np.float64)
        return {name: of_all[stored] for name, of_all in found.items()}

    def _described(self, rows: Int64, family: Family) -> dict[str, AnyArray]:
        survey = self.group.survey
        positions = family.gathered.positions[rows]
        return {
            "samples": np.array([survey.samples[i].path for i in positions]),
            "classes": np.array(survey.class_names(positions)),
            "labels": survey.labels(positions),
            "groups": np.array([group or "" for group in survey.groups(positions)]),
            "raw": family.gathered.raw[rows],
        }

    def _map_arrays(self, family: Family, drawing: Mapping[str, Any]) -> dict[str, AnyArray]:
        rows = family.test_rows()
        positions = family.gathered.positions[rows]
        patches = family.gathered.patches
        # Left out where no image was padded, as it was before any could be.
        padded = {"pad": np.array(1, dtype=np.int64)} if self.group.pad else {}
        return {
            **padded,
            "samples": np.array([self.group.survey.samples[i].path for i in positions]),
            "patches": np.zeros(0) if patches is None else patches[rows],
            "sizes": np.array([self.group.sizes[int(i)] for i in positions], dtype=np.int64),
            "input_size": np.array(self.group.input_size, dtype=np.int64),
            "margins": np.array(self.group.margins, dtype=np.int64),
            "smooth_px": np.array(drawing["smooth_px"], dtype=np.float64),
            "upsample": np.array(drawing["upsample"]),
        }


def _made_with(outcomes: Sequence[ScoringOutcome]) -> dict[str, str]:
    """Versions that stored scores were made with, which may be others than those of now."""
    return {name: version for one in outcomes for name, version in one.versions.items()}


def _judged(gathered: Gathered, seconds: float) -> Costs | None:
    if gathered.costs is None:
        return None
    return gathered.costs.model_copy(update={"judge_s": seconds, "map_ms": gathered.map_ms})


def _names(cell: Cell) -> dict[str, Any]:
    return {
        "dataset": cell.dataset.name,
        "protocol": cell.protocol,
        "method": cell.method.name,
        "extractor": cell.method.extractor_name,
        "bank": cell.method.bank.name,
        "scorer": cell.method.scorer.name,
        "normalizer": cell.normalizer.name,
        "thresholder": cell.thresholder.name,
        "seed": cell.seed,
    }


def _status(statuses: Sequence[str]) -> Literal["ok", "partial", "failed"]:
    if all(s == "ok" for s in statuses):
        return "ok"
    return "failed" if all(s == "failed" for s in statuses) else "partial"
