"""The suites that the project ships, on what is at hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from adharness.cli import main

SUITES = sorted(Path("suites").glob("*.yaml"))


@pytest.mark.parametrize("suite", SUITES, ids=lambda path: path.stem)
def test_every_suite_passes_check(suite, capsys):
    assert main.run(["check", str(suite)]) == 0
    assert "cells" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_mvtec_suite_runs_on_a_miniature_of_the_data(bench, tree, capsys):
    """Its own declaration, but for the weights (a download) and the size of the images."""
    suite = yaml.safe_load(Path("suites/mvtec_unified.yaml").read_text())
    for name in suite["data"][0]["classes"]:
        tree.fill(name)
    small = {"use": "timm", "weights": "bundled", "layers": [2, 3], "resize": 64}
    suite["extractors"] = {"wrn50": small}
    for method in suite["methods"]:
        method["scorer"].pop("dims", None)
        if "ratio" in method["bank"]:
            method["bank"]["ratio"] = 0.2
    suite["split"]["calibration"]["normal"] = 0.3
    path = bench.folder / "mvtec.yaml"
    path.write_text(yaml.safe_dump(suite))
    where = ["--out", str(bench.out), "--cache-dir", str(bench.cache)]
    chosen = ["--only", "normalizer=raw", "--only", "thresholder=f1"]
    assert main.run(["run", str(path), "--data-root", str(tree.root), *where, *chosen]) == 0
    rows = json.loads((bench.out / "leaderboard.json").read_text())["rows"]
    assert len({r["class"] for r in rows}) == 15 + 2
    assert {r["status"] for r in rows} == {"ok"}
