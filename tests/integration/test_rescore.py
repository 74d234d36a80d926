"""`adharness rescore`: other questions to the same scores, and nothing made again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from adharness import ExtractorSpec, FeatureGrid
from adharness.baselines.pixel_patches import PixelPatches, PixelPatchesParams
from adharness.cli import main
from adharness.engine import extraction, score
from adharness.errors import AdharnessError
from adharness.store.folder import RunFolder
from spies import prune_all

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
ALL: dict[str, Any] = {"protocols": ["per-class", "absolute-unified", "routed"]}
EDITED: dict[str, Any] = {
    **ALL,
    "metrics": ["image_auroc", "image_ap", "image_f1", "pixel_auroc", "pixel_f1",
                {"metric": "region_aupro_30", "dialect": "ader"}],
    "thresholders": [{"use": "youden"}, {"use": "quantile", "q": 0.8}],
    "normalizers": [{"use": "raw"}, {"use": "zscore-routed", "smallest": 2}],
    "statistics": {"bootstrap": 30},
    "pixel_threshold": {"use": "mean-std", "k": 3},
}  # fmt: skip
KNN = {"name": "knn", "extractor": "px", "bank": {"use": "random", "ratio": 0.5},
       "scorer": {"use": "knn-faiss"}}  # fmt: skip
TIMES = ("costs",)


@pytest.fixture
def _nothing_may_be_made(monkeypatch) -> None:
    def refuse(*given: object, **named: object) -> None:
        raise AssertionError("something was made again")

    monkeypatch.setattr(extraction, "make_extractor", refuse)
    monkeypatch.setattr(score, "fit", refuse)
    monkeypatch.setattr(score, "score_images", refuse)


def rescored(bench: Any, *options: str, suite: Path | None = None, out: str = "out") -> int:
    edited = [str(suite)] if suite else []
    where = ["--cache-dir", str(bench.cache)]
    return main.run(["rescore", str(bench.folder / out), *edited, *where, "-q", *options])


def board(out: Path) -> list[dict[str, Any]]:
    rows = json.loads((out / "leaderboard.json").read_text())["rows"]
    return [{k: v for k, v in row.items() if k not in TIMES} for row in rows]


def refused(bench: Any, capsys: Any, *options: str, suite: Path | None = None, says: str) -> None:
    before = RunFolder(bench.out).run()
    assert rescored(bench, *options, suite=suite) == 2
    printed = capsys.readouterr().err
    assert says in printed
    assert "adharness run SUITE" in printed
    assert RunFolder(bench.out).run() == before


@pytest.fixture
def ran(bench) -> Any:
    assert bench.cli("-q", **ALL) == 0
    return bench


def test_an_edited_suite_is_judged_without_a_cache_as_a_run_of_it_would_be(ran, request):
    whole = ran.folder / "whole"
    shutil.copytree(ran.out, whole)
    suite = ran.suite(**EDITED)
    where = ["--cache-dir", str(ran.cache)]
    assert main.run(["run", str(suite), "--out", str(whole), *where, "-q"]) == 0
    shutil.rmtree(ran.cache)
    request.getfixturevalue("_nothing_may_be_made")
    assert rescored(ran, suite=suite) == 0
    assert board(ran.out) == board(whole)
    assert {row["status"] for row in board(ran.out)} == {"ok"}
    record = RunFolder(ran.out).run()
    assert "pixel_f1" in record.metrics
    assert record.suite_text == suite.read_text()
    assert record.finished


def test_the_runs_own_suite_gives_its_own_board(ran, request):
    request.getfixturevalue("_nothing_may_be_made")
    before = board(ran.out)
    (ran.out / "leaderboard.json").unlink()
    assert rescored(ran) == 0
    assert board(ran.out) == before


def test_a_method_that_was_added_is_named_and_the_run_stays_as_it_is(ran, capsys):
    added = [{**KNN, "scorer": {"use": "knn-faiss", "k": 2}}]
    suite = ran.suite(**ALL, methods=added)
    refused(ran, capsys, suite=suite, says="knn on brick, knn on grass, knn on gravel and 1 more")


def test_scores_of_other_versions_are_refused_unless_kept_and_said_to_be_so(ran, capsys):
    for path in (ran.out / "scorings").glob("*/result.json"):
        path.write_text(path.read_text().replace('"adharness": "0.1.0"', '"adharness": "0.0.9"'))
    refused(ran, capsys, says="--keep-stale takes those of other versions")
    assert rescored(ran, "--keep-stale", suite=ran.suite(**EDITED)) == 0
    folder = RunFolder(ran.out)
    cells = [folder.cell(one) for one in folder.run().cells]
    assert {cell.versions["adharness"] for cell in cells if cell} == {"0.0.9"}


def test_a_run_that_keeps_nothing_of_its_features_is_refused(ran, capsys):
    shutil.rmtree(ran.out / "features")
    refused(ran, capsys, says="keeps nothing of 'textures' as 'pixel-patches' sees it")


def test_another_suite_is_refused(ran, capsys):
    suite = ran.suite(**ALL, name="else")
    assert rescored(ran, suite=suite) == 2
    assert "is a run of suite 'tiny', not of 'else'" in capsys.readouterr().err
    written = (ran.out / "splits" / "textures.json").read_bytes()
    suite = ran.suite(**ALL, split={"seed": 7})
    assert rescored(ran, suite=suite) == 2
    assert "the split of the suite is not that of" in capsys.readouterr().err
    assert (ran.out / "splits" / "textures.json").read_bytes() == written


def test_what_the_run_left_out_stays_out(bench):
    assert bench.cli("-q", "--only", "method=knn", "--only", "protocol=per-class") == 0
    assert rescored(bench, suite=bench.suite(metrics=["image_ap"])) == 0
    assert {(r["method"], r["protocol"]) for r in board(bench.out)} == {("knn", "per-class")}


def test_a_method_that_failed_stays_a_failed_row(bench, capsys):
    greedy = {"name": "greedy", "extractor": "px", "bank": {"use": "coreset", "ratio": 0.01},
              "scorer": {"use": "patchcore", "neighbours": 500}}  # fmt: skip
    assert bench.cli("-q", methods=[greedy]) == 1
    assert rescored(bench, suite=bench.suite(methods=[greedy], metrics=["image_ap"])) == 1
    assert {r["status"] for r in board(bench.out)} == {"failed"}
    assert "500" in capsys.readouterr().err


def test_embeddings_that_nobody_kept_come_from_the_cache_or_are_refused(bench):
    from adharness.engine.options import RunOptions
    from adharness.engine.rescore import rescore

    class Plain(PixelPatches):
        def extract(self, images: Any) -> FeatureGrid:
            return FeatureGrid(super().extract(images).patches)

    plain = ExtractorSpec(name="plain", params=PixelPatchesParams, make=Plain, summary="no vector")
    few = {"extractors": {"px": {"use": "plain", "resize": 64, "patch_px": 8}},
           "protocols": ["absolute-unified"], "methods": [KNN]}  # fmt: skip
    bench.run(extra=[plain], **few)
    asked = bench.plan(extra=[plain], **few, normalizers=EDITED["normalizers"])
    options = RunOptions(bench.out, bench.cache, "test")
    _, cells = rescore(asked, options, lambda _: None)
    failures = {row.failure.message for c in cells for row in c.rows if row.failure}
    assert failures == set()
    for path in (bench.out / "cells").iterdir():
        shutil.rmtree(path)
    prune_all(bench.cache)
    with pytest.raises(AdharnessError, match="were pruned from the cache") as told:
        rescore(asked, options, lambda _: None)
    assert told.value.hint == "adharness run SUITE extracts them again"
