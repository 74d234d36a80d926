"""Published sets in miniature, from the suite to the board: many views, and declared regions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from adharness.store.run_record import RunRecord

pytestmark = pytest.mark.slow
SIZE = 48
CONFIG = [
    {"defect_name": "extra", "pixel_value": 255, "saturation_threshold": 0.5,
     "relative_saturation": True},
    {"defect_name": "missing", "pixel_value": 250, "saturation_threshold": 20,
     "relative_saturation": False},
]  # fmt: skip
BOXES = {255: (slice(8, 20), slice(8, 20)), 250: (slice(26, 42), slice(26, 42))}
SETTING: dict[str, Any] = {
    "protocols": ["per-class"],
    "normalizers": [{"use": "raw"}],
    "thresholders": [{"use": "quantile", "q": 0.8}],
    "metrics": ["image_auroc", "pixel_auroc", "region_spro_05", "region_aupro_30"],
}


def draw(path: Path, rng: np.random.Generator, *, bad: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = rng.integers(110, 140, (SIZE, SIZE, 3), dtype=np.uint8)
    if bad:
        for box in BOXES.values():
            pixels[box] = rng.integers(150, 250, pixels[box].shape, dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def draw_mask(path: Path, *values: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((SIZE, SIZE), np.uint8)
    for value in values:
        pixels[BOXES[value]] = value
    Image.fromarray(pixels).save(path)


def loco(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    for place, count in (("train", 8), ("validation", 5), ("test", 4)):
        for i in range(count):
            draw(folder / place / "good" / f"{i:03d}.png", rng)
    for i in range(4):
        draw(folder / "test/logical_anomalies" / f"{i:03d}.png", rng, bad=True)
        for number, value in enumerate(BOXES):
            truth = folder / "ground_truth/logical_anomalies" / f"{i:03d}" / f"{number:03d}.png"
            draw_mask(truth, value)
    (folder / "defects_config.json").write_text(json.dumps(CONFIG))
    return folder.parent


def real_iad(root: Path, name: str) -> Path:
    rng = np.random.default_rng(1)
    content: dict[str, Any] = {"meta": {"prefix": f"{name}/"}, "train": [], "test": []}
    for number in range(9):
        defect = "HS" if number > 6 else "OK"
        place = f"{'NG/HS' if defect == 'HS' else 'OK'}/S{number:04d}"
        for view in range(1, 6):
            stem = f"{place}/{name}_{number:04d}_{defect}_C{view}_x"
            # In a defective sample the defect is not seen in every view.
            seen = defect == "HS" and view != 5
            draw(root / f"realiad_256/{name}/{stem}.png", rng, bad=seen)
            if seen:
                draw_mask(root / f"realiad_256/{name}/{stem}_mask.png", *BOXES)
            content["test" if number > 4 else "train"].append({
                "category": name, "anomaly_class": "HS" if seen else "OK",
                "image_path": f"{stem}.png", "mask_path": f"{stem}_mask.png" if seen else None,
            })  # fmt: skip
    listed = root / "realiad_jsons/realiad_jsons" / f"{name}.json"
    listed.parent.mkdir(parents=True)
    listed.write_text(json.dumps(content))
    return root


def macro(cell: Any, metric: str) -> Any:
    return next(r for r in cell.rows if r.class_name == "macro").metrics[metric]


def licence_of(run: RunRecord) -> tuple[str, bool]:
    (data,) = run.datasets
    return data.licence, data.show_pixels


def test_loco_is_judged_by_its_declared_regions_and_shows_no_picture(bench, tmp_path):
    root = loco(tmp_path / "mvtec_loco" / "pushpins")
    data = [{"use": "mvtec-loco", "root": str(root), "classes": ["pushpins"]}]
    run, cells = bench.run(data=data, split={"policy": "official"}, **SETTING)
    assert {c.status for c in cells} == {"ok"}
    for cell in cells:
        if macro(cell, "pixel_auroc").value is not None:
            assert 0 < macro(cell, "region_spro_05").value <= 1
    assert any(macro(c, "region_spro_05").value is not None for c in cells)
    assert licence_of(run) == ("CC BY-NC-SA 4.0", False)
    assert run.datasets[0].counts["pushpins"]["calibration_normal"] == 5
    assert "2022" in run.datasets[0].citation


def test_the_views_of_a_sample_stay_together_and_are_all_judged(bench, tmp_path):
    root = real_iad(tmp_path / "Real-IAD", "pcb")
    data = [{"use": "real-iad", "root": str(root), "classes": ["pcb"], "resolution": "256"}]
    split = {"policy": "holdout", "calibration": {"normal": 0.2, "anomalous": 0.0}}
    run, cells = bench.run(data=data, split=split, **SETTING)
    counts = run.datasets[0].counts["pcb"]
    assert counts == {
        "train": 20, "calibration_normal": 5, "calibration_anomalous": 0,
        "test_normal": 10 + 2, "test_anomalous": 8,
    }  # fmt: skip
    assert {c.status for c in cells} == {"ok"}
    spro = macro(cells[0], "region_spro_05")
    assert spro.value is None
    assert "8 anomalous image(s) declare no regions" in spro.reason
    assert macro(cells[0], "region_aupro_30").value > 0
