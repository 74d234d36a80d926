"""Methods that are trained end to end: run, resumed, judged again, saved, shifted, refused."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from adharness import FeatureGrid, Memory, Params, Pixels, ScorerSpec, Scores, check_pixels
from adharness.baselines.mean_image import MeanImage
from adharness.cli import main
from adharness.engine.events import StepDone
from adharness.store.folder import RunFolder
from spies import prune_all

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
MEAN = {"name": "mean", "extractor": "px", "scorer": {"use": "mean-image"}}
PROTOCOLS = ["per-class", "model-unified", "absolute-unified", "routed"]
END_TO_END: dict[str, Any] = {
    "protocols": PROTOCOLS,
    "extractors": {"px": {"use": "pixels", "resize": [24, 32]}},
    "methods": [MEAN],
    "normalizers": [{"use": "raw"}, {"use": "zscore-routed", "smallest": 2}],
    "thresholders": [{"use": "quantile", "q": 0.8}],
    "metrics": ["image_auroc", "image_f1", "pixel_auroc"],
}


class NoParams(Params):
    """Nothing to set."""


@dataclass
class Trainee:
    """Scorer `trainee`, which writes down what it is shown and gives maps of 5 x 7."""

    counts: list[int] = field(default_factory=list)
    classes: list[Any] = field(default_factory=list)
    shown: list[Any] = field(default_factory=list)
    scored: int = 0

    def spec(self) -> ScorerSpec:
        return ScorerSpec(
            name="trainee", params=NoParams, make=lambda _: self, needs="pixels", summary="looks"
        )

    def fit(self, memory: Memory, rng: np.random.Generator) -> Trainee:
        images = check_pixels(memory, scorer="trainee")
        assert isinstance(images, Pixels)
        self.counts.append(images.features.count)
        self.classes.append(images.features.classes)
        order = rng.permutation(images.features.count)
        self.shown.append(images.features.read(order).patches)
        return self

    def score(self, features: FeatureGrid) -> Scores:
        self.scored += len(features.patches)
        means = features.patches.mean(axis=(1, 2, 3), dtype=np.float64).astype(np.float32)
        return Scores(patches=np.broadcast_to(means[:, None, None], (len(means), 5, 7)).copy())


def trainee(**changes: Any) -> dict[str, Any]:
    method = {"name": "seen", "extractor": "px", "scorer": {"use": "trainee"}}
    return {**END_TO_END, "methods": [method], "normalizers": [{"use": "raw"}], **changes}


def worked(events: list[Any], stage: str) -> list[bool]:
    """Whether each step of a stage was reused."""
    return [e.reused for e in events if isinstance(e, StepDone) and e.stage == stage]


def board(out: Any) -> list[dict[str, Any]]:
    rows = json.loads((out / "leaderboard.json").read_text())["rows"]
    return [{k: v for k, v in row.items() if k != "costs"} for row in rows]


def test_every_protocol_normalizer_and_metric_stands_on_maps_of_the_scorers_own_grid(bench):
    record, cells = bench.run(**END_TO_END)
    assert {(c.protocol, c.normalizer) for c in cells} == {
        (protocol, normalizer) for protocol in PROTOCOLS for normalizer in ("raw", "zscore-routed")
    }
    assert all(cell.status == "ok" for cell in cells)
    assert record.methods["mean"]["bank"]["use"] == "adharness/pixels"
    for cell in cells:
        for row in cell.rows:
            assert row.metrics["image_auroc"].value is not None
            assert row.metrics["pixel_auroc"].value is not None
    maps = RunFolder(bench.out).cell_arrays(cells[0].id, "maps.npz")
    assert maps["patches"].shape[1:] == (6, 8)
    assert maps["input_size"].tolist() == [24, 32]


def test_it_is_shown_whole_numbers_of_the_training_images_and_no_class(bench):
    seen = Trainee()
    bench.run(extra=[seen.spec()], **trainee(protocols=["per-class", "absolute-unified"]))
    assert seen.counts == [8, 8, 8, 24]
    assert seen.classes == [None] * 4
    for images in seen.shown:
        assert images.shape[1:] == (24, 32, 3)
        assert images.dtype == np.float32
        assert np.array_equal(images, np.clip(np.rint(images), 0, 255))
        assert images.max() > 100


def test_what_is_stored_is_not_trained_again_and_a_new_protocol_trains_what_it_needs(bench):
    seen = Trainee()
    bench.run(extra=[seen.spec()], **trainee(protocols=["per-class"]))
    before = seen.scored
    bench.run(extra=[seen.spec()], **trainee(protocols=["per-class"]))
    assert (seen.counts, seen.scored) == ([8, 8, 8], before)
    assert worked(bench.events, "fit and score") == [True] * 3
    bench.run(extra=[seen.spec()], **trainee(protocols=["per-class", "model-unified"]))
    assert seen.counts == [8, 8, 8, 24]
    assert set(worked(bench.events, "extract")) == {True}


def test_an_entry_of_the_cache_takes_the_bytes_of_the_images_and_survives_pruning(bench):
    changes = {**END_TO_END, "protocols": ["model-unified"], "normalizers": [{"use": "raw"}]}
    _, before = bench.run(**changes, features={"dtype": "float16"})
    files = list((bench.cache / "features").glob("*/patches.npy"))
    assert len(files) == 3
    assert all(file.stat().st_size == 128 + 22 * 24 * 32 * 3 for file in files)
    assert prune_all(bench.cache) == 3
    _, after = bench.run(**{**changes, "methods": [MEAN, {**MEAN, "name": "again", "bank": {
        "use": "pixels", "shots": 4, "rotations": 2}}]})  # fmt: skip
    assert [(c.id, c.rows) for c in after if c.method == "mean"] == [(before[0].id, before[0].rows)]
    assert all(cell.status == "ok" for cell in after)


def test_it_is_judged_again_without_the_cache(bench):
    changes = {**END_TO_END, "protocols": ["per-class", "routed"], "normalizers": [{"use": "raw"}]}
    assert bench.cli("-q", **changes) == 0
    before = board(bench.out)
    prune_all(bench.cache)
    where = ["--cache-dir", str(bench.cache), "-q"]
    assert main.run(["rescore", str(bench.out), *where]) == 0
    assert board(bench.out) == before
    edited = bench.suite(**{**changes, "metrics": ["image_ap", "pixel_ap"]})
    assert main.run(["rescore", str(bench.out), str(edited), *where]) == 0
    assert {name for row in board(bench.out) for name in row["metrics"]} == {"image_ap", "pixel_ap"}


@pytest.mark.parametrize("protocol", ["per-class", "absolute-unified"])
def test_it_is_saved_and_scores_new_files_as_in_the_run(bench, on_tree, tree, capsys, protocol):
    rule = {"image_score": {"use": "top", "of": "pixels", "ratio": 0.02}}
    changes = {**END_TO_END, "protocols": [protocol], "normalizers": [{"use": "raw"}], **on_tree}
    changes["maps"] = rule
    _, (cell,) = bench.run(**changes)
    folder = bench.folder / "saved"
    where = ["--out", str(folder), "--cache-dir", str(bench.cache)]
    assert main.run(["save", str(bench.out), *where]) == 0
    assert "score the same, to the last bit" in capsys.readouterr().out
    arrays = RunFolder(bench.out).cell_arrays(cell.id, "scores.npz")
    mine = arrays["classes"] == "nut"
    paths = [str(tree.root / path) for path in arrays["samples"][mine]]
    named = ["--class", "nut"] if protocol == "per-class" else []
    assert main.run(["score", str(folder), *paths, "--json", *named]) == 0
    found = json.loads(capsys.readouterr().out)["images"]
    assert [one["score"] for one in found] == arrays["scores"][mine].tolist()
    assert [one["threshold"] for one in found] == arrays["threshold"][mine].tolist()
    overlays = ["--out", str(bench.folder / "judged"), *named]
    assert main.run(["score", str(folder), paths[0], *overlays]) == 0


def test_one_without_a_state_is_not_saved_and_told_why(bench, monkeypatch, capsys):
    bench.run(**{**END_TO_END, "protocols": ["model-unified"], "normalizers": [{"use": "raw"}]})
    monkeypatch.setattr(MeanImage, "fit", lambda *_: Trainee())
    where = ["--out", str(bench.folder / "saved"), "--cache-dir", str(bench.cache)]
    assert main.run(["save", str(bench.out), *where]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "'mean-image' cannot be saved: it fits on a memory of kind pixels" in said
    assert "`state`" in said
    assert not (bench.folder / "saved").exists()


def test_features_instead_of_pixels_are_refused_before_anything_is_read(bench, capsys):
    features = {"px": {"use": "pixel-patches", "resize": 64, "patch_px": 8}}
    assert bench.cli(**{**END_TO_END, "extractors": features}) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "methods[0].extractor: bank 'pixels' emits pixels, extractor 'pixel-pa" in said
    assert "hint: extractors that give pixels: pixels" in said
    assert not bench.cache.exists()


def test_test_images_are_shifted_and_the_model_is_trained_once(bench):
    seen = Trainee()
    data = {"use": "textures", "size": 32, "train": 8, "good": 4, "per_defect": 1,
            "shift": {"corruptions": ["noise"], "severity": 3}}  # fmt: skip
    changes = trainee(data=[data], protocols=["model-unified"], thresholders=[{"use": "f1"}])
    _, cells = bench.run(extra=[seen.spec()], **changes)
    assert len(seen.counts) == 1
    assert {cell.dataset for cell in cells} == {"textures", "textures+noise-3"}
    raw = [RunFolder(bench.out).cell_arrays(cell.id, "scores.npz")["raw"] for cell in cells]
    assert not np.array_equal(raw[0], raw[1])


def test_what_it_would_take_is_told_and_its_maps_are_counted(bench, capsys):
    suite = bench.suite(**{**END_TO_END, "protocols": ["model-unified"]})
    assert main.run(["check", "--estimate", str(suite), "--cache-dir", str(bench.cache)]) == 0
    said = capsys.readouterr().out
    assert "mean" in said
    assert "cannot" not in said
    assert not (bench.cache / "features").exists()
