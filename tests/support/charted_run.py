"""A small run on disk that has something for every figure of the page."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord, Circumstances, Costs, Row, ThresholdRecord, Value
from adharness.store.run_record import RunRecord
from adharness.store.views import ViewRecord
from plain_records import plain_data, plain_run

CLASSES = ["brick", "grass"]
METHODS = {"knn": 2.5, "padim": 1.2, "</script>": 0.4}  # separation in sigmas
PROTOCOLS = ["per-class", "absolute-unified"]
NORMALIZERS, THRESHOLDERS = ["raw", "zscore"], ["f1", "youden"]
THRESHOLD = {"f1": 1.0, "youden": 0.5}
NORMALS, ANOMALIES = 20, 12


def write_charted_run(folder: Path) -> RunRecord:
    """Write the run; its data set is `textures`."""
    axes = (PROTOCOLS, METHODS, NORMALIZERS, THRESHOLDERS)
    cells = [_write_cell(folder, *setting) for setting in product(*axes)]
    data = plain_data(
        CLASSES,
    )
    run = plain_run(
        "charted",
        protocols=PROTOCOLS,
        metrics=["image_auroc", "image_f1", "pixel_auroc"],
        methods={name: {} for name in METHODS},
        datasets=[data],
        cells=cells,
        views=["v"],
    )
    RunFolder(folder).put_run(run)
    RunFolder(folder).put_view(_view())
    return run


def _view() -> ViewRecord:
    rng = np.random.default_rng(0)
    return ViewRecord(
        id="v",
        dataset="textures",
        extractor="lite0",
        projection="pca",
        settings={"seed": 0},
        of=30,
        samples=tuple(map(str, range(30))),
        classes=tuple(CLASSES * 15),
        labels=(0, 0, 1) * 10,
        x=tuple(rng.normal(size=30).tolist()),
        y=tuple(rng.normal(size=30).tolist()),
    )


def _write_cell(folder: Path, protocol: str, method: str, normalizer: str, thresholder: str) -> str:
    place = list(METHODS).index(method)
    value = Value(value=0.9 - 0.1 * place, low=0.8 - 0.1 * place, high=0.95 - 0.1 * place)
    rows = [
        Row(
            class_name=name,
            status="ok",
            normals=NORMALS * (1 if name in CLASSES else 2),
            anomalies=ANOMALIES * (1 if name in CLASSES else 2),
            metrics={"image_auroc": value, "image_f1": value},
        )
        for name in (*CLASSES, "macro", "pooled")
    ]
    one = protocol == "absolute-unified"
    cell = CellRecord(
        id=f"{protocol}-{place}-{normalizer}-{thresholder}",
        dataset="textures",
        protocol=protocol,
        method=method,
        extractor="lite0",
        bank="random",
        scorer=method,
        normalizer=normalizer,
        thresholder=thresholder,
        seed=0,
        image_score="max",
        class_oracle=one and normalizer == "zscore",
        status="ok",
        rows=rows,
        thresholds=[
            ThresholdRecord(class_name=name, value=THRESHOLD[thresholder], normals=9, anomalies=3)
            for name in ([None] if one else CLASSES)
        ],
        costs=costs_of(place),
        scorings=[],
        versions={},
        identity={},
        judged={},
    )
    scores = {"scores.npz": image_scores(method, normalizer, thresholder)}
    curves = {} if method == "padim" else {"curves.npz": pixel_curves(method)}
    RunFolder(folder).put_cell(cell, {**scores, **curves})
    return cell.id


def costs_of(place: int) -> Costs:
    """Give the costs of a method; those of the last one are of before stages were recorded."""
    old = Costs(
        fit_s=0.1 + place, score_ms=3.0 * 4**place, extract_ms=11, bank_rows=5120,
        bank_mb=5.2 / (1 + place),
    )  # fmt: skip
    if place == len(METHODS) - 1:
        return old
    new = {
        "bank_s": 0.04, "scorer_fit_s": 0.06 + place, "fit_cpu_s": 0.15 + place,
        "score_s": 0.9 + place, "score_cpu_s": 1.5, "first_score_ms": 40.0,
        "decode_ms": 4.5, "network_ms": 8.25, "map_ms": 2.0, "judge_s": 0.5,
        "peak_memory_mb": 100.0 * (1 + place), "score_memory_mb": 25.0,
        "measured": [Circumstances(cpu="Xeon <b>", threads=2, at_once=1 + place)],
    }  # fmt: skip
    return old.model_copy(update=new)


def pixel_curves(method: str) -> dict[str, Any]:
    """Curves of both classes and pooled; those of `grass` without regions."""
    normal = np.r_[0, np.geomspace(1e-3, 1, 90)]
    found = normal ** (1 / (1 + METHODS[method]))
    values = np.stack([normal, found, found**1.1, 1 - 0.5 * found])
    values = np.stack([values] * 3)
    values[:, 3, 0], values[1, 2] = np.nan, np.nan
    return {"scopes": np.array([*CLASSES, "pooled"]), "values": values.astype(np.float32)}


def image_scores(method: str, normalizer: str, thresholder: str) -> dict[str, Any]:
    """Scores of the test images of both classes; a normalizer changes the distance of classes."""
    rng = np.random.default_rng(list(METHODS).index(method))
    count = NORMALS + ANOMALIES
    labels = np.tile(np.r_[np.zeros(NORMALS, np.int64), np.ones(ANOMALIES, np.int64)], 2)
    scores = rng.normal(size=2 * count) + METHODS[method] * labels
    scores[count:] += 1.5 if normalizer == "raw" else 0.0
    return {
        "samples": np.array([f"{CLASSES[i // count]}/{i:03d}.png" for i in range(2 * count)]),
        "classes": np.repeat(CLASSES, count),
        "labels": labels,
        "raw": scores,
        "groups": np.full(2 * count, ""),
        "scores": scores,
        "threshold": np.full(2 * count, THRESHOLD[thresholder]),
    }
