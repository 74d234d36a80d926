"""Made-up runs for looking at boards: any number of methods and classes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from adharness.report import write_report
from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord, Costs, Failure, Row, Value
from adharness.store.run_record import RunRecord
from plain_records import plain_data, plain_run


@dataclass(frozen=True)
class BoardRun:
    """What a run is made of; the first method fails where `failure` is set."""

    methods: tuple[str, ...] = ("knn", "padim", "patchcore")
    classes: tuple[str, ...] = ("brick", "grass")
    metrics: tuple[str, ...] = ("image_auroc", "image_f1", "pixel_auroc")
    protocols: tuple[str, ...] = ("per-class", "absolute-unified")
    normalizers: tuple[str, ...] = ("raw", "zscore")
    failure: bool = False

    def write(self, folder: Path) -> Path:
        """Write the run and its page; the page's file."""
        cells = list(self._cells())
        for cell in cells:
            RunFolder(folder).put_cell(cell, {})
        RunFolder(folder).put_run(self._run([cell.id for cell in cells]))
        return write_report(folder).html

    def value(self, *names: str) -> float:
        """The number that a cell has, by its names: between 0.5 and 1."""
        digest = hashlib.sha256(" ".join(names).encode()).digest()
        return round(0.5 + int.from_bytes(digest[:4], "big") / 2**33, 6)

    def _cells(self) -> Iterator[CellRecord]:
        for place, setting in enumerate(product(self.protocols, self.methods, self.normalizers)):
            yield self._cell(place, *setting)

    def _cell(self, place: int, protocol: str, method: str, normalizer: str) -> CellRecord:
        failed = self.failure and method == self.methods[0]
        crash = Failure(stage="fit", type="MemoryError", message="no memory left")
        rows = [
            Row(class_name=name, status="ok", metrics={m: self._value(protocol, method, name, m)
                                                       for m in self.metrics})
            for name in (*self.classes, "macro", "pooled")
        ]  # fmt: skip
        if failed:
            rows = [Row(class_name="macro", status="failed", failure=crash)]
        return CellRecord(
            id=f"{place:06d}",
            dataset="textures",
            protocol=protocol,
            method=method,
            extractor="lite0",
            bank="random",
            scorer="knn-faiss",
            normalizer=normalizer,
            thresholder="f1",
            seed=0,
            image_score="max",
            class_oracle=False,
            status="failed" if failed else "ok",
            rows=rows,
            thresholds=[],
            costs=Costs(fit_s=1.5, score_ms=2.25, extract_ms=11, bank_rows=10, bank_mb=5.2),
            scorings=[],
            versions={},
            identity={},
            judged={},
        )

    def _value(self, *names: str) -> Value:
        value = self.value(*names)
        return Value(value=value, low=value - 0.04, high=min(1.0, value + 0.03))

    def _run(self, cells: list[str]) -> RunRecord:
        data = plain_data(
            list(self.classes),
            citation="Somebody & Other, A Data Set, 2021.",
            url="https://example.org/data",
        )
        return plain_run(
            "made-up",
            protocols=list(self.protocols),
            metrics=list(self.metrics),
            methods={name: {"scorer": {"use": name}} for name in self.methods},
            datasets=[data],
            cells=cells,
            provenance={"git": {"commit": "e5de3891"}, "versions": {"adharness": "0.1.0"}},
        )
