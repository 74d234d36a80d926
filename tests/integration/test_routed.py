"""The protocol `routed`: the models of per-class, each image given to one by a predicted class."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from adharness.baselines.pixel_patches import PixelPatches, PixelPatchesParams
from adharness.cli import main
from adharness.contracts import ExtractorSpec, FeatureGrid
from adharness.engine import score
from adharness.engine.events import StepDone
from adharness.errors import SuiteError
from adharness.plan import expand
from adharness.registry import Registry, discover
from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord
from adharness.suite.bind import bind
from adharness.suite.load import load_suite

pytestmark = pytest.mark.slow
PAIR = {"protocols": ["per-class", "routed"], "normalizers": [{"use": "raw"}],
        "thresholders": [{"use": "quantile", "q": 0.8}]}  # fmt: skip
ALIKE = {"extractors": {"px": {"use": "pixel-patches", "resize": 16, "patch_px": 8}}}


def models_fitted(events: list[Any]) -> int:
    return sum(isinstance(e, StepDone) and e.stage == "fit and score" and not e.reused
               for e in events)  # fmt: skip


def of(cells: list[CellRecord], protocol: str, method: str = "knn") -> CellRecord:
    return next(c for c in cells if (c.protocol, c.method) == (protocol, method))


def raw(bench: Any, cell: CellRecord) -> dict[str, float]:
    arrays = RunFolder(bench.out).cell_arrays(cell.id, "scores.npz")
    return dict(zip(arrays["samples"].tolist(), arrays["raw"].tolist(), strict=True))


def test_where_every_image_is_routed_right_the_per_class_scores_are_those_of_routed(bench):
    _, cells = bench.run(**PAIR)
    one, other = of(cells, "per-class"), of(cells, "routed")
    assert other.facts["routing accuracy"] == 1.0
    assert one.scorings == other.scorings
    assert raw(bench, one) == raw(bench, other)
    assert [t.class_name for t in other.thresholds] == [None]
    assert not other.class_oracle
    assert models_fitted(bench.events) == 2 * 3  # two methods, three classes: none is fitted twice


def test_images_taken_for_another_class_are_scored_by_its_model(bench, on_tree):
    """The classes of the tree are the same noise, so the router can only guess."""
    _, cells = bench.run(**PAIR, **ALIKE, **on_tree)
    one, other = of(cells, "per-class"), of(cells, "routed")
    accuracy = other.facts["routing accuracy"]
    assert 0 < accuracy < 1
    own, routed = raw(bench, one), raw(bench, other)
    assert own.keys() == routed.keys()
    assert sum(own[s] == routed[s] for s in own) == round(accuracy * len(own))
    assert models_fitted(bench.events) == 2 * 2


def test_asking_for_routed_later_changes_no_other_cell(bench, on_tree):
    alone = {**PAIR, "protocols": ["per-class"]}
    _, before = bench.run(**alone, **ALIKE, **on_tree)
    _, after = bench.run(**PAIR, **ALIKE, **on_tree)
    kept = [c for c in after if c.protocol == "per-class"]
    assert [(c.id, c.rows) for c in kept] == [(c.id, c.rows) for c in before]
    bench.run(**PAIR, **ALIKE, **on_tree)
    assert models_fitted(bench.events) == 0


def test_fitted_together_or_one_after_the_other_the_scores_are_the_same_bytes(bench, on_tree):
    together = bench.run(**PAIR, **ALIKE, **on_tree)[1]
    apart = bench.run(**{**PAIR, "protocols": ["routed"]}, **ALIKE, **on_tree, out="apart")[1]
    for cell in apart:
        mate = of(together, "routed", cell.method)
        assert (cell.id, cell.rows) == (mate.id, mate.rows)
        for name in ("scores.npz", "maps.npz"):
            assert cell.files.get(name) == mate.files.get(name)


def test_a_normalizer_that_needs_the_class_has_no_cell_under_routed(bench):
    plan = expand(bind(load_suite(bench.suite(protocols=["per-class", "routed"])), _registry()))
    assert {c.normalizer.name for c in plan.cells if c.protocol == "routed"} == {"raw"}
    only = load_suite(bench.suite(protocols=["routed"], normalizers=[{"use": "zscore"}]))
    with pytest.raises(SuiteError, match="zscore must be told the class, which protocol 'routed'"):
        expand(bind(only, _registry()))


def _registry() -> Registry:

    return discover()


class Patches(PixelPatches):
    """No image embedding."""

    def extract(self, images: np.ndarray) -> FeatureGrid:
        return FeatureGrid(super().extract(images).patches)


def test_an_extractor_without_an_image_embedding_is_routed_by_the_mean_of_its_patches(bench):
    spec = ExtractorSpec(name="patches-only", params=PixelPatchesParams, make=Patches, summary="")
    knn = {"extractors": {"px": {"use": "patches-only", "resize": 64, "patch_px": 8}}}
    methods = {"methods": [{"name": "knn", "extractor": "px", "bank": {"use": "random"},
                            "scorer": {"use": "knn-faiss"}}]}  # fmt: skip
    _, cells = bench.run(extra=[spec], **{**PAIR, **knn, **methods})
    assert of(cells, "routed").facts["routing accuracy"] == 1.0
    assert of(cells, "routed").status == "ok"


def test_a_class_that_cannot_be_read_fails_routed_whole_and_says_so(bench, tree, on_tree):
    (tree.root / "bolt" / "train" / "good" / "000.png").write_bytes(b"no image")
    _, cells = bench.run(**PAIR, **on_tree)
    routed = of(cells, "routed")
    assert routed.status == "failed"
    assert all("000.png" in (row.failure.message if row.failure else "") for row in routed.rows)
    assert of(cells, "per-class").status == "partial"


def test_imported_scores_have_no_cell_under_routed(bench, tmp_path):
    (tmp_path / "scores.csv").write_text("path,score\n")
    theirs = {"name": "theirs", "scorer": {"use": "imported", "models": "per-class",
                                           "scores": str(tmp_path / "scores.csv")}}  # fmt: skip
    plan = expand(bind(load_suite(bench.suite(**{**PAIR, "methods": [theirs]})), _registry()))
    assert {cell.protocol for cell in plan.cells} == {"per-class"}
    only = load_suite(bench.suite(**{**PAIR, "protocols": ["routed"], "methods": [theirs]}))
    with pytest.raises(SuiteError, match="made elsewhere and not routed"):
        bind(only, _registry())


def test_a_mutant_that_scores_by_the_true_class_is_seen(bench, on_tree, monkeypatch):
    ours = score._portions

    def by_true_class(task: Any, group: Any) -> Any:
        return ours(replace(task, routed=False), group)

    monkeypatch.setattr(score, "_portions", by_true_class)
    _, cells = bench.run(**PAIR, **ALIKE, **on_tree)
    own, routed = (raw(bench, of(cells, p)) for p in ("per-class", "routed"))
    right = of(cells, "routed").facts["routing accuracy"]
    assert sum(own[s] == routed[s] for s in own) != round(right * len(own))


def test_a_routed_cell_cannot_be_saved_and_the_hint_says_which_can(bench, tmp_path, capsys):
    assert bench.cli(**{**PAIR, "metrics": ["image_auroc"]}) == 0
    assert (
        "Test images given to the model of their class"
        in (bench.out / "leaderboard.html").read_text()
    )
    chosen = ["--only", "protocol=routed", "--only", "method=knn", "--out", str(tmp_path / "saved")]
    assert main.run(["save", str(bench.out), "--cache-dir", str(bench.cache), *chosen]) == 2
    assert "not saved yet" in capsys.readouterr().err
