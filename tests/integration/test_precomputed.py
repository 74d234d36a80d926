"""Features on disk give the whole board: no image is decoded, and no bit of a score is lost."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adharness import DatasetSpec, ExtractorSpec
from adharness.baselines.pixel_patches import PixelPatches, PixelPatchesParams
from adharness.cli import main
from adharness.contracts import Licence
from adharness.data.folder import FolderDataset, FolderParams
from adharness.data.layout import MVTEC
from adharness.data.source import FolderSource
from adharness.exchange.nothing import NoFeatures, NoneParams

pytestmark = pytest.mark.slow
QUICK = {
    "protocols": ["per-class", "absolute-unified"],
    "normalizers": [{"use": "raw"}],
    "thresholders": [{"use": "quantile", "q": 0.8}],
    "metrics": ["image_auroc", "pixel_auroc"],
    "statistics": {"bootstrap": 0},
}
STORED = {"use": "precomputed", "features": "{cat}_px.npz"}


def exported(bench: Any, **changes: Any) -> Path:
    folder = bench.folder / "features"
    suite = str(bench.suite(**changes))
    where = ["--out", str(folder), "--cache-dir", str(bench.cache)]
    assert main.run(["features", "export", suite, "--extractor", "px", *where]) == 0
    return folder


def arrays(bench: Any, cells: Any, out: str) -> dict[tuple[str, str], dict[str, Any]]:
    found = {}
    for cell in cells:
        assert cell.status == "ok", [row.failure for row in cell.rows]
        kept: dict[str, Any] = {"metrics": [row.metrics for row in cell.rows]}
        for name in cell.files:
            with np.load(bench.folder / out / "cells" / cell.id / name) as stored:
                kept |= {f"{name}/{key}": stored[key].tobytes() for key in stored.files}
        found[cell.protocol, cell.method] = kept
    return found


class Blind(FolderDataset):
    """Its images exist, and must not be decoded."""

    def image(self, sample: Any) -> Any:
        raise AssertionError(f"{sample.path} was decoded")


def blind_spec() -> DatasetSpec:
    def make(params: FolderParams) -> Blind:
        return Blind(params.root, FolderSource("folder", Licence("unknown"), MVTEC), params.classes)

    return DatasetSpec(name="blind", params=FolderParams, make=make, summary="not for looking at")


@pytest.mark.timeout(90)
@pytest.mark.parametrize("crop", [False, True])
def test_scores_maps_and_metrics_of_exported_features_are_the_same_bytes(
    bench, on_tree, crop, tree
):
    if crop:
        px = {"use": "timm", "layers": [2], "resize": 64, "crop": 56}
        on_tree |= {"extractors": {"px": px}}
    first = arrays(bench, bench.run(out="first", **on_tree, **QUICK)[1], "first")
    folder = exported(bench, **on_tree, **QUICK)
    again = (
        on_tree
        | QUICK
        | {
            "data": [{"use": "blind", "name": "folder", "root": str(tree.root)}],
            "extractors": {"px": STORED | {"root": str(folder)}},
        }
    )
    _, cells = bench.run(extra=[blind_spec()], out="second", cache="empty", **again)
    assert arrays(bench, cells, "second") == first
    assert all(cell.imported == ["features"] for cell in cells)


def test_two_backbones_lie_side_by_side_and_other_images_are_refused(bench, on_tree, capsys):
    folder = exported(bench, **on_tree)
    px = {"use": "pixel-patches", "resize": 64, "patch_px": 16}
    methods = [{"name": "m", "extractor": "mae", "bank": {"use": "images"},
                "scorer": {"use": "mahalanobis"}}]  # fmt: skip
    suite = str(bench.suite(**on_tree, extractors={"mae": px}, methods=methods))
    command = ["features", "export", suite, "--extractor", "mae", "--out", str(folder),
               "--cache-dir", str(bench.cache)]  # fmt: skip
    assert main.run(command) == 0
    assert {f.name for f in folder.iterdir()} == {
        f"{c}_{end}" for c in ("nut", "bolt") for end in ("px.npz", "mae.npz", "meta.csv")
    }
    assert main.run([*command, "--limit", "2"]) == 2
    assert "lists other images" in capsys.readouterr().err


def test_paths_from_elsewhere_a_bank_of_training_images_and_other_floats_are_read(
    bench, on_tree, tree
):
    """As the study wrote them: absolute paths of another machine, float16, a bank beside."""
    folder = exported(bench, **on_tree)
    for name in ("nut", "bolt"):
        rows = list(csv.DictReader((folder / f"{name}_meta.csv").read_text().splitlines()))
        with np.load(folder / f"{name}_px.npz") as stored:
            held = {key: stored[key] for key in ("patches", "cls", "patch_hw")}
        for end, train in (("bank_px", True), ("px", False)):
            chosen = [i for i, row in enumerate(rows) if ("/train/" in row["path"]) == train]
            some = {k: held[k][chosen].astype(np.float16) for k in ("patches", "cls")}
            np.savez_compressed(folder / f"{name}_{end}.npz", **some, patch_hw=held["patch_hw"])
            meta = name + ("_bank_meta.csv" if train else "_meta.csv")
            lines = [f"good,/content/drive/mvtec/{rows[i]['path']}" for i in chosen]
            (folder / meta).write_text("\n".join(["raw_label,path", *lines]) + "\n")
    stored = STORED | {"root": str(folder), "bank": "{cat}_bank_px.npz", "patch_px": 8}
    _, cells = bench.run(**on_tree | {"extractors": {"px": stored}}, **QUICK)
    assert all(cell.status == "ok" for cell in cells)


def test_a_bank_that_turns_its_images_is_told_that_there_are_none(bench, on_tree):
    folder = exported(bench, **on_tree)
    methods = [{"name": "m", "extractor": "px", "bank": {"use": "all", "rotations": 4},
                "scorer": {"use": "knn-faiss"}}]  # fmt: skip
    stored = {"px": STORED | {"root": str(folder)}}
    _, cells = bench.run(**on_tree, **QUICK | {"extractors": stored, "methods": methods})
    assert "no pixels to turn" in cells[0].rows[0].failure.message


def test_a_wrong_file_fails_its_class_and_no_other(bench, on_tree):
    folder = exported(bench, **on_tree)
    (folder / "nut_px.npz").unlink()
    stored = {"px": STORED | {"root": str(folder)}}
    quick = QUICK | {"protocols": ["per-class"], "extractors": stored}
    _, cells = bench.run(**on_tree, **quick)
    rows = {row.class_name: row for row in cells[0].rows}
    assert "there is no nut_px.npz for class 'nut'" in rows["nut"].failure.message
    assert rows["bolt"].failure is None


def test_changed_features_are_scored_again(bench, on_tree):
    folder = exported(bench, **on_tree)
    stored = {"px": STORED | {"root": str(folder)}}
    _, before = bench.run(**on_tree, **QUICK | {"extractors": stored})
    with np.load(folder / "nut_px.npz") as held:
        twice = {name: held[name] * (1 + (name == "patches")) for name in held.files}
    np.savez(folder / "nut_px.npz", **twice)
    _, after = bench.run(**on_tree, **QUICK | {"extractors": stored})
    assert before[0].id != after[0].id


@pytest.mark.parametrize("declared", [True, False])
def test_a_record_and_an_extractor_that_disagree_are_refused(bench, on_tree, declared):
    """Else an extractor could be told names that its rows do not tell of."""
    params, make = (PixelPatchesParams, PixelPatches) if declared else (NoneParams, NoFeatures)
    spec = ExtractorSpec(name="sly", params=params, make=make, summary="x", imported=declared)
    _, cells = bench.run(extra=[spec], **on_tree, **QUICK | {"extractors": {"px": {"use": "sly"}}})
    assert "its class says otherwise" in cells[0].rows[0].failure.message
