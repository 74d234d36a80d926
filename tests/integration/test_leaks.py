"""The two leaks that make a benchmark worthless, ruled out by running with and without them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from adharness import ContentHash, DatasetSpec, Sample
from adharness.arrays import Bool, UInt8
from adharness.data.textures import TexturesDataset, TexturesParams

pytestmark = pytest.mark.slow
ON_IMAGES: dict[str, Any] = {
    "extractors": {"px": {"use": "pixels", "resize": 32}},
    "methods": [{"name": "mean", "extractor": "px", "scorer": {"use": "mean-image"}},
                {"name": "luck", "extractor": "px", "bank": {"use": "pixels", "shots": 5},
                 "scorer": {"use": "random-scores"}}],
    "protocols": ["per-class", "absolute-unified"],
    "normalizers": [{"use": "zscore-routed", "smallest": 2}],
}  # fmt: skip
"""Methods that are shown the images themselves."""
TINY = TexturesParams(size=64, train=10, good=6, per_defect=2)


class Textures(TexturesDataset):
    """The demo set with its test images changed by `tamper`, and its test portion cut to them."""

    def __init__(self, tamper: Any) -> None:
        super().__init__(TINY)
        self._tamper = tamper

    def samples(self) -> list[Sample]:
        return self._tamper(list(super().samples()))

    def _true(self, sample: Sample) -> Sample:
        return next(s for s in super().samples() if s.path == sample.path)

    def fingerprint(self, sample: Sample) -> ContentHash:
        return super().fingerprint(self._true(sample))

    def image(self, sample: Sample) -> UInt8:
        return super().image(self._true(sample))

    def mask(self, sample: Sample) -> Bool | None:
        return super().mask(self._true(sample))


def spec(tamper: Any) -> DatasetSpec:
    """Under one name, so that nothing but the tampering differs."""
    return DatasetSpec(
        name="tampered", params=TexturesParams, make=lambda _: Textures(tamper), summary=""
    )


def run(bench, tamper: Any, out: str, **changes: Any) -> dict[tuple[str, ...], dict[str, Any]]:
    """Arrays of every cell by (protocol, method, normalizer, thresholder)."""
    _, cells = bench.run(
        extra=[spec(tamper)],
        out=out,
        cache=f"cache-{out}",
        **{
            "data": [{"use": "tampered"}],
            # No anomaly is held out: thresholds come from normal images, whose labels stay.
            "split": {"calibration": {"normal": 0.3, "anomalous": 0.0}},
            "thresholders": [{"use": "quantile", "q": 0.8}],
            "metrics": ["image_auroc", "image_f1", "pixel_f1", "region_recall"],
            **changes,
        },
    )
    folder = bench.folder / out / "cells"
    found = {}
    for cell in cells:
        with np.load(folder / cell.id / "scores.npz") as stored:
            arrays = {name: stored[name] for name in stored.files}
        if (folder / cell.id / "maps.npz").exists():
            with np.load(folder / cell.id / "maps.npz") as stored:
                arrays |= {"map_samples": stored["samples"], "patches": stored["patches"]}
        arrays["pixel_classes"] = np.array([str(t.class_name) for t in cell.pixel_thresholds])
        arrays["pixel_thresholds"] = np.array([t.value for t in cell.pixel_thresholds])
        found[cell.protocol, cell.method, cell.normalizer, cell.thresholder] = arrays
    return found


def honest(samples: list[Sample]) -> list[Sample]:
    return samples


def with_labels_permuted(samples: list[Sample]) -> list[Sample]:
    """Within each class, test images trade labels; masks stay where they are."""
    rng = np.random.default_rng(3)
    changed = list(samples)
    for name in {s.class_name for s in samples}:
        tested = [i for i, s in enumerate(samples) if s.portion == "test" and s.class_name == name]
        for i, j in zip(tested, rng.permutation(tested), strict=True):
            changed[i] = replace(samples[i], label=samples[j].label, defect=samples[j].defect)
    return changed


def with_half_the_test_images(samples: list[Sample]) -> list[Sample]:
    tested = [s for s in samples if s.portion == "test"]
    dropped = {s.path for s in tested[::2]}
    return [s for s in samples if s.path not in dropped]


def with_classes_permuted(samples: list[Sample]) -> list[Sample]:
    """Test images trade class names, the sizes of the classes kept."""
    tested = [i for i, s in enumerate(samples) if s.portion == "test"]
    changed = list(samples)
    for i, j in zip(tested, np.random.default_rng(5).permutation(tested), strict=True):
        changed[i] = replace(samples[i], class_name=samples[j].class_name)
    return changed


def by_sample(arrays: dict[str, Any], names: str, values: str) -> dict[str, bytes]:
    return {s: np.asarray(v).tobytes() for s, v in zip(arrays[names], arrays[values], strict=True)}


def assert_equal_where_both(
    first: dict[str, Any], second: dict[str, Any], *, fewer: bool = False
) -> None:
    """Scores, thresholds and maps are the same bytes for every image that both have."""
    pairs = [("samples", "raw"), ("samples", "scores"), ("samples", "threshold"),
             ("calibration_samples", "calibration_scores")]  # fmt: skip
    if "patches" in first:
        pairs += [("map_samples", "patches"), ("pixel_classes", "pixel_thresholds")]
    for names, values in pairs:
        one, other = by_sample(first, names, values), by_sample(second, names, values)
        assert other
        assert set(other) <= set(one) if fewer else set(other) == set(one)
        assert {s: one[s] for s in other} == other, values


@pytest.mark.parametrize("changes", [{}, ON_IMAGES], ids=["features", "images"])
def test_permuting_the_test_labels_changes_no_score_map_or_threshold(bench, changes):
    before = run(bench, honest, "honest", **changes)
    after = run(bench, with_labels_permuted, "permuted", **changes)
    assert before.keys() == after.keys()
    for cell, arrays in before.items():
        assert_equal_where_both(arrays, after[cell])
    labels = [by_sample(a, "samples", "labels") for a in (before[cell], after[cell])]
    assert labels[0] != labels[1]  # the tampering did happen


@pytest.mark.parametrize("changes", [{}, ON_IMAGES], ids=["features", "images"])
def test_dropping_half_of_the_test_images_changes_no_score_map_or_threshold_of_the_rest(
    bench, changes
):
    before = run(bench, honest, "honest", **changes)
    after = run(bench, with_half_the_test_images, "half", **changes)
    for cell, arrays in before.items():
        assert len(after[cell]["samples"]) == len(arrays["samples"]) / 2
        assert_equal_where_both(arrays, after[cell], fewer=True)


@pytest.mark.timeout(90)
def test_neither_does_it_with_a_real_network_whose_batches_then_fall_differently(bench):
    lite0 = {
        "extractors": {"px": {"use": "timm", "layers": [2, 3], "resize": 64}},
        "protocols": ["absolute-unified"],
    }
    before = run(bench, honest, "honest", **lite0)
    after = run(bench, with_half_the_test_images, "half", **lite0)
    for cell, arrays in before.items():
        assert_equal_where_both(arrays, after[cell], fewer=True)


@pytest.mark.timeout(90)
def test_where_the_class_is_unknown_permuting_it_changes_no_score_map_or_decision(bench):
    """Not even where the classes of calibration images, which stay, are told to the normalizer."""
    untold = [
        {"use": "raw"},
        {"use": "zscore-routed", "by": "class", "route": "centroid"},
        {"use": "zscore-routed", "by": "class", "route": "neighbours"},
        {"use": "zscore-routed", "smallest": 3},
        {"use": "cluster-quantile", "smallest": 3},
        {"use": "conformal", "smallest": 3},
        {"use": "local-density", "neighbours": 3},
        {"use": "regressed"},
    ]
    # 16 px: a colour statistic of so little tells the textures apart, but for some images.
    hidden = {
        "protocols": ["absolute-unified", "routed"],
        "normalizers": untold,
        "split": {"calibration": {"normal": 0.4, "anomalous": 0.0}},
        "extractors": {"px": {"use": "pixel-patches", "resize": 16, "patch_px": 8}},
    }
    before = run(bench, honest, "honest", **hidden)
    after = run(bench, with_classes_permuted, "classes", **hidden)
    assert {cell[0] for cell in before} == {"absolute-unified", "routed"}
    assert len(before) == 2 * 2 * len(untold)  # protocols, methods
    for cell, arrays in before.items():
        assert_equal_where_both(arrays, after[cell])
        decided = [
            {s: v > t for s, v, t in zip(a["samples"], a["scores"], a["threshold"], strict=True)}
            for a in (arrays, after[cell])
        ]
        assert decided[0] == decided[1]
    classes = [by_sample(a, "samples", "classes") for a in (before[cell], after[cell])]
    assert classes[0] != classes[1]


@pytest.mark.parametrize("tamper", [with_labels_permuted, with_half_the_test_images])
def test_neither_does_what_was_made_elsewhere_though_it_is_told_names(bench, tmp_path, tamper):
    """A name may reveal the label, and labels may not reach what is looked up by it."""
    rng = np.random.default_rng(0)
    rows = [f"{s.path},{rng.random()!r}" for s in Textures(honest).samples()]
    (tmp_path / "scores.csv").write_text("\n".join(["path,score", *rows]) + "\n")
    method = {"name": "theirs", "scorer": {"use": "imported", "models": "merged",
                                           "scores": str(tmp_path / "scores.csv")}}  # fmt: skip
    before = run(bench, honest, "honest", methods=[method])
    after = run(bench, tamper, "tampered", methods=[method])
    assert before.keys() == after.keys()
    for cell, arrays in before.items():
        fewer = tamper is with_half_the_test_images
        assert_equal_where_both(arrays, after[cell], fewer=fewer)


def test_the_check_can_fail(bench):
    before = run(bench, honest, "honest")
    cell = next(iter(before))
    tampered = {**before[cell], "scores": before[cell]["scores"] + 1e-9}
    with pytest.raises(AssertionError, match="scores"):
        assert_equal_where_both(before[cell], tampered)


ALONE = [
    *({"use": name} for name in ("max-normal", "mean-std", "median-mad", "pot")),
    {"use": "fixed", "value": 0.05},
]
BATCH = [{"use": "conformal-bh", "alpha": 0.5}]
ONE = {
    "protocols": ["absolute-unified"],
    "normalizers": [{"use": "raw"}],
    "methods": [{"name": "knn", "extractor": "px", "bank": {"use": "all"},
                 "scorer": {"use": "knn-faiss"}}],
}  # fmt: skip


def test_no_thresholder_of_single_images_looks_at_the_test_images(bench):
    before = run(bench, honest, "honest", thresholders=ALONE, **ONE)
    after = run(bench, with_half_the_test_images, "half", thresholders=ALONE, **ONE)
    permuted = run(bench, with_labels_permuted, "permuted", thresholders=ALONE, **ONE)
    assert len(before) == len(ALONE)
    for cell, arrays in before.items():
        assert_equal_where_both(arrays, after[cell], fewer=True)
        assert_equal_where_both(arrays, permuted[cell])


def test_a_batch_rule_sees_no_label_but_its_decisions_depend_on_the_batch(bench):
    """The documented exception: dropping test images may move its threshold, labels may not."""
    before = run(bench, honest, "honest", thresholders=BATCH, **ONE)
    after = run(bench, with_half_the_test_images, "half", thresholders=BATCH, **ONE)
    permuted = run(bench, with_labels_permuted, "permuted", thresholders=BATCH, **ONE)
    (cell,) = before
    assert_equal_where_both(before[cell], permuted[cell])
    kept = [by_sample(one[cell], "samples", "scores") for one in (before, after)]
    assert {s: kept[0][s] for s in kept[1]} == kept[1]  # the scores know nothing of the batch
    thresholds = [by_sample(one[cell], "samples", "threshold") for one in (before, after)]
    assert {s: thresholds[0][s] for s in thresholds[1]} != thresholds[1]
