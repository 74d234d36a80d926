"""Features that were pruned come back when a model needs them, and not before."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from adharness.engine.events import Event, StageStarted, StepDone
from adharness.engine.shard_entry import Shard
from adharness.engine.stored_shards import stored_shards
from adharness.engine.survey import survey
from adharness.errors import StoreError
from adharness.plan import expand
from adharness.registry import discover
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
def world(bench) -> tuple[Any, Any, dict[str, Any]]:
    """A finished run: its bench, its survey, and the identity of its extractor."""
    bench.run()
    suite = bind(load_suite(bench.suite()), discover())
    here = survey(suite, expand(suite).cells[0].dataset)
    entry = next(iter((bench.cache / "features").glob("*/entry.json")))
    return bench, here, json.loads(entry.read_text())["identity"]


def test_a_group_is_opened_from_entries_without_an_extractor(world):
    bench, here, identity = world
    shards, missing = stored_shards(here, identity, bench.cache)
    assert missing == []
    assert list(shards) == [(name, False) for name in here.classes]
    shard = shards["brick", False]
    assert shard.patches().shape == (22, 8, 8, 6)
    assert np.isfinite(shard.embeddings()).all()
    other, gone = stored_shards(here, identity | {"fingerprint": "other"}, bench.cache)
    assert other == {}
    assert [part.class_name for part in gone] == list(here.classes)


def test_arrays_opened_from_entries_are_verified_unless_they_were_just_now(world):
    bench, here, identity = world
    shards, _ = stored_shards(here, identity, bench.cache)
    file = shards["brick", False].folder / "patches.npy"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(StoreError, match=r"patches\.npy is not what was written"):
        shards["brick", False].patches()
    trusted, _ = stored_shards(here, identity, bench.cache, verified=True)
    assert trusted["brick", False].patches().shape == (22, 8, 8, 6)


def test_pruned_arrays_opened_from_entries_say_how_to_get_them_back(world):
    bench, here, identity = world
    prune_all(bench.cache)
    shards, missing = stored_shards(here, identity, bench.cache)
    assert missing == []
    shard: Shard = shards["gravel", False]
    assert shard.entry.sizes
    with pytest.raises(StoreError, match="features of 22 images by 'adharness/pixel-patches' were pruned"):
        shard.embeddings()
    skipping = replace(shard, entry=shard.entry.model_copy(update={"skipped": {0: "torn"}}))
    (shard.folder / "entry.json").write_text(skipping.entry.model_dump_json())
    assert len(stored_shards(here, identity, bench.cache)[1]) == 1
    assert stored_shards(here, identity, bench.cache, "skip")[1] == []
