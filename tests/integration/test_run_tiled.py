"""Images of many shapes, padded and seen in tiles: run, drawn, judged again, saved, reckoned."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from adharness.cli import main
from adharness.data.images import read_image
from adharness.engine.calibration import Budget
from adharness.engine.estimate import estimate
from adharness.errors import SuiteError
from adharness.registry import discover
from adharness.report.reading import read_maps, read_run
from adharness.store.folder import RunFolder
from adharness.suite.bind import bind
from adharness.suite.load import load_suite
from spies import prune_all

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
NET: dict[str, Any] = {
    "use": "timm", "model": "test_resnet", "weights": "random", "layers": [1],
    "resize": [64, 96], "pad": True, "tile": {"size": 48, "overlap": 16}, "device": "cpu",
}  # fmt: skip
TILED: dict[str, Any] = {
    "protocols": ["model-unified"],
    "extractors": {"net": NET},
    "methods": [
        {"name": "knn", "extractor": "net", "bank": {"use": "random", "ratio": 0.2},
         "scorer": {"use": "knn-faiss"}},
        {"name": "padim", "extractor": "net", "bank": {"use": "grid"},
         "scorer": {"use": "padim", "dims": 8}},
    ],
    "normalizers": [{"use": "raw"}],
    "thresholders": [{"use": "quantile", "q": 0.8}],
    "split": {"calibration": {"normal": 0.3, "anomalous": 0.0}},
    "maps": {"smooth_px": 1.0},
    "metrics": ["image_auroc", "pixel_auroc"],
}  # fmt: skip
SHAPES = [(70, 90), (60, 120), (81, 50)]


@pytest.fixture
def shapes(tmp_path) -> dict[str, Any]:
    """One class, its images of three shapes; a dent is a bright square."""
    rng, root = np.random.default_rng(0), tmp_path / "shapes"
    for kind, count in (("train/good", 9), ("test/good", 6), ("test/dent", 6)):
        for i in range(count):
            height, width = SHAPES[i % 3]
            pixels = rng.integers(90, 160, (height, width, 3), dtype=np.uint8)
            mask = np.zeros((height, width), np.uint8)
            if kind == "test/dent":
                y, x = int(rng.integers(0, height - 14)), int(rng.integers(0, width - 14))
                pixels[y : y + 14, x : x + 14] = 255
                mask[y : y + 14, x : x + 14] = 255
                path = root / f"nut/ground_truth/dent/{i:03d}_mask.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(mask).save(path)
            path = root / "nut" / kind / f"{i:03d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    return {"data": [{"use": "folder", "root": str(root)}], "root": root}


def on(shapes: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**TILED, "data": shapes["data"], **changes}


def test_defects_are_found_where_they_are_in_images_of_every_shape(bench, shapes):
    _, cells = bench.run(**on(shapes))
    found = {
        cell.method: next(r for r in cell.rows if r.class_name == "pooled").metrics
        for cell in cells
    }
    assert found["knn"]["pixel_auroc"].value > 0.97
    cell = next(cell for cell in cells if cell.method == "knn")
    maps = read_maps(bench.out, read_run(bench.out)[1][cells.index(cell)])
    assert maps is not None
    assert (maps.input_size, maps.pad) == ((64, 96), True)
    assert maps.patches.shape[1:] == (16, 24)
    stored = RunFolder(bench.out).cell_arrays(cell.id, "maps.npz")
    assert {tuple(size) for size in stored["sizes"].tolist()} == set(SHAPES)


def test_a_run_in_tiles_is_judged_again_without_the_cache_and_its_bundle_verifies(bench, shapes):
    assert bench.cli("-q", **on(shapes)) == 0
    before = json.loads((bench.out / "leaderboard.json").read_text())["rows"]
    assert prune_all(bench.cache) == 1
    where = ["--cache-dir", str(bench.cache), "-q"]
    assert main.run(["rescore", str(bench.out), *where]) == 0
    after = json.loads((bench.out / "leaderboard.json").read_text())["rows"]
    assert [row["metrics"] for row in after] == [row["metrics"] for row in before]
    bundle = bench.folder / "run.zip"
    assert main.run(["bundle", str(bench.out), "--out", str(bundle)]) == 0
    assert main.run(["verify", str(bundle)]) == 0


@pytest.mark.parametrize("method", ["knn", "padim"])
def test_a_method_in_tiles_is_saved_and_scores_new_files_as_in_the_run(
    bench, shapes, capsys, method
):
    _, cells = bench.run(**on(shapes))
    folder = bench.folder / "saved"
    where = ["--out", str(folder), "--cache-dir", str(bench.cache)]
    assert main.run(["save", str(bench.out), "--only", f"method={method}", *where]) == 0
    assert "score the same, to the last bit" in capsys.readouterr().out
    cell = next(cell for cell in cells if cell.method == method)
    arrays = RunFolder(bench.out).cell_arrays(cell.id, "scores.npz")
    paths = [str(shapes["root"] / path) for path in arrays["samples"]]
    drawn = bench.folder / "judged"
    assert main.run(["score", str(folder), *paths, "--json", "--out", str(drawn)]) == 0
    found = json.loads(capsys.readouterr().out)["images"]
    assert [one["score"] for one in found] == arrays["scores"].tolist()
    overlays = [read_image(file) for file in (drawn / "overlays").glob("*.png")]
    assert {overlay.shape[:2] for overlay in overlays} == set(SHAPES)


def test_the_bytes_of_tiled_features_are_reckoned_exactly(bench, shapes):
    changes = on(shapes)
    made = estimate(bench.plan(**changes), bench.cache, limit=None, budget=Budget(5.0))
    bench.run(**changes)
    files = bench.cache.glob("features/*/*.npy")
    assert made.feature_bytes == sum(file.stat().st_size for file in files) > 0


def test_features_of_padded_images_are_not_exported_and_it_is_said_why(bench, shapes, capsys):
    suite = str(bench.suite(**on(shapes)))
    where = ["--out", str(bench.folder / "files"), "--cache-dir", str(bench.cache)]
    assert main.run(["features", "export", suite, "--extractor", "net", *where]) == 2
    assert "features of padded images cannot be exported" in capsys.readouterr().err


@pytest.mark.parametrize(("tile", "says"), [
    ({"size": 48, "overlap": 48}, "overlap 48 is no less than a tile of [48, 48]"),
    ({"size": 80}, "a tile of [80, 80] is larger than resize [64, 96]"),
    ({"size": 48, "overlap": -2}, "overlap: expected at least 0, got -2"),
    ({"size": 48, "stride": 2}, "stride"),
])  # fmt: skip
def test_mistakes_are_refused_at_their_line(bench, shapes, tile, says):
    path = bench.suite(**on(shapes, extractors={"net": {**NET, "tile": tile}}))
    with pytest.raises(SuiteError) as caught:
        bind(load_suite(path), discover())
    assert says in str(caught.value)
    assert "resize: expected" not in str(caught.value)
    assert caught.value.where.startswith(f"{path}:")
