"""Thresholders of pixels, on the maps of normal images."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pydantic import ValidationError

from adharness import DataError
from adharness_thresholds import (
    FIXED,
    MAX_NORMAL,
    MEAN_STD,
    MEDIAN_MAD,
    QUANTILE,
    REGION_AREA,
    FixedParams,
    MaxNormalParams,
    MeanStdParams,
    MedianMadParams,
    QuantileParams,
    RegionAreaParams,
)
from adharness_thresholds.order import lowest_covering, pixel_median, rank_of
from adharness_thresholds.regions import largest_region

RULES = {
    "max-normal": lambda: MAX_NORMAL.make(MaxNormalParams()),
    "mean-std": lambda: MEAN_STD.make(MeanStdParams()),
    "median-mad": lambda: MEDIAN_MAD.make(MedianMadParams()),
    "quantile": lambda: QUANTILE.make(QuantileParams(q=0.8)),
    "region-area": lambda: REGION_AREA.make(RegionAreaParams(min_area_px=2)),
}
every = pytest.mark.parametrize("name", sorted(RULES))
PIXELS = st.integers(-20, 20).map(lambda i: i / 4)
MAPS = st.lists(
    arrays.arrays(np.float32, st.tuples(st.integers(2, 5), st.integers(2, 5)), elements=PIXELS),
    min_size=1,
    max_size=8,
)


@every
@given(maps=MAPS, shift=st.integers(-9, 9), power=st.integers(-3, 3))
def test_shifting_and_scaling_the_maps_shifts_and_scales_the_threshold(name, maps, shift, power):
    moved = [one * np.float32(2.0**power) + np.float32(shift) for one in maps]  # exact
    expected = RULES[name]().pixel_threshold(maps).value * 2.0**power + shift
    assert RULES[name]().pixel_threshold(moved).value == pytest.approx(expected, abs=1e-9)


@every
@given(maps=MAPS, data=st.data())
def test_the_order_of_the_maps_and_their_orientation_do_not_matter(name, maps, data):
    order = data.draw(st.permutations(range(len(maps))))
    turned = [np.rot90(maps[i]) for i in order]
    one = RULES[name]().pixel_threshold(maps)
    other = RULES[name]().pixel_threshold(turned)
    assert one.value == pytest.approx(other.value, rel=1e-12, abs=1e-12)
    assert (one.normals, one.note) == (len(maps), other.note)


@every
def test_equal_pixels_give_their_value(name):
    assert RULES[name]().pixel_threshold([np.full((3, 3), 0.5, np.float32)] * 4).value == 0.5


@every
def test_no_map_and_a_pixel_that_is_not_finite_are_refused(name):
    with pytest.raises(DataError, match="no map"):
        RULES[name]().pixel_threshold([])
    for wrong in (math.nan, math.inf):
        with pytest.raises(DataError, match="not finite"):
            RULES[name]().pixel_threshold([np.array([[1, 2], [wrong, 0]], np.float32)])
    with pytest.raises(DataError, match="no pixel"):
        RULES[name]().pixel_threshold([np.zeros((0, 3), np.float32)])


@given(maps=MAPS, data=st.data())
def test_order_statistics_in_two_readings_are_those_of_the_sorted_pixels(maps, data):
    together = np.sort(np.concatenate([one.ravel() for one in maps]))
    rank = data.draw(st.integers(1, len(together)))
    assert rank_of(lambda: maps, rank) == together[rank - 1]
    assert pixel_median(lambda: maps) == np.median(together.astype(np.float64))


def test_order_statistics_hold_for_floats_of_every_size_and_sign():
    rng = np.random.default_rng(3)
    bits = rng.integers(0, 2**32, 4000, dtype=np.uint32).view(np.float32)
    pixels = bits[np.isfinite(bits)]
    maps = [pixels[:1000].reshape(20, 50), pixels[1000:].reshape(1, -1)]
    expected = np.sort(pixels)
    for rank in (1, 2, 1700, len(pixels) - 1, len(pixels)):
        assert rank_of(lambda: maps, rank) == expected[rank - 1]


@given(maps=MAPS, share=st.fractions(0, 1))
def test_the_value_found_covers_the_share_and_no_lower_pixel_does(maps, share):
    wanted = share * len(maps)

    def covered(value):
        return sum(Fraction(int((one <= value).sum()), one.size) for one in maps)

    value = lowest_covering(lambda: maps, wanted)
    near = Fraction(1, 10**9)  # sizes differ: the sum is rounded
    assert covered(value) >= wanted - near
    lower = [p for one in maps for p in one.ravel().tolist() if p < value]
    assert not lower or covered(max(lower)) <= wanted + near


def test_the_quantile_of_one_pixel_an_image_is_that_of_scores():
    from adharness import Calibration

    scores = np.random.default_rng(2).permutation(40).astype(np.float32)
    rule = RULES["quantile"]()
    one_each = rule.pixel_threshold([np.array([[s]], np.float32) for s in scores])
    assert one_each.value == rule.threshold(Calibration(scores.astype(np.float64))).value


def test_too_few_maps_for_the_level_give_the_highest_pixel_and_say_so():
    found = RULES["quantile"]().pixel_threshold([np.eye(3, dtype=np.float32)] * 3)
    assert found.value == 1.0
    assert found.note is not None
    assert "level 0.8 needs 4" in found.note
    assert RULES["quantile"]().pixel_threshold([np.eye(3, dtype=np.float32)] * 4).note is None


@given(maps=MAPS, area=st.integers(1, 4))
def test_no_region_of_the_area_is_left_and_any_lower_threshold_leaves_one(maps, area):
    found = REGION_AREA.make(RegionAreaParams(min_area_px=area)).pixel_threshold(maps).value
    assert max(largest_region(one, found) for one in maps) < area
    lower = [p for one in maps for p in one.ravel().tolist() if p < found]
    below = max(lower) if lower else found - 1
    assert max(largest_region(one, below) for one in maps) >= area


def test_regions_are_counted_with_their_corners():
    diagonal = np.eye(3, dtype=np.float32)
    assert largest_region(diagonal, 0.5) == 3
    assert largest_region(diagonal, 1.0) == 0  # strictly above


def test_an_area_beyond_the_map_is_refused():
    rule = REGION_AREA.make(RegionAreaParams(min_area_px=10))
    with pytest.raises(DataError, match="3 x 3 pixels has no region of 10"):
        rule.pixel_threshold([np.zeros((3, 3), np.float32)])


def test_region_area_has_no_default_for_an_area_that_only_its_user_knows():
    with pytest.raises(ValidationError):
        RegionAreaParams()
    with pytest.raises(ValidationError):
        RegionAreaParams(min_area_px=0)


def test_fixed_reads_no_map():
    found = FIXED.make(FixedParams(value=0.25)).pixel_threshold([])
    assert (found.value, found.normals) == (0.25, 0)
