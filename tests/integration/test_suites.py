"""The suites that the project ships, on what is at hand."""

from __future__ import annotations

import csv
import json
import runpy
from pathlib import Path

import pytest
import yaml

from adharness.cli import main

SUITES = sorted(Path("suites").glob("*.yaml"))


@pytest.mark.parametrize("suite", SUITES, ids=lambda path: path.stem)
def test_every_suite_passes_check(suite, capsys):
    assert main.run(["check", str(suite), "--no-estimate"]) == 0
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


def small_study(name, bench, tree):
    """A study suite as declared, but for the weights (a download) and the size of the images."""
    suite = yaml.safe_load(Path(f"suites/{name}.yaml").read_text())
    for class_name in suite["data"][0]["classes"]:
        tree.fill(class_name)
    for extractor in suite["extractors"].values():
        extractor |= {"weights": "random", "resize": 64}
    suite["statistics"] = {"bootstrap": 20}
    path = bench.folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(suite))
    return path


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_study_runs_on_a_miniature_and_lies_beside_its_published_numbers(bench, tree, capsys):
    path = small_study("study_unified", bench, tree)
    where = ["--out", str(bench.out), "--cache-dir", str(bench.cache)]
    assert main.run(["run", str(path), "--data-root", str(tree.root), *where]) == 0
    rows = json.loads((bench.out / "leaderboard.json").read_text())["rows"]
    assert {r["status"] for r in rows} == {"ok"}
    script = runpy.run_path("scripts/beside_study.py")
    lines = script["beside"](rows)
    assert all(line.ours is not None for line in lines)
    (auroc,) = (
        row["metrics"]["region_aupro_30@study"]["value"]
        for row in rows
        if (row["protocol"], row["method"], row["class"]) == ("model-unified", "padim", "zipper")
        and row["normalizer"] == "raw"
    )
    (line,) = (
        line
        for line in lines
        if [line.published[key] for key in ("protocol", "method", "class", "metric")]
        == ["model-unified", "padim", "zipper", "region_aupro_30@study"]
    )
    assert line.ours == auroc
    capsys.readouterr()
    table = list(script["markdown"](lines))
    assert len(table) == 2 + len(lines)
    assert f"| {line.ours - float(line.published['value']):+.4f} |" in table[2 + lines.index(line)]


def test_the_studys_published_numbers_are_whole():
    with Path("suites/study_published.csv").open() as file:
        lines = list(csv.DictReader(file))
    keys = [(x["protocol"], x["method"], x["class"], x["metric"]) for x in lines]
    assert len(set(keys)) == len(keys) == 2 * 2 * 3 * 8
    assert all(0 < float(line["value"]) <= 1 for line in lines)


def test_a_run_of_something_else_is_no_result_of_the_study(tmp_path, monkeypatch, capsys):
    (tmp_path / "leaderboard.json").write_text('{"rows": []}')
    monkeypatch.setattr("sys.argv", ["beside_study.py", str(tmp_path)])
    script = runpy.run_path("scripts/beside_study.py")
    assert script["main"]() == 2
    assert "no row that the study published" in capsys.readouterr().err
