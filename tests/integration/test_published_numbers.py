"""From a suite over a known set to a board with published numbers, and on to a site."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adharness.cli import main
from adharness.store.folder import RunFolder
from miniatures import MINIATURES, write

pytestmark = pytest.mark.slow
SETTING: dict[str, Any] = {
    "protocols": ["per-class", "model-unified"],
    "methods": [{"name": "whole", "extractor": "px", "bank": {"use": "random", "ratio": 1.0},
                 "scorer": {"use": "random-scores"}}],
    "normalizers": [{"use": "raw"}],
    "thresholders": [{"use": "quantile", "q": 0.8}],
    "split": {"policy": "holdout", "calibration": {"normal": 0.5, "anomalous": 0.0}},
    "metrics": ["image_auroc", "pixel_auroc", "region_aupro_30",
                {"metric": "region_aupro_30", "dialect": "ader"}],
    "statistics": {"bootstrap": 0},
}  # fmt: skip


@pytest.fixture
def mvtec_ad(tmp_path: Path) -> Path:
    small = next(one for one in MINIATURES if one.use == "mvtec-ad")
    return write(tmp_path / "data" / "mvtec_ad", small.files())


def test_a_run_over_a_known_set_shows_published_numbers_as_its_suite_asks(
    bench: Any, mvtec_ad: Path
) -> None:
    data = [{"use": "mvtec-ad", "root": str(mvtec_ad)}]
    pages = {}
    for choice in ("primary", "all", "none"):
        bench.cli(data=data, report={"reference": choice}, **SETTING)
        assert RunFolder(bench.out).run().reference == choice
        pages[choice] = (bench.out / "leaderboard.html").read_text("utf-8")
    counts = {name: page.count('<tr class="reference') for name, page in pages.items()}
    assert counts["none"] == 0
    assert 30 < counts["primary"] < counts["all"]
    assert "published · model-unified · primary · zhangzjn/ADer" in pages["primary"]
    assert len(list((bench.out / "cells").iterdir())) == 2, "the choice is in no cell's id"
    board = json.loads((bench.out / "leaderboard.json").read_text("utf-8"))
    assert {rank["method"] for rank in board["ranks"]} == {"whole"}


def test_a_run_of_the_engine_is_exported_and_published(bench: Any, tmp_path: Path) -> None:
    assert bench.cli(protocols=["per-class"]) == 0
    table, scores = tmp_path / "t.csv", tmp_path / "s.csv"
    assert main.run(["export", "table", str(bench.out), "--to", str(table)]) == 0
    assert main.run(["export", "scores", str(bench.out), "--to", str(scores)]) == 0
    assert main.run(["publish", str(bench.out), "--out", str(tmp_path / "site")]) == 0
    feed = json.loads((tmp_path / "site" / "feed.json").read_text("utf-8"))
    run = feed["items"][0]["_adharness"]["run"]
    assert f"\n{run},tiny," in table.read_text("utf-8")
    assert f"\n{run},tiny," in scores.read_text("utf-8")
