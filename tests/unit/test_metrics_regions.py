from __future__ import annotations

import numpy as np
import pytest

from adharness.errors import MetricError
from adharness.metrics import aupro, label_regions, rank_pixels, region_overlaps


def test_pixels_that_touch_at_a_corner_are_one_region() -> None:
    labels, count = label_regions(np.eye(4, dtype=bool))
    assert count == 1
    assert np.array_equal(labels, np.eye(4))


def test_regions_of_different_images_are_kept_apart() -> None:
    masks = [np.array([[1, 0, 1]], bool), None, np.array([[1, 1, 0]], bool)]
    pixels = rank_pixels([(mask, np.zeros((1, 3), np.float32)) for mask in masks])
    assert pixels.areas.tolist() == [1, 1, 2]
    assert int(pixels.ranking.negatives) == 1 + 3 + 1


def test_the_overlap_of_each_region_is_known_on_its_own() -> None:
    mask = np.array([[1, 0, 0, 0, 1]], bool)
    scores = np.array([[9, 1, 2, 3, 0]], np.float32)
    pixels = rank_pixels([(mask, scores)])
    assert region_overlaps(pixels, limit=0.5).tolist() == [1.0, 0.0]
    assert float(aupro(pixels, limit=0.5)) == 0.5


@pytest.mark.parametrize("limit", [0.1, 0.25, 0.3, 0.75, 1.0])
def test_a_limit_inside_a_tie_is_interpolated_linearly(limit: float) -> None:
    mask = np.array([[1, 0, 0, 0, 0]], bool)
    scores = np.array([[5, 5, 5, 1, 0]], np.float32)  # the ramp goes from rate 0 to rate 1/2
    ramp = min(limit, 0.5)
    expected = (ramp**2 / (2 * 0.5) + max(limit - 0.5, 0)) / limit
    found = float(aupro(rank_pixels([(mask, scores)]), limit=limit))
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("limit", [0.0, -0.1, 1.5, 30, float("nan")])
def test_a_limit_that_is_no_rate_is_refused(limit: float) -> None:
    pixels = rank_pixels([(np.array([[True, False]]), np.zeros((1, 2), np.float32))])
    with pytest.raises(MetricError, match="the limit is"):
        aupro(pixels, limit=limit)
