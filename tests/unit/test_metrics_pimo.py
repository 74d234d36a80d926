"""AUPIMO: the rate of good images, its tail alone in memory, and one number an image."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate

from adharness.metrics import MetricValue, evaluate_pixels, pimo
from adharness.metrics.inputs import read_pixels
from adharness.metrics.pimo import HIGHEST, LOWEST, GoodTail, decade_share

MASK = np.array([[True, True, False]])


def aupimo(masks: list[np.ndarray | None], maps: list[np.ndarray]) -> MetricValue:
    return evaluate_pixels(masks, maps, ["pixel_aupimo"])["pixel_aupimo"]


def test_each_anomalous_image_has_a_number_and_a_good_one_has_none() -> None:
    maps = [np.array([[9.0, 1, 1]]), np.array([[0.0, 1, 2]]), np.array([[9.0, 9, 0]])]
    found = aupimo([MASK, None, MASK], maps)
    assert (found.value, found.reason) == (0.75, None)
    assert found.per_image == (0.5, None, 1.0)


@pytest.mark.parametrize(
    ("masks", "reason"),
    [([MASK], "no good image"), ([None], "no anomalous image")],
)
def test_without_good_or_anomalous_images_there_is_no_value(
    masks: list[np.ndarray | None], reason: str
) -> None:
    found = aupimo(masks, [np.zeros((1, 3))])
    assert math.isnan(found.value)
    assert found.reason == reason
    assert found.per_image == (None,)


@pytest.mark.parametrize(
    ("before", "after"),
    [(0, 5e-6), (0, 1e-5), (0, 2e-5), (2e-5, 2e-5), (2e-5, 7e-5), (5e-6, 3e-4), (2e-4, 1), (0, 1)],
)
def test_the_share_of_a_step_is_its_mean_over_the_logarithm_of_the_rate(
    before: float, after: float
) -> None:
    def height(log_rate: float) -> float:
        rate = math.exp(log_rate)
        return (
            float(rate >= before)
            if before == after
            else np.clip((rate - before) / (after - before), 0, 1)
        )

    low, high = math.log(LOWEST), math.log(HIGHEST)
    kinks = [math.log(x) for x in (before, after) if LOWEST < x < HIGHEST]
    area, _ = integrate.quad(height, low, high, points=kinks or None)
    (found,) = decade_share(np.array([before], float), np.array([after], float))
    assert found == pytest.approx(area / (high - low), abs=1e-9)


def test_of_good_images_only_the_scores_below_the_highest_rate_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pimo, "_KEPT_AT_LEAST", 10)
    rng = np.random.default_rng(0)
    maps = [rng.integers(0, 10**6, (100, 100 + 10 * i)).astype(np.float32) for i in range(4)]
    tail = GoodTail(4)
    for image in read_pixels([None] * 4, maps):
        tail.add(image)
    assert tail._held < 100
    rate = tail.finish()
    tops = np.sort(np.concatenate([scores.ravel() for scores in maps]))[-4:]
    for compare, found in ((np.greater, rate.above(tops)), (np.greater_equal, rate.at(tops))):
        expected = [np.mean([compare(scores, top).mean() for scores in maps]) for top in tops]
        assert found == pytest.approx(expected, abs=1e-15)
    assert rate.above(np.float32([0])) > HIGHEST
