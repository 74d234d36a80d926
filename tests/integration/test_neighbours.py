"""Every scorer of neighbours and densities runs on the demo textures, through the real engine."""

from __future__ import annotations

from typing import Any

import pytest

from adharness.cli import main

pytestmark = pytest.mark.slow

FEW = {"use": "all", "shots": 4, "draw": "seed"}
METHODS: list[dict[str, Any]] = [
    {"name": name, "extractor": "px", "bank": bank, "scorer": scorer}
    for name, bank, scorer in (
        ("knn", FEW, {"use": "knn-faiss", "k": 3, "metric": "cosine"}),
        ("knn-ivf", FEW, {"use": "knn-faiss", "index": "ivf", "probes": 2}),
        ("knn-pq", {"use": "all"}, {"use": "knn-faiss", "index": "pq", "bits": 4}),
        ("spade", {"use": "grid"}, {"use": "spade", "k": 3}),
        ("dino", {"use": "all", "shots": 2, "draw": "block"}, {"use": "anomalydino"}),
        ("gmm", {"use": "grid", "shots": 5}, {"use": "gmm", "dims": 4, "components": 2}),
    )
]
NEW = {"knn-faiss", "spade", "anomalydino", "gmm"}


TEXTURES = {"use": "textures", "size": 64, "train": 10, "good": 5, "per_defect": 1}


def test_they_all_run_and_find_the_drawn_defects_better_than_chance(bench):
    _, cells = bench.run(
        data=[{**TEXTURES, "classes": ["grass", "gravel"]}],
        methods=METHODS,
        protocols=["per-class"],
        normalizers=[{"use": "raw"}],
        thresholders=[{"use": "f1"}],
        metrics=["pixel_auroc"],
        statistics={"bootstrap": 0},
    )
    assert {(cell.method, cell.status) for cell in cells} == {(m["name"], "ok") for m in METHODS}
    for cell in cells:
        (macro,) = [row for row in cell.rows if row.class_name == "macro"]
        assert 0.6 < macro.metrics["pixel_auroc"].value < 1, cell.method


def test_the_components_command_lists_them(capsys):
    assert main.run(["components", "scorer"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in NEW)
