"""All normalizers in one suite: which numbers they may change, and what the board says of them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from adharness import ExtractorSpec, FeatureGrid
from adharness.baselines.pixel_patches import PixelPatches, PixelPatchesParams
from adharness.cli import main

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
NORMALIZERS: list[dict[str, Any]] = [
    {"use": "raw"},
    {"use": "zscore"},
    {"use": "zscore-routed", "by": "class"},
    {"use": "zscore-routed", "smallest": 3},
    {"use": "cluster-quantile", "smallest": 3},
    {"use": "conformal", "per": "class"},
    {"use": "conformal", "per": "pooled"},
    {"use": "conformal", "smallest": 3},
    {"use": "local-density", "neighbours": 3},
    {"use": "regressed"},
]
SUITE: dict[str, Any] = {
    "data": [{"use": "textures", "size": 64, "train": 26, "good": 5, "per_defect": 1}],
    "split": {"calibration": {"normal": 0.4, "anomalous": 0.3}},
    "protocols": ["model-unified", "absolute-unified"],
    "normalizers": NORMALIZERS,
    "thresholders": [{"use": "quantile", "q": 0.8}],
    "metrics": ["image_auroc", "pixel_auroc", "pixel_iou"],
    "statistics": {"bootstrap": 0},
}
BY_CLASS = "zscore-routed[by=class]"


def numbers(cells: list[Any], protocol: str, normalizer: str, row: str) -> list[dict[str, Any]]:
    return [
        {name: value.value for name, value in r.metrics.items()}
        for c in cells
        for r in c.rows
        if (c.protocol, c.normalizer, r.class_name) == (protocol, normalizer, row)
    ]


@pytest.fixture
def ran(bench) -> Any:
    _, bench.cells = bench.run(**SUITE)
    return bench


def named(cells: list[Any]) -> dict[str, str]:
    """Names on the board by what the suite says, first to last."""
    return dict.fromkeys(c.normalizer for c in cells)


def test_every_normalizer_gives_a_whole_board_and_told_ones_are_marked(ran):
    assert {c.status for c in ran.cells} == {"ok"}, [c.rows[0].failure for c in ran.cells]
    assert len(named(ran.cells)) == len(NORMALIZERS)
    told = {(c.protocol, c.normalizer): c.told_class for c in ran.cells if c.class_oracle}
    assert {protocol for protocol, _ in told} == {"absolute-unified"}
    by_name = {normalizer: parts for (_, normalizer), parts in told.items()}
    assert sorted(by_name.values()) == [["normalizer"], ["normalizer"], ["normalizer at fit"]]
    (at_fit,) = [n for n, parts in by_name.items() if parts == ["normalizer at fit"]]
    assert at_fit.startswith("zscore-routed[")
    assert "by=class" in at_fit
    page = (ran.out / "leaderboard.json") if (ran.out / "leaderboard.json").exists() else None
    assert page is None or "NaN" not in page.read_text()
    for c in ran.cells:
        with np.load(ran.out / "cells" / c.id / "scores.npz") as stored:
            assert np.isfinite(stored["scores"]).all()


def test_where_a_class_is_known_a_routed_z_score_is_the_class_z_score(ran):
    at_fit = next(n for n in named(ran.cells) if "by=class" in n)
    for row in ("brick", "macro"):
        routed = numbers(ran.cells, "model-unified", at_fit, row)
        plain = numbers(ran.cells, "model-unified", "zscore", row)
        for one, other in zip(routed, plain, strict=True):
            for metric, value in one.items():
                assert value == pytest.approx(other[metric]), metric


def test_one_transform_for_all_images_changes_no_ranking(ran):
    pooled = next(n for n in named(ran.cells) if "per=pooled" in n)
    found = numbers(ran.cells, "absolute-unified", pooled, "pooled")
    raw = numbers(ran.cells, "absolute-unified", "raw", "pooled")
    assert [n["image_auroc"] for n in found] == [n["image_auroc"] for n in raw]


def test_the_board_says_which_rows_knew_the_classes_of_calibration_images(bench):
    knn = {"name": "knn", "extractor": "px", "bank": {"use": "random", "ratio": 0.5},
           "scorer": {"use": "knn-faiss"}}  # fmt: skip
    small = {"normalizers": NORMALIZERS[:3], "methods": [knn], "protocols": ["absolute-unified"]}
    assert bench.cli(**{**SUITE, **small}) == 0
    page = (bench.out / "leaderboard.html").read_text()
    assert "upper bound: was told the classes of calibration images" in page
    assert "upper bound: knows the class" in page
    board = json.loads((bench.out / "leaderboard.json").read_text())
    assert {r["normalizer"] for r in board["rows"] if not r["class_oracle"]} == {"raw"}


class Plain(PixelPatches):
    """The same patches, and no image embedding."""

    def extract(self, images: Any) -> FeatureGrid:
        return FeatureGrid(super().extract(images).patches)


def test_without_image_embeddings_the_mean_of_the_patches_is_taken(bench):
    """The baseline's embedding is that mean, so its normalized scores are the same."""
    spec = ExtractorSpec(name="plain", params=PixelPatchesParams, make=Plain, summary="")
    small = {
        "methods": [{"name": "knn", "extractor": "px", "bank": {"use": "random", "ratio": 0.5},
                     "scorer": {"use": "knn-faiss"}}],
        "normalizers": [{"use": "local-density", "neighbours": 3}, {"use": "regressed"}],
        "protocols": ["absolute-unified"],
    }  # fmt: skip
    found = []
    for use in ("pixel-patches", "plain"):
        px = {"px": {"use": use, "resize": 64, "patch_px": 8}}
        _, cells = bench.run(**{**SUITE, **small, "extractors": px}, extra=[spec], out=use)
        assert {c.status for c in cells} == {"ok"}
        arrays = [np.load(bench.folder / use / "cells" / c.id / "scores.npz") for c in cells]
        found.append(np.concatenate([a["scores"] for a in arrays]))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4)


@pytest.mark.parametrize("normalizer", [NORMALIZERS[2], NORMALIZERS[3], NORMALIZERS[8]], ids=str)
def test_a_saved_method_routes_new_images_as_the_run_did_without_being_told(
    bench, on_tree, tree, capsys, normalizer
):
    suite = {**SUITE, **on_tree, "normalizers": [normalizer], "protocols": ["absolute-unified"]}
    suite["split"] = {"calibration": {"normal": 0.6, "anomalous": 0.3}}
    _, cells = bench.run(**suite)
    cell = next(c for c in cells if c.method == "knn")
    assert cell.status == "ok", cell.rows[0].failure
    folder = bench.folder / "saved"
    where = ["--out", str(folder), "--cache-dir", str(bench.cache), "--only", "method=knn"]
    assert main.run(["save", str(bench.out), *where]) == 0
    with np.load(bench.out / "cells" / cell.id / "scores.npz") as stored:
        paths = [str(tree.root / p) for p in stored["samples"]]
        expected = stored["scores"].tolist()
    capsys.readouterr()
    assert main.run(["score", str(folder), "--json", *paths]) in (0, 1)
    found = json.loads(capsys.readouterr().out)["images"]
    assert [one["score"] for one in found] == expected
