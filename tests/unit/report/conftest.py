"""A made-up run on disk: 2 data sets, 3 classes each, 4 methods, 3 protocols, 144 cells."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from adharness.report.leaderboard import headline_class
from adharness.statistics import replicates
from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord, Costs, Failure, Row, ThresholdRecord, Value
from adharness.store.run_record import DatasetRecord, GalleryImage, RunRecord, SkippedImage

METHODS = {"knn": 2.6, "mahalanobis": 2.0, "padim": 1.7, "patchcore": 2.8}  # separation in sigmas
PROTOCOLS = ["per-class", "model-unified", "absolute-unified"]
NORMALIZERS = ["raw", "zscore"]
THRESHOLDERS = ["f1", "youden", "quantile"]
METRICS = [
    *("image_auroc", "image_f1", "image_fpr", "pixel_auroc", "region_aupro_30"),
    "image_f1_oracle",
]
NORMALS, ANOMALIES = 24, 16
MVTEC_AD = [
    *("bottle", "cable", "capsule", "carpet", "grid", "hazelnut", "leather", "metal_nut"),
    *("pill", "screw", "tile", "toothbrush", "transistor", "wood", "zipper"),
]
HOSTILE = [
    "<script>alert(1)</script>",
    "\"quoted' & <b>bold</b>",
    "\u202etxt.exe </script><img src=x>",
]


@dataclass
class FakeRun:
    """What a fixture run is made of; `write` puts it on disk."""

    made: Path = field(repr=False)
    """Where runs lie that were made before: equal ones are copied."""
    hostile: bool = False
    seeds: list[int] = field(default_factory=lambda: [0])
    faults: bool = True
    published: bool = False
    """Whether the data is a set of which there are published numbers, mvtec-ad."""
    thresholders: list[str] = field(default_factory=lambda: THRESHOLDERS)

    @property
    def datasets(self) -> dict[str, list[str]]:
        if self.published:
            return {"mvtec-ad": MVTEC_AD}
        plain = {"textures": ["carpet", "grid", "leather"], "solar-cells": ["mono", "poly", "thin"]}
        return {**plain, "solar-cells": HOSTILE} if self.hostile else plain

    def write(self, folder: Path) -> Path:
        made = self.made / hashlib.sha256(repr(self).encode()).hexdigest()[:12]
        if not made.exists():
            made.mkdir()
            self._make(made)
        return Path(shutil.copytree(made, folder, dirs_exist_ok=True))

    def _make(self, folder: Path) -> None:
        cells = [self._cell(folder, *setting) for setting in self._settings()]
        gallery = [] if self.published else list(self._gallery(folder))
        run = self._run(cells, gallery)
        (folder / "run.json").write_text(run.model_dump_json(), encoding="utf-8")

    def _settings(self) -> Iterator[tuple[Any, ...]]:
        axes = (self.datasets, METHODS, PROTOCOLS, NORMALIZERS, self.thresholders, self.seeds)
        return iter(product(*axes))

    def _cell(self, folder: Path, *setting: Any) -> CellRecord:
        dataset, method, protocol, normalizer, thresholder, seed = setting
        identity = hashlib.sha256(repr(setting).encode()).hexdigest()[:12]
        status = self._status(dataset, method, protocol, normalizer, thresholder)
        scores = self._scores(dataset, method, protocol, normalizer, thresholder, seed)
        rows = list(self._rows(dataset, protocol, scores, status, normalizer))
        cell = CellRecord(
            id=identity,
            dataset=dataset,
            protocol=protocol,
            method=method,
            extractor="lite0",
            bank="<i>coreset</i>" if self.hostile else "coreset",
            scorer=method,
            normalizer=normalizer,
            thresholder=thresholder,
            seed=seed,
            image_score="max",
            class_oracle=protocol == "absolute-unified" and normalizer == "zscore",
            status=status,
            rows=rows,
            thresholds=[ThresholdRecord(class_name=None, value=1.0, normals=20, anomalies=5)],
            costs=Costs(fit_s=0.42, score_ms=3.1, extract_ms=11, bank_rows=5120, bank_mb=5.2),
            scorings=[],
            versions={"adharness": "0.1.0", "adharness-timm": "0.1.0"},
            identity={},
            judged={},
        )
        arrays = {} if status == "failed" else {"scores.npz": scores}
        if arrays and dataset == "textures" and method != "mahalanobis":  # it judges whole images
            arrays["maps.npz"] = self._maps(scores)
        RunFolder(folder).put_cell(cell, arrays)
        stored = RunFolder(folder).cell(identity)
        assert stored is not None
        return stored

    def _status(self, *setting: str) -> str:
        if not self.faults:
            return "ok"
        dataset, method, protocol, normalizer, thresholder = setting
        if (dataset, method, protocol, thresholder) == ("textures", "padim", "model-unified", "f1"):
            return "failed" if normalizer == "raw" else "ok"
        spot = ("textures", "mahalanobis", "per-class", "raw", "f1")
        return "partial" if setting == spot else "ok"

    def _scores(self, dataset: str, method: str, protocol: str, *rest: Any) -> dict[str, Any]:
        normalizer, thresholder, seed = rest
        name = repr((dataset, method, seed)).encode()
        rng = np.random.default_rng(int(hashlib.sha256(name).hexdigest()[:8], 16))
        parts: dict[str, list[Any]] = {"samples": [], "classes": [], "labels": [], "scores": []}
        for number, class_name in enumerate(self.datasets[dataset]):
            labels = np.r_[np.zeros(NORMALS, np.int64), np.ones(ANOMALIES, np.int64)]
            gain = METHODS[method] - 0.4 * number - (0.5 if protocol != "per-class" else 0.0)
            scores = rng.normal(size=len(labels)) + gain * labels
            if protocol == "absolute-unified" and normalizer == "raw":
                scores = scores + number * (3.0 if method == "patchcore" else 1.2)
            parts["samples"] += [f"{class_name}/{i:03d}.png" for i in range(len(labels))]
            parts["classes"] += [class_name] * len(labels)
            parts["labels"].append(labels)
            parts["scores"].append(scores)
        scores = np.concatenate(parts["scores"])
        height = {"f1": 1.2, "youden": 1.0, "quantile": 1.7}[thresholder]
        return {
            "samples": np.array(parts["samples"]),
            "classes": np.array(parts["classes"]),
            "labels": np.concatenate(parts["labels"]),
            "raw": scores,
            "scores": scores,
            "threshold": np.full(len(scores), height),
        }

    def _rows(
        self, dataset: str, protocol: str, scores: dict[str, Any], status: str, normalizer: str
    ) -> Iterator[Row]:
        crash = Failure(
            stage="fit",
            type="ContractError",
            message="patch scores hold 3 value(s) that are not finite <b>!</b>",
            hint="lower the regularization",
            traceback="Traceback (most recent call last):\n  <script>alert('trace')</script>",
        )
        if status == "failed":
            yield Row(class_name=headline_class(protocol), status="failed", failure=crash)
            return
        by_class = {
            name: self._values(dataset, *(scores[key][scores["classes"] == name] for key in _USED))
            for name in self.datasets[dataset]
        }
        if status == "partial":
            lost = by_class.popitem()[0]
            yield Row(class_name=lost, status="failed", failure=crash)
        for name, values in by_class.items():
            yield Row(class_name=name, status="ok", normals=NORMALS, metrics=values)
        yield Row(class_name="macro", status="ok", metrics=_mean(list(by_class.values())))
        pooled = self._values(dataset, *(scores[key] for key in _USED))
        yield Row(class_name="pooled", status="ok", metrics=pooled)

    def _values(self, dataset: str, labels: Any, scores: Any, threshold: Any) -> dict[str, Value]:
        auroc = float(
            replicates("image_auroc", labels, scores, np.ones((1, len(labels)), np.int64))[0]
        )
        alarms = scores > threshold
        hits = int((alarms & (labels == 1)).sum())
        f1 = 2 * hits / (alarms.sum() + labels.sum())
        masks = dataset != "solar-cells"
        gone = Value(value=None, reason="no anomalous pixel")
        return {
            "image_auroc": _ranged(auroc),
            "image_f1": _ranged(float(f1)),
            "image_fpr": _ranged(float(alarms[labels == 0].mean())),
            "pixel_auroc": _ranged(0.5 + auroc / 2.1) if masks else gone,
            "region_aupro_30": Value(value=auroc * 0.9) if masks else Value(value=None),
            "image_f1_oracle": _ranged(min(1.0, float(f1) + 0.03)),
        }

    def _maps(self, scores: dict[str, Any]) -> dict[str, Any]:
        rows, columns = np.mgrid[0:8, 0:8]
        bump = np.exp(-((rows - 3) ** 2 + (columns - 4) ** 2) / 4)
        patches = np.stack([0.4 + 0.1 * np.abs(s) + bump * max(s, 0) for s in scores["scores"]])
        return {
            "samples": scores["samples"],
            "patches": patches.astype(np.float32),
            "sizes": np.full((len(patches), 2), 96),
            "input_size": np.array([64, 64]),
            "smooth_px": np.array(4.0),
            "upsample": np.array("bilinear"),
        }

    def _gallery(self, folder: Path) -> Iterator[GalleryImage]:
        home = folder / "gallery" / "textures"
        home.mkdir(parents=True)
        rng = np.random.default_rng(5)
        for number, name in enumerate(self.datasets["textures"]):
            for index in (0, NORMALS + 3, NORMALS + 5):
                texture = rng.integers(90, 150, (12, 12, 3)).astype(np.uint8) + 20 * number
                picture = Image.fromarray(texture.astype(np.uint8)).resize((96, 96))
                mask = Image.new("L", picture.size)
                if index >= NORMALS:
                    box = (40, 24, 64, 48)
                    ImageDraw.Draw(picture).ellipse(box, fill=(30, 20, 20))
                    ImageDraw.Draw(mask).ellipse(box, fill=255)
                stem = f"gallery/textures/{name}_{index}"
                picture.save(folder / f"{stem}.png")
                mask.save(folder / f"{stem}_mask.png")
                yield GalleryImage(
                    dataset="textures",
                    class_name=name,
                    path=f"{name}/{index:03d}.png",
                    label=int(index >= NORMALS),
                    defect="hole" if index >= NORMALS else "",
                    image=f"{stem}.png",
                    mask=f"{stem}_mask.png" if index >= NORMALS else None,
                    width=96,
                    height=96,
                )

    def _run(self, cells: list[CellRecord], gallery: list[GalleryImage]) -> RunRecord:
        hidden = [one.model_copy(update={"dataset": "solar-cells"}) for one in gallery[:1]]
        return RunRecord(
            suite="quick <em>start</em> \"&'" if self.hostile else "quickstart",
            suite_text=json.dumps({"name": "</script><script>alert(2)</script>"}, indent=1),
            suite_file="suites/quickstart.yaml",
            command="adharness run suites/quickstart.yaml",
            started="2026-11-22T03:01:09Z",
            finished="2026-11-22T03:04:29Z",
            seconds=200.2,
            stages_s={"extract": 61.0, "fit": 12.3, "score": 98.0, "judge": 20.1},
            protocols=PROTOCOLS,
            metrics=METRICS,
            methods={name: {"scorer": {"use": name, "params": {"k": 3}}} for name in METHODS},
            maps={"smooth_px": 4.0, "resolution": "native", "image_score": "max"},
            split={"policy": "holdout", "seed": 42},
            statistics={"bootstrap": 200, "level": 0.95},
            seeds=self.seeds,
            datasets=[self._dataset(name) for name in self.datasets],
            cells=[cell.id for cell in cells],
            skipped=[
                SkippedImage(
                    dataset=next(iter(self.datasets)), path="grid/<u>9</u>.png", message="truncated"
                )
            ],
            gallery=[*gallery, *hidden],
            provenance={
                "git": {"commit": "e5de389", "dirty": False},
                "cpu": "2 cores",
                "gpu": None,
                "versions": {"numpy": "2.4.6"},
            },
        )

    def _dataset(self, name: str) -> DatasetRecord:
        shown = name in {"textures", "mvtec-ad"}
        return DatasetRecord(
            name=name,
            use="adharness-datasets/mvtec-ad"
            if self.published
            else "textures"
            if shown
            else "folder",
            classes=self.datasets[name],
            counts={c: {"train": 40, "test_normal": NORMALS} for c in self.datasets[name]},
            fingerprint="9f" * 32,
            licence="Apache-2.0" if shown else "CC BY-NC-SA 4.0",
            show_pixels=shown,
            citation="Somebody et al., A Data Set, 2021.",
            url="https://example.org/data" if shown else "javascript:alert(3)",
            has_masks=shown,
        )


_USED = ("labels", "scores", "threshold")


def _ranged(value: float) -> Value:
    return Value(value=value, low=max(0.0, value - 0.04), high=min(1.0, value + 0.03))


def _mean(rows: list[dict[str, Value]]) -> dict[str, Value]:
    means: dict[str, Value] = {}
    for metric in METRICS:
        numbers = [row[metric].value for row in rows]
        known = [n for n in numbers if n is not None and np.isfinite(n)]
        whole = len(known) == len(numbers)
        means[metric] = _ranged(float(np.mean(known))) if whole else rows[0][metric]
    return means


@pytest.fixture(scope="session")
def fake_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., FakeRun]:
    """The maker of runs: `fake_run(hostile=True).write(folder)`."""
    return partial(FakeRun, tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="session")
def run_folder(fake_run: Callable[..., FakeRun], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with hostile names, one failed and one partial cell. Read only."""
    return fake_run(hostile=True).write(tmp_path_factory.mktemp("run"))
