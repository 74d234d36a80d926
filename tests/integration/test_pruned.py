"""Features that were pruned come back when a model needs them, and not before."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from adharness.cli import main
from adharness.engine.events import Event, StageStarted, StepDone
from adharness.engine.extraction import Extraction, RunContext
from adharness.engine.survey import survey
from adharness.errors import StoreError
from adharness.plan import expand
from adharness.registry import discover
from adharness.store.folder import RunFolder
from adharness.store.provenance import Installed
from adharness.suite.bind import bind
from adharness.suite.load import load_suite
from spies import SPIED, Spy, prune_all

pytestmark = pytest.mark.slow
EDITED: dict[str, Any] = {
    "metrics": ["image_auroc", "image_ap", "pixel_auroc", "region_aupro_30",
                {"metric": "region_aupro_30", "dialect": "ader"}],
    "thresholders": [{"use": "f1"}, {"use": "quantile", "q": 0.8}, {"use": "youden"}],
    "normalizers": [{"use": "raw"}, {"use": "zscore"}, {"use": "conformal", "per": "pooled"}],
    "statistics": {"bootstrap": 30},
    "pixel_threshold": {"use": "mean-std", "k": 3},
}  # fmt: skip
ANOTHER = {"name": "other", "extractor": "px", "bank": {"use": "images"},
           "scorer": {"use": "mahalanobis"}}  # fmt: skip


def extractions(events: list[Event]) -> int:
    return sum(
        e.count for e in events if isinstance(e, StepDone) and e.stage == "extract" and not e.reused
    )


@pytest.mark.parametrize("pruned", [False, True])
def test_an_edited_suite_extracts_fits_and_scores_nothing(bench, pruned):
    spy = Spy()
    bench.run(extra=spy.specs(), **SPIED)
    before = spy.work
    assert min(before) > 0
    if pruned:
        assert prune_all(bench.cache) == 3
    _, cells = bench.run(extra=spy.specs(), **SPIED, **EDITED)
    assert spy.work == before
    assert extractions(bench.events) == 0
    assert len(cells) == 3 * 3 * 3
    assert {cell.status for cell in cells} == {"ok"}
    assert "region_aupro_30@ader" in cells[0].rows[0].metrics
    _, fresh = bench.run(extra=spy.specs(), out="fresh", cache="fresh-cache", **SPIED, **EDITED)
    assert [cell.rows for cell in cells] == [cell.rows for cell in fresh]


def test_a_new_method_brings_pruned_features_back_before_it_is_fitted(bench):
    spy = Spy()
    bench.run(extra=spy.specs(), **SPIED)
    once = len(spy.extracted)
    prune_all(bench.cache)
    added = {**SPIED, "methods": [*SPIED["methods"], ANOTHER]}
    _, cells = bench.run(extra=spy.specs(), **added)
    assert len(spy.extracted) == 2 * once
    stages = [e.stage for e in bench.events if isinstance(e, StageStarted)]
    assert stages == ["survey", "extract", "extract", "fit and score", "judge"]
    assert extractions(bench.events) == 3 * 22
    _, fresh = bench.run(extra=spy.specs(), out="fresh", cache="fresh-cache", **added)
    assert [cell.rows for cell in cells] == [cell.rows for cell in fresh]


def test_pruned_features_of_an_image_that_cannot_be_read_any_more_fail_its_class(bench, on_tree):
    changes = {**SPIED, **on_tree, "protocols": ["per-class"]}
    spy = Spy()
    bench.run(extra=spy.specs(), **changes)
    prune_all(bench.cache)
    added = {**changes, "methods": [*SPIED["methods"], ANOTHER]}
    image = bench.folder / "data" / "bolt" / "train" / "good" / "000.png"

    def break_it(event: Event) -> None:
        if isinstance(event, StageStarted) and event.stage == "extract":
            image.write_bytes(image.read_bytes()[:50])

    _, cells = bench.run(extra=spy.specs(), wrap=break_it, **added)
    by_method = {cell.method: cell for cell in cells}
    assert [r.status for r in by_method["other"].rows[:2]] == ["failed", "ok"]
    failure = by_method["other"].rows[0].failure
    assert failure
    assert failure.stage == "extract"


@pytest.fixture
def world(bench) -> tuple[Any, Extraction, dict[str, Any]]:
    """A finished run: its bench, its data without an extractor, and the extractor's identity."""
    bench.run()
    suite = bind(load_suite(bench.suite()), discover())
    cell = expand(suite).cells[0]
    context = RunContext(bench.cache, "fail", Installed(), lambda _: None)
    extraction = Extraction(survey(suite, cell.dataset), cell.method.extractor, context)
    entry = next(iter((bench.cache / "features").glob("*/entry.json")))
    return bench, extraction, json.loads(entry.read_text())["identity"]


def test_pruned_features_opened_elsewhere_say_how_to_get_them_back(world):
    bench, extraction, identity = world
    prune_all(bench.cache)
    found = extraction.stored(identity, {})
    assert list(found.shards) == [(name, False) for name in extraction.survey.classes]
    shard = found.shards["gravel", False]
    assert len(shard.entry.sizes) == 22
    with pytest.raises(StoreError, match="features of 22 images by 'adharness/pixel-patches' were"):
        shard.embeddings()


@pytest.mark.timeout(240)
def test_processes_of_their_own_bring_pruned_features_back_too(bench):
    few = {"protocols": ["per-class"], "thresholders": [{"use": "quantile", "q": 0.8}]}
    added = {**few, "protocols": ["per-class", "routed"]}
    assert bench.cli("-q", "--only", "method=knn", **few) == 0
    prune_all(bench.cache)
    assert bench.cli("-q", "--jobs", "1", **added) == 0
    entries = list((bench.cache / "features").glob("*/entry.json"))
    assert [json.loads(entry.read_text())["pruned"] for entry in entries] == [False] * 3
    rows = json.loads((bench.out / "leaderboard.json").read_text())["rows"]
    assert {row["status"] for row in rows} == {"ok"}
    prune_all(bench.cache)
    assert bench.cli("-q", "--jobs", "1", **added, metrics=["image_ap"]) == 0
    assert all(json.loads(entry.read_text())["pruned"] for entry in entries)


def test_float16_is_another_identity_and_nearly_the_same_numbers(bench, capsys):
    _, wide = bench.run(protocols=["per-class"])
    _, half = bench.run(protocols=["per-class"], features={"dtype": "float16"})
    assert extractions(bench.events) == 66
    assert not {c.id for c in wide} & {c.id for c in half}
    assert not {s for c in wide for s in c.scorings} & {s for c in half for s in c.scorings}
    scores = [RunFolder(bench.out).cell_arrays(c[0].id, "scores.npz")["raw"] for c in (wide, half)]
    assert 0 < np.abs(scores[0] - scores[1]).max() < 0.01
    told = RunFolder(bench.out).run().methods["knn"]["extractor"]
    assert told["stored_as"] == "float16"
    suite = str(bench.suite(features={"dtype": "float16"}))
    assert main.run(["check", suite]) == 0
    assert "features stored as float16" in capsys.readouterr().out
    suite = str(bench.suite(features={"dtype": "float8"}))
    assert main.run(["check", suite]) == 2
    assert "features.dtype" in capsys.readouterr().err
