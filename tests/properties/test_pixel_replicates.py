"""Replicates of pixel and region metrics against the metrics of the images as often as drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adharness.errors import MetricError
from adharness.metrics import pimo
from adharness.statistics import (
    bootstrap_weights,
    draw,
    knots,
    pixel_bootstrap,
    resample_pixels,
)
from pixel_cases import HIGHEST, LOWEST, Case, build, tiny_pieces
from replicate_cases import EXACT, draws, literal, repeated, smooth_world

SMOOTH = ["pixel_auroc", "pixel_auroc_anomalous", "pixel_ap", "pixel_f1_oracle",
          "pixel_iou_oracle", "region_aupro_30", "region_aupro_05"]  # fmt: skip


@pytest.fixture(autouse=True)
def reachable_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds of AUPIMO that the rates of a small map can lie between."""
    monkeypatch.setattr(pimo, "LOWEST", LOWEST)
    monkeypatch.setattr(pimo, "HIGHEST", HIGHEST)
    monkeypatch.setattr(pimo, "_DECADES", np.log(HIGHEST / LOWEST))


def resampled(case: Case, weights: np.ndarray) -> dict[str, np.ndarray]:
    found = resample_pixels(case.regions, case.maps, EXACT, weights, threshold=case.thresholds)
    return {name: one.replicates for name, one in found.items()}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_a_knot_at_each_anomalous_pixel_gives_exactly_the_metric_of_the_images_as_often_as_drawn(
    seed,
):
    case = build(seed)
    weights = draws(case)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(knots, "ANOMALOUS", 24 * 24 * len(case.maps))  # one at each pixel
        found = resampled(case, weights)
    for row, weight in enumerate(weights):
        for name, value in repeated(case, weight).items():
            assert found[name][row] == pytest.approx(value, abs=1e-9, nan_ok=True), name


def test_weights_of_one_give_the_value_itself_however_few_the_knots(monkeypatch):
    masks, maps = smooth_world(3)
    monkeypatch.setattr(knots, "ENTRIES", 300)
    found = resample_pixels(masks, maps, SMOOTH, np.ones((1, len(maps)), np.int64))
    for one in found.values():
        assert one.replicates.tolist() == pytest.approx([one.value.value], abs=1e-12)


@pytest.mark.parametrize("transform", [lambda s: s, lambda s: np.exp(6 * s)])
def test_many_anomalous_pixels_stay_within_the_stated_bound_of_the_metric(transform):
    masks, maps = smooth_world(1)
    maps = [transform(one) for one in maps]
    weights = bootstrap_weights(np.arange(len(maps)) % 2, 6, np.random.default_rng(0))
    found = resample_pixels(masks, maps, SMOOTH, weights)
    for row, weight in enumerate(weights):
        for name, value in literal(masks, maps, SMOOTH, weight).items():
            bound = 2e-3 if name.endswith("_oracle") else 1e-3
            assert found[name].replicates[row] == pytest.approx(value, abs=bound), name


def test_fewer_knots_err_more_and_never_beyond_half_of_what_a_step_holds(monkeypatch):
    masks, maps = smooth_world(2)
    weights = bootstrap_weights(np.arange(len(maps)) % 2, 4, np.random.default_rng(0))
    exact = [literal(masks, maps, ["pixel_auroc"], weight)["pixel_auroc"] for weight in weights]
    errors = []
    for count in (8, 32, 160):
        monkeypatch.setattr(knots, "ANOMALOUS", count)
        monkeypatch.setattr(knots, "NORMAL", 2)
        drawn = resample_pixels(masks, maps, ["pixel_auroc"], weights)["pixel_auroc"].replicates
        errors.append(np.abs(drawn - exact).max())
        heaviest = weights.max() / (count - 1)
        assert errors[-1] <= heaviest  # twice half a step: of the replicate and of the shift
    assert errors[0] > 5 * errors[2]


def test_pixels_sorted_on_disk_give_the_same_replicates(monkeypatch):
    case = build(5)
    weights = draws(case)
    whole = resampled(case, weights)
    monkeypatch.setattr(pixel_bootstrap, "MEMORY_MB", 200 / 2**20)
    with tiny_pieces():
        pieces = resampled(case, weights)
    for name in EXACT:
        np.testing.assert_allclose(pieces[name], whole[name], atol=1e-12, err_msg=name)


def test_a_method_does_not_differ_from_itself_nor_from_a_transform_of_itself():
    masks, maps = smooth_world(4)
    sampling = draw(np.arange(len(maps)) % 2, 40, np.random.default_rng(0))
    first = resample_pixels(masks, maps, SMOOTH, sampling.weights)
    again = resample_pixels(masks, [8 * one for one in maps], SMOOTH, sampling.weights)
    for name in SMOOTH:
        mine, other = (sampling.read(of[name].replicates) for of in (first, again))
        assert mine.minus(other).interval() == (0.0, 0.0), name
        assert mine.estimate == pytest.approx(first[name].value.value, abs=1e-12)
        low, high = mine.interval()
        assert low < first[name].value.value < high


def test_constant_maps_leave_no_doubt():
    masks, maps = smooth_world(4)
    weights = bootstrap_weights(np.arange(len(maps)) % 2, 9, np.random.default_rng(0))
    found = resample_pixels(masks, [np.full_like(one, -0.0) for one in maps], SMOOTH, weights)
    assert found["pixel_auroc"].replicates.tolist() == [0.5] * 9
    assert found["region_aupro_30"].replicates == pytest.approx(np.full(9, 0.15))


@pytest.mark.parametrize("masks", [[None] * 3, [np.ones((4, 4), bool)] * 3])
def test_without_an_anomalous_or_without_a_normal_pixel_every_replicate_is_undefined(masks):
    maps = [np.arange(16.0).reshape(4, 4)] * 3
    found = resample_pixels(masks, maps, SMOOTH, np.ones((2, 3), np.int64))
    for one in found.values():
        assert np.isnan(one.value)
        assert np.isnan(one.replicates).all()


def test_dialects_have_no_replicates_and_no_resample_gives_none():
    masks, maps = smooth_world(4, images=4, size=16)
    names = ["region_aupro_30", "region_aupro_30@ader"]
    assert (
        resample_pixels(masks, maps, names, np.ones((2, 4), np.int64))[names[1]].replicates is None
    )
    found = resample_pixels(masks, maps, names, np.ones((0, 4), np.int64))
    assert list(found) == names
    assert [one.replicates for one in found.values()] == [None, None]


def test_bad_weights_are_refused():
    masks, maps = smooth_world(4, images=4, size=16)
    with pytest.raises(MetricError, match="weights has shape"):
        resample_pixels(masks, maps, SMOOTH, np.ones((2, 3), np.int64))
    with pytest.raises(MetricError, match="a weight is -1"):
        resample_pixels(masks, maps, SMOOTH, np.array([[1, 1, -1, 1]]))


def test_large_sets_get_fewer_knots(monkeypatch):
    masks, maps = smooth_world(6)
    shapes = []
    kept = knots.count_at

    def counted(scores, *rest):
        shapes.append(len(scores))
        return kept(scores, *rest)

    monkeypatch.setattr(pixel_bootstrap, "count_at", counted)
    for entries in (knots.ENTRIES, len(maps) * 100):
        monkeypatch.setattr(knots, "ENTRIES", entries)
        resample_pixels(masks, maps, SMOOTH, np.ones((1, len(maps)), np.int64))
    assert shapes[0] > 500
    assert shapes[1] <= 100
