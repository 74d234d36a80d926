"""A stored run of two data sets, one with pictures and one without, to look at image by image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from adharness.report import write_report
from adharness.store.files import write_json
from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord, Row, ThresholdRecord, Value
from adharness.store.run_record import DatasetRecord, GalleryImage
from plain_records import plain_data, plain_run

HOSTILE = '\u202e</script><img src="x" onerror="document.title = 1">' + "long" * 90 + ".png"
NAMES = [f"brick/{i}.png" for i in range(7)] + [HOSTILE]
LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 1])
SCORES = {
    "knn": np.array([0.1, 0.9, 0.2, 0.6, 0.8, 0.3, 0.7, 0.05]),
    "whole": np.array([0.2, 0.3, 0.1, 0.2, 0.9, 0.8, 0.4, 0.9]),
}
THRESHOLD = 0.5
PROTOCOLS = ["per-class", "absolute-unified"]
WORST_FIRST = [NAMES[7], NAMES[1], NAMES[5], NAMES[3]]
"""Errors of `knn`: a miss by 0.45, a false alarm by 0.4, then 0.2 and 0.1."""


def write_drilled(folder: Path) -> Path:
    """Write the run and its page; give the page."""
    cells = [
        _cell(folder, data, protocol, method)
        for data in ("shown", "hidden")
        for protocol in PROTOCOLS
        for method in SCORES
    ]
    gallery = [_picture(folder, i) for i in (0, 1, 5, 7)]
    run = plain_run(
        "drilled",
        protocols=PROTOCOLS,
        metrics=["image_auroc"],
        methods={"knn": {}, "whole": {}, "silent": {}},
        datasets=[_dataset("shown"), _dataset("hidden")],
        cells=[cell.id for cell in cells],
        gallery=gallery,
    )
    RunFolder(folder).put_run(run)
    test = {"images": NAMES, "labels": LABELS.tolist(), "defects": _defects()}
    for data in run.datasets:
        write_json(RunFolder(folder).split(data.name), {"splits": {"brick": {"test": test}}})
    return write_report(folder).html


def _defects() -> list[str]:
    return ["hole" if label else "good" for label in LABELS.tolist()]


def _cell(folder: Path, data: str, protocol: str, method: str) -> CellRecord:
    value = Value(value=0.8, low=0.7, high=0.9)
    pixel = ThresholdRecord(class_name=None, value=0.5, normals=4, anomalies=0)
    cell = CellRecord(
        id=f"{data}-{protocol}-{method}",
        dataset=data,
        protocol=protocol,
        method=method,
        extractor="lite0",
        bank="random",
        scorer=method,
        normalizer="raw",
        thresholder="f1",
        seed=0,
        image_score="max",
        class_oracle=False,
        status="ok",
        rows=[
            Row(class_name=name, status="ok", metrics={"image_auroc": value})
            for name in ("brick", "macro", "pooled")
        ],
        thresholds=[],
        pixel_thresholds=[pixel] if method == "knn" else [],
        costs=None,
        scorings=[],
        versions={},
        identity={},
        judged={},
    )
    arrays = {"scores.npz": _scores(method)}
    if method == "knn":
        arrays["maps.npz"] = _maps()
    RunFolder(folder).put_cell(cell, arrays)
    return cell


def _scores(method: str) -> dict[str, Any]:
    return {
        "samples": np.array(NAMES),
        "classes": np.array(["brick"] * len(NAMES)),
        "labels": LABELS,
        "raw": SCORES[method],
        "scores": SCORES[method],
        "threshold": np.full(len(NAMES), THRESHOLD),
    }


def _maps() -> dict[str, Any]:
    patches = np.zeros((len(NAMES), 6, 12), np.float32)
    patches[:, 2:4, 3:6] = SCORES["knn"][:, None, None]
    return {
        "samples": np.array(NAMES),
        "patches": patches,
        "sizes": np.full((len(NAMES), 2), 48),
        "input_size": np.array([48, 96]),
        "smooth_px": np.array(2.0),
        "upsample": np.array("bilinear"),
        "margins": np.zeros(4, np.int64),
    }


def _picture(folder: Path, number: int) -> GalleryImage:
    home = folder / "gallery" / "shown"
    home.mkdir(parents=True, exist_ok=True)
    texture = np.random.default_rng(number).integers(80, 160, (48, 96, 3), np.uint8)
    Image.fromarray(texture).save(home / f"{number}.png")
    mask = np.zeros((48, 96), np.uint8)
    mask[16:32, 24:48] = 255
    Image.fromarray(mask).save(home / f"{number}_mask.png")
    return GalleryImage(
        dataset="shown",
        class_name="brick",
        path=NAMES[number],
        label=int(LABELS[number]),
        defect=_defects()[number],
        image=f"gallery/shown/{number}.png",
        mask=f"gallery/shown/{number}_mask.png" if LABELS[number] else None,
        width=96,
        height=48,
        worst=number > 0,
    )


def _dataset(name: str) -> DatasetRecord:
    return plain_data(
        ["brick"],
        name=name,
        use="folder",
        licence="CC0" if name == "shown" else "all rights reserved",
        show_pixels=name == "shown",
    )
