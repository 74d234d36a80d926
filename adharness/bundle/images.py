"""The images of a bundle's cell, as the judge sees those of a data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from adharness.arrays import AnyArray, Float64, Int64
from adharness.bundle import layout
from adharness.bundle.claims import statistics_of
from adharness.contracts import Sample
from adharness.engine.survey import PortionName
from adharness.errors import StoreError
from adharness.store.identity import digest
from adharness.store.records import CellRecord, Row
from adharness.store.run_record import DatasetRecord, RunRecord


@dataclass(frozen=True)
class StoredImages:
    """Test images as `scores.npz` lists them: all are of the portion `test`, in its order."""

    classes: tuple[str, ...]
    samples: tuple[Sample, ...]

    @cached_property
    def key(self) -> str:
        """Digest of all of it: equal for cells that judged the same images."""
        return digest(
            [list(self.classes), [[s.path, s.class_name, s.label, s.group] for s in self.samples]]
        )

    @cached_property
    def _class_of(self) -> AnyArray:
        return np.array([sample.class_name for sample in self.samples])

    def portion(self, name: PortionName, class_name: str | None = None) -> Int64:
        """Positions of the images of a class, or of all; no other portion than `test` has any."""
        if name != "test" or not self.samples:
            return np.zeros(0, dtype=np.int64)
        if class_name is None:
            return np.arange(len(self.samples), dtype=np.int64)
        return np.flatnonzero(self._class_of == class_name).astype(np.int64)

    def labels(self, positions: Int64) -> Int64:
        """Labels of the images at these positions: 0 normal, 1 anomalous."""
        return np.array([self.samples[i].label for i in positions], dtype=np.int64)

    def class_names(self, positions: Int64) -> list[str]:
        """Class names of the images at these positions."""
        return [self.samples[i].class_name for i in positions]

    def groups(self, positions: Int64) -> list[str | None]:
        """Say of the images at these positions what object they show, where several show one."""
        return [self.samples[i].group for i in positions]


@dataclass(frozen=True, eq=False)
class CellScores:
    """What `scores.npz` tells of the test images of a cell, n of them."""

    images: StoredImages
    scores: Float64
    raw: Float64
    threshold: Float64  # NaN where there is none


def read_cell_scores(
    run: RunRecord, cell: CellRecord, arrays: Mapping[str, AnyArray]
) -> CellScores:
    """Check the arrays of a cell against its record and give them to the judge.

    Raises
    ------
    StoreError
        There are too many images, an image is there twice or of an unknown class, a label is
        neither 0 nor 1, an image of a class is missing, calibration and test share an image, or a
        threshold is not that of the record.
    """
    data = next(d for d in run.datasets if d.name == cell.dataset)
    if not arrays:
        ok = [row.class_name for row in cell.rows if row.status == "ok"]
        if ok:
            raise StoreError(f"cell {cell.id} has numbers of {', '.join(ok)}, and no scores")
        nothing = np.zeros(0)
        return CellScores(StoredImages(tuple(data.classes), ()), nothing, nothing, nothing)
    _check_images(run, cell, data, arrays)
    samples = tuple(_samples(arrays))
    _check_thresholds(cell, arrays)
    images = StoredImages(tuple(data.classes), samples)
    return CellScores(images, arrays["scores"], arrays["raw"], arrays["threshold"])


def _samples(arrays: Mapping[str, AnyArray]) -> Iterator[Sample]:
    """Yield the test images; those of before groups were stored stand alone."""
    keys = ("samples", "classes", "labels")
    columns = [arrays[key].tolist() for key in keys]
    groups = arrays.get("groups", np.full(len(columns[0]), "")).tolist()
    for path, class_name, label, group in zip(*columns, groups, strict=True):
        yield Sample(path, class_name, "test", label, group=group or None)


def _check_images(
    run: RunRecord, cell: CellRecord, data: DatasetRecord, arrays: Mapping[str, AnyArray]
) -> None:
    where = f"cell {cell.id}: {layout.SCORES}"
    count = len(arrays["samples"])
    if count > layout.IMAGES or count * statistics_of(run).bootstrap > layout.DRAWN:
        raise StoreError(f"{where}: {count} images are more than are drawn again here")
    for part in ("", "calibration_"):
        labels, classes = arrays[f"{part}labels"], arrays[f"{part}classes"]
        if np.any((labels != 0) & (labels != 1)):
            raise StoreError(f"{where}: a label is {labels[(labels != 0) & (labels != 1)][0]}")
        if unknown := set(classes.tolist()) - set(data.classes):
            raise StoreError(f"{where}: {min(unknown)[:80]!r} is no class of {data.name}")
    named = [*arrays["samples"].tolist(), *arrays["calibration_samples"].tolist()]
    if len(set(named)) != len(named):
        twice = next(name for name in named if named.count(name) > 1)
        raise StoreError(f"{where}: the image {twice[:80]!r} is there twice")
    for row in cell.rows:
        if row.class_name in data.classes:
            _check_counts(where, row, data.counts[row.class_name], arrays)


def _check_counts(
    where: str, row: Row, counts: Mapping[str, int], arrays: Mapping[str, AnyArray]
) -> None:
    """No image that was judged may be left out: of a class all have a score, or it failed."""
    mine = arrays["classes"] == row.class_name
    found = [int(np.sum(mine & (arrays["labels"] == label))) for label in (0, 1)]
    wanted = [counts.get("test_normal", 0), counts.get("test_anomalous", 0)]
    more = any(count > most for count, most in zip(found, wanted, strict=True))
    if more or (row.status == "ok" and found != wanted):
        raise StoreError(
            f"{where}: {row.class_name} has {found[0]} normal and {found[1]} anomalous test "
            f"images, the run says {wanted[0]} and {wanted[1]}"
        )


def _check_thresholds(cell: CellRecord, arrays: Mapping[str, AnyArray]) -> None:
    """Each image is decided by the threshold that the record tells, of its class or of all."""
    told = {record.class_name: record.value for record in cell.thresholds}
    if len(told) != len(cell.thresholds):
        raise StoreError(f"cell {cell.id} has two thresholds for one class")
    for class_name in np.unique(arrays["classes"]).tolist():
        found = np.unique(arrays["threshold"][arrays["classes"] == class_name]).tolist()
        wanted = told.get(class_name, told.get(None, np.nan))
        if len(found) != 1 or not (found[0] == wanted or np.isnan([found[0], wanted]).all()):
            raise StoreError(
                f"cell {cell.id}: {class_name} is decided at {found[:3]}, its record says {wanted}"
            )
    for record in cell.thresholds:
        fitted = arrays["calibration_classes"] == record.class_name
        fitted = fitted | (record.class_name is None)
        if record.normals + record.anomalies > int(np.sum(fitted)):
            raise StoreError(
                f"cell {cell.id}: a threshold was fitted by {record.normals} normal and "
                f"{record.anomalies} anomalous images, and {int(np.sum(fitted))} are held out"
            )
