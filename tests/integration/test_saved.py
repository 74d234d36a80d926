"""A method taken along from a run scores new images as the run did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file

from adharness.cli import main
from adharness.store.files import sha256_of
from adharness.store.records import CellRecord

METHODS: list[dict[str, Any]] = [
    {"name": "knn", "extractor": "px", "bank": {"use": "random", "ratio": 0.5},
     "scorer": {"use": "knn-faiss", "k": 2}},
    {"name": "core", "extractor": "px", "bank": {"use": "coreset", "ratio": 0.2},
     "scorer": {"use": "patchcore", "neighbours": 3}},
    {"name": "whole", "extractor": "px", "bank": {"use": "images"},
     "scorer": {"use": "mahalanobis"}},
    {"name": "luck", "extractor": "px", "bank": {"use": "all"},
     "scorer": {"use": "random-scores"}, "maps": {"image_score": "top"}},
]  # fmt: skip
GRID = {"extractor": "px", "bank": {"use": "grid"}}
ON_GRIDS: list[dict[str, Any]] = [
    {"name": "padim", **GRID, "scorer": {"use": "padim", "dims": 4}},
    {"name": "spade", **GRID, "scorer": {"use": "spade", "k": 3}},
    {"name": "gauss", **GRID, "scorer": {"use": "mahalanobis", "level": "patch"}},
    {"name": "gmm", **GRID, "scorer": {"use": "gmm", "components": 2, "dims": 3}},
    {"name": "luck", **GRID, "scorer": {"use": "random-scores"}},
]
CHANGES: dict[str, Any] = {
    "methods": METHODS,
    "normalizers": [{"use": "zscore"}, {"use": "raw"}],
    "thresholders": [{"use": "quantile", "q": 0.8}],
    "protocols": ["per-class", "model-unified", "absolute-unified"],
    "metrics": ["image_auroc", "pixel_iou"],
}


@pytest.fixture
def ran(bench: Any, on_tree: dict[str, Any]) -> Any:
    """The tiny suite, run on a folder of pictures."""
    _, bench.cells = bench.run(**CHANGES, **on_tree)
    return bench


def save(
    ran: Any, method: str, protocol: str, name: str = "saved", normalizer: str = "zscore"
) -> tuple[int, Path]:
    folder = ran.folder / name
    chosen = {"method": method, "protocol": protocol, "normalizer": normalizer}
    only = [word for key, value in chosen.items() for word in ("--only", f"{key}={value}")]
    where = ["--out", str(folder), "--cache-dir", str(ran.cache)]
    return main.run(["save", str(ran.out), *where, *only]), folder


def scored(folder: Path, *arguments: str, capsys: Any) -> tuple[int, Any]:
    capsys.readouterr()
    code = main.run(["score", str(folder), "--json", *arguments])
    said = capsys.readouterr()
    return code, json.loads(said.out) if said.out else said.err


def stored(
    ran: Any, method: str, protocol: str, normalizer: str = "zscore"
) -> tuple[CellRecord, dict[str, Any]]:
    wanted = (method, protocol, normalizer)
    cell = next(c for c in ran.cells if (c.method, c.protocol, c.normalizer) == wanted)
    with np.load(ran.out / "cells" / cell.id / "scores.npz") as arrays:
        return cell, dict(arrays)


@pytest.mark.parametrize("protocol", ["per-class", "model-unified"])
@pytest.mark.parametrize("methods", [METHODS, ON_GRIDS], ids=["bags", "grids"])
def test_new_images_score_as_in_the_run_to_the_last_bit(
    bench, on_tree, tree, capsys, protocol, methods
):
    changes = {**CHANGES, "methods": methods, "protocols": [protocol], **on_tree}
    _, bench.cells = bench.run(**changes)
    ran = bench
    for method in (m["name"] for m in methods):
        code, folder = save(ran, method, protocol, method)
        assert code == 0
        assert "score the same, to the last bit" in capsys.readouterr().out
        _, arrays = stored(ran, method, protocol)
        mine = arrays["classes"] == "nut"
        paths = [str(tree.root / p) for p in arrays["samples"][mine]]
        code, said = scored(folder, *paths, "--class", "nut", capsys=capsys)
        assert code == 0
        found = said["images"]
        assert [one["score"] for one in found] == arrays["scores"][mine].tolist()
        assert [one["threshold"] for one in found] == arrays["threshold"][mine].tolist()
        decided = arrays["scores"][mine] > arrays["threshold"][mine]
        assert [one["anomalous"] for one in found] == decided.tolist()


def test_features_that_are_kept_as_float16_are_rounded_again_for_new_images(
    bench, on_tree, tree, capsys
):
    changes = {**CHANGES, "methods": METHODS[:1], "protocols": ["model-unified"]}
    _, bench.cells = bench.run(**changes, **on_tree, features={"dtype": "float16"})
    code, folder = save(bench, "knn", "model-unified")
    assert code == 0
    _, arrays = stored(bench, "knn", "model-unified")
    mine = arrays["classes"] == "nut"
    paths = [str(tree.root / p) for p in arrays["samples"][mine]]
    _, said = scored(folder, *paths, "--class", "nut", capsys=capsys)
    assert [one["score"] for one in said["images"]] == arrays["scores"][mine].tolist()


def test_a_class_must_be_named_where_the_protocol_knows_it(ran, tree, capsys):
    _, folder = save(ran, "knn", "per-class")
    image = str(tree.root / "nut/test/good/000.png")
    code, said = scored(folder, image, capsys=capsys)
    assert code == 2
    assert "the class of the images must be known" in said
    assert "bolt, nut" in said
    code, said = scored(folder, image, "--class", "nutt", capsys=capsys)
    assert code == 2
    assert "did you mean 'nut'?" in said


def test_without_classes_none_is_asked_for_and_hidden_ones_are_not_invented(ran, tree, capsys):
    assert save(ran, "knn", "absolute-unified")[0] == 2
    assert "must be told a class that the protocol hides" in capsys.readouterr().err
    code, folder = save(ran, "knn", "absolute-unified", normalizer="raw")
    assert code == 0
    _, arrays = stored(ran, "knn", "absolute-unified", "raw")
    paths = [str(tree.root / p) for p in arrays["samples"]]
    _, said = scored(folder, *paths, capsys=capsys)
    assert [one["score"] for one in said["images"]] == arrays["scores"].tolist()


def test_overlays_are_as_large_as_the_image_and_a_broken_one_is_told(ran, tree, capsys):
    _, folder = save(ran, "core", "per-class")
    broken = tree.root / "broken.png"
    broken.write_bytes(b"no picture")
    good, out = tree.root / "nut/test/dent", ran.folder / "judged"
    images = [str(good), str(broken)]
    code = main.run(["score", str(folder), *images, "--class", "nut", "--out", str(out)])
    assert code == 1
    said = capsys.readouterr().out
    assert "not read" in said
    overlays = sorted((out / "overlays").iterdir())
    assert len(overlays) == 4
    with Image.open(overlays[0]) as picture:
        assert picture.size == (48, 48)
    lines = (out / "scores.csv").read_text().splitlines()
    assert len(lines) == 6
    assert lines[0] == "image,score,threshold,anomalous,problem"


def test_a_cell_that_is_not_one_is_asked_for_again(ran, capsys):
    assert main.run(["save", str(ran.out), "--out", str(ran.folder / "x")]) == 2
    said = capsys.readouterr().err
    assert "24 cells of the run match, and one can be saved" in said
    assert "--only method=core" in said
    code, folder = save(ran, "knn", "per-class")
    assert code == 0
    assert save(ran, "knn", "per-class") == (2, folder)
    assert "exists already" in capsys.readouterr().err


def test_changed_data_is_not_saved_under_the_runs_name(ran, tree, capsys):
    tree.image("nut/train/good/000.png", seed=9)
    code, folder = save(ran, "knn", "per-class")
    assert code == 2
    assert "is not what the run saw" in capsys.readouterr().err
    assert not folder.exists()


def test_a_method_without_scores_is_refused(bench, on_tree, capsys):
    broken = {**METHODS[0], "scorer": {"use": "knn-faiss", "k": 100_000}}
    bench.run(**{**CHANGES, "methods": [broken]}, **on_tree)
    assert save(bench, "knn", "per-class")[0] == 2
    assert "failed in this run" in capsys.readouterr().err


def test_other_versions_than_the_saved_ones_are_told(ran, tree, capsys):
    _, folder = save(ran, "knn", "model-unified")
    record = json.loads((folder / "method.json").read_text())
    record["versions"]["numpy"] = "0.9"
    (folder / "method.json").write_text(json.dumps(record))
    capsys.readouterr()
    image = str(tree.root / "nut/test/good/000.png")
    assert main.run(["score", str(folder), image, "--class", "nut"]) == 0
    assert f"numpy 0.9, now {np.__version__}" in " ".join(capsys.readouterr().err.split())


def test_nothing_is_left_where_saving_fails(ran, monkeypatch, capsys):
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.numpy.save_file", full)
    before = set(ran.folder.iterdir())
    assert save(ran, "knn", "per-class")[0] == 2
    assert "No space left on device" in capsys.readouterr().err
    assert set(ran.folder.iterdir()) == before


def rewrite(folder: Path, name: str, **arrays: Any) -> None:
    """Change a file and its checksum, as somebody with bad intentions would."""
    old = sha256_of(folder / name)
    save_file({**load_file(folder / name), **arrays}, folder / name)
    record = folder / "method.json"
    record.write_text(record.read_text().replace(old, sha256_of(folder / name)))


HOSTILE: list[tuple[dict[str, Any], str]] = [
    ({"rows": np.full((9, 6), np.nan, np.float32), "images": np.zeros(9, int)}, "not finite"),
    ({"rows": np.zeros((9, 5), np.float32), "images": np.zeros(9, np.int64)}, "D = "),
    ({"rows": np.zeros((9, 6), np.float64)}, "are float64, not float32"),
    ({"rows": np.zeros(9, np.float32)}, "rows of model-0.safetensors"),
    ({"images": np.full(4, -1, np.int64)}, "images of model-0.safetensors"),
    ({"more": np.zeros(3)}, "holds ['images', 'more', 'rows']"),
]


def test_a_hostile_folder_gives_an_error_and_no_number(ran, tree, capsys):
    image = str(tree.root / "nut/test/good/000.png")
    for number, (arrays, says) in enumerate(HOSTILE):
        _, folder = save(ran, "knn", "model-unified", str(number))
        rewrite(folder, "model-0.safetensors", **arrays)
        code, said = scored(folder, image, "--class", "nut", capsys=capsys)
        assert code == 2
        assert says in said
        assert "Traceback" not in said


def test_a_changed_or_missing_file_is_found(ran, tree, capsys):
    _, folder = save(ran, "knn", "model-unified")
    image = str(tree.root / "nut/test/good/000.png")
    model = folder / "model-0.safetensors"
    model.write_bytes(model.read_bytes()[:-4])
    assert "its checksum differs" in scored(folder, image, "--class", "nut", capsys=capsys)[1]
    model.unlink()
    assert "cannot read" in scored(folder, image, "--class", "nut", capsys=capsys)[1]
    record = json.loads((folder / "method.json").read_text())
    record["models"][0]["file"]["name"] = "../../model-0.safetensors"
    (folder / "method.json").write_text(json.dumps(record))
    assert "is not a saved method" in scored(folder, image, "--class", "nut", capsys=capsys)[1]
    assert "holds no saved method" in scored(tree.root, image, capsys=capsys)[1]
    assert scored(folder, str(tree.root / "nowhere.png"), capsys=capsys)[0] == 2
