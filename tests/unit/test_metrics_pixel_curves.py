"""Pixel curves at some 150 scores against the exact metrics of all scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adharness.engine.measured import Measured, curve_arrays
from adharness.metrics import MetricValue
from adharness.metrics import pixels as sorted_pixels
from adharness.metrics.pixel_curves import PixelCurve
from adharness.statistics import bootstrap_weights, judge_pixels, resample_pixels

METRICS = ["pixel_auroc", "pixel_ap", "region_aupro_30", "region_aupro_100"]
NO_DRAWS = np.zeros((0, 6), np.int64)


def scene(seed: int, strength: float, step: float) -> tuple[list[Any], list[Any]]:
    """Six maps of smooth noise with bumps at some of their regions."""
    rng = np.random.default_rng(seed)
    masks: list[Any] = [None, None]
    maps = [np.cumsum(rng.normal(size=(40, 50)), axis=1) / 4 for _ in range(6)]
    for at in range(2, 6):
        mask = np.zeros((40, 50), np.bool_)
        for _ in range(2):
            row, column = rng.integers(0, 30, 2)
            mask[row : row + rng.integers(2, 9), column : column + rng.integers(2, 12)] = True
        masks.append(mask)
        maps[at] = maps[at] + strength * mask * rng.random()
    return masks, [np.round(m / step) * step if step else m for m in maps]


def areas(curve: PixelCurve) -> list[float]:
    def below(y: Any, end: float = 1.0) -> float:
        inside = curve.normal < end
        x = np.append(curve.normal[inside], end)
        cut = np.append(y[inside], np.interp(end, curve.normal, y))
        return float(np.trapezoid(cut, x) / end)

    steps = np.diff(curve.found)
    precise = float((steps * np.nan_to_num(curve.precision[1:])).sum())
    assert curve.overlap is not None
    return [below(curve.found), precise, below(curve.overlap, 0.3), below(curve.overlap)]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 8), st.sampled_from([0.0, 0.02, 0.5]))
def test_the_areas_below_the_curves_are_the_metrics(
    seed: int, strength: float, step: float
) -> None:
    masks, maps = scene(seed, strength, step)
    found, curve = judge_pixels(masks, maps, METRICS, NO_DRAWS)
    assert curve is not None
    assert areas(curve) == pytest.approx([found[n].value for n in METRICS], abs=0.002)
    assert len(curve.normal) <= 162
    for line in (curve.normal, curve.found, curve.overlap):
        assert line is not None
        assert line[0] == 0
        assert line[-1] == pytest.approx(1)
        assert np.diff(line).min() >= -1e-12


def test_brackets_do_not_change_the_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    masks, maps = scene(3, 2.0, 0.02)
    whole = judge_pixels(masks, maps, METRICS, NO_DRAWS)[1]
    monkeypatch.setattr(sorted_pixels, "BRACKET", 97)
    parts = judge_pixels(masks, maps, METRICS, NO_DRAWS)[1]
    assert whole is not None
    assert parts is not None
    for name in PixelCurve.__slots__:
        np.testing.assert_allclose(getattr(whole, name), getattr(parts, name), atol=1e-12)


def test_values_and_replicates_are_those_of_the_function_without_curves() -> None:
    masks, maps = scene(4, 2.0, 0.0)
    labels = np.array([mask is not None for mask in masks], np.int64)
    weights = bootstrap_weights(labels, 20, np.random.default_rng(0))
    alone = resample_pixels(masks, maps, METRICS, weights)
    beside, curve = judge_pixels(masks, maps, METRICS, weights)
    assert curve is not None
    for name in METRICS:
        assert alone[name].value == beside[name].value
        np.testing.assert_array_equal(alone[name].replicates, beside[name].replicates)


@pytest.mark.parametrize("mask", [None, np.ones((40, 50), np.bool_)])
def test_pixels_of_one_kind_alone_have_no_curve(mask: Any) -> None:
    _, maps = scene(5, 1.0, 0.0)
    assert judge_pixels([mask] * 6, maps, ["pixel_auroc"], NO_DRAWS)[1] is None


def test_without_a_metric_of_regions_there_is_no_overlap() -> None:
    masks, maps = scene(6, 1.0, 0.0)
    curve = judge_pixels(masks, maps, ["pixel_auroc"], NO_DRAWS)[1]
    assert curve is not None
    assert curve.overlap is None
    one = {"pixel_auroc": Measured(MetricValue(0.5), None, curve)}
    stored = curve_arrays({"brick": one, "pooled": {"x": Measured(MetricValue(0.5))}})
    assert stored["scopes"].tolist() == ["brick"]
    assert np.isnan(stored["values"][0, 2]).all()
    assert curve_arrays({}) == {}
