"""From patch scores to a map: nothing moves, nothing is invented."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adharness import Preprocess
from adharness.data import resize_image
from adharness.errors import ContractError
from adharness.maps import draw_map, resize_map

SIDES = st.integers(9, 61)
GRIDS = st.tuples(st.integers(2, 8), st.integers(2, 8))


@st.composite
def geometries(draw: st.DrawFn) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """A grid, an input size of whole patches, and any native size."""
    grid = draw(GRIDS)
    patch = draw(st.integers(2, 7))
    native = (draw(SIDES), draw(SIDES))
    return grid, (grid[0] * patch, grid[1] * patch), native


@given(geometries(), st.sampled_from([0.0, 1.5, 4.0]), st.floats(-5, 5, width=32))
@settings(max_examples=40, deadline=None)
def test_a_constant_stays_constant(geometry, smooth_px, level):
    grid, size, native = geometry
    scores = np.full(grid, level, np.float32)
    drawn = draw_map(scores, input_size=size, native_size=native, smooth_px=smooth_px)
    assert drawn.shape == native
    assert drawn.dtype == np.float32
    np.testing.assert_allclose(drawn, level, rtol=1e-5, atol=1e-6)


@given(geometries(), st.sampled_from([0.0, 1.0]), st.data())
@settings(max_examples=60, deadline=None)
def test_one_odd_patch_lands_within_half_a_patch_of_where_it_was_seen(geometry, smooth_px, data):
    grid, size, native = geometry
    place = tuple(data.draw(st.integers(0, side - 1)) for side in grid)
    scores = np.zeros(grid, np.float32)
    scores[place] = 1.0
    drawn = draw_map(scores, input_size=size, native_size=native, smooth_px=smooth_px)
    highest = np.argwhere(drawn >= drawn.max() * 0.999).mean(axis=0) + 0.5
    for found, row, patches, side in zip(highest, place, grid, native, strict=True):
        patch_px = side / patches
        assert abs(found - (row + 0.5) * patch_px) <= 0.5 * max(patch_px, 1.0) + 1e-6


@given(geometries(), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 2.0]))
@settings(max_examples=30, deadline=None)
def test_a_map_is_linear_in_its_scores_and_follows_flips(geometry, seed, smooth_px):
    grid, size, native = geometry
    first, second = np.random.default_rng(seed).normal(size=(2, *grid)).astype(np.float32)

    def draw(scores):
        return draw_map(scores, input_size=size, native_size=native, smooth_px=smooth_px)

    together = draw(2 * first - 3 * second)
    np.testing.assert_allclose(together, 2 * draw(first) - 3 * draw(second), atol=1e-4)
    for axis in (0, 1):
        np.testing.assert_allclose(
            draw(np.flip(first, axis)), np.flip(draw(first), axis), atol=1e-4
        )


@st.composite
def cropped(draw: st.DrawFn) -> tuple[tuple[int, int], Preprocess, tuple[int, int]]:
    """A grid of whole patches over the middle of a larger picture of any shape, even or odd."""
    grid, size, native = draw(geometries())
    height, width = (side + draw(st.integers(0, 15)) for side in size)
    return grid, Preprocess(height, width, crop=size), native


@given(cropped(), st.sampled_from([0.0, 1.0]), st.data())
@settings(max_examples=80, deadline=None)
def test_of_a_cropped_input_a_patch_lands_where_it_was_seen(geometry, smooth_px, data):
    grid, preprocess, native = geometry
    place = tuple(data.draw(st.integers(0, side - 1)) for side in grid)
    scores = np.zeros(grid, np.float32)
    scores[place] = 1.0
    drawn = draw_map(
        scores,
        input_size=preprocess.input_size,
        native_size=native,
        smooth_px=smooth_px,
        margins=preprocess.margins,
    )
    assert drawn.shape == native
    highest = np.argwhere(drawn >= drawn.max() * 0.999).mean(axis=0) + 0.5
    resized = (preprocess.height, preprocess.width)
    for axis in (0, 1):
        scale = native[axis] / resized[axis]
        patch_px = preprocess.input_size[axis] / grid[axis]
        expected = preprocess.margins[2 * axis] + (place[axis] + 0.5) * patch_px
        # half a patch, and half a native pixel more: a peak can only lie on a pixel
        assert abs(highest[axis] - expected * scale) <= 0.5 * (patch_px * scale + 1.0) + 1e-6


def test_a_cropped_map_lies_over_the_very_pixels_that_were_seen():
    native = np.arange(33 * 41 * 3, dtype=np.uint32).reshape(33, 41, 3).astype(np.uint8)
    preprocess = Preprocess(33, 41, crop=(8, 12))
    seen = resize_image(native, preprocess)[..., 0].astype(np.float32)
    drawn = draw_map(
        seen,
        input_size=preprocess.input_size,
        native_size=(33, 41),
        smooth_px=0,
        margins=preprocess.margins,
    )
    top, bottom, left, right = preprocess.margins
    inside = np.s_[top : 33 - bottom, left : 41 - right]
    np.testing.assert_array_equal(drawn[inside], native[..., 0][inside])


def test_what_a_crop_left_unseen_gets_the_lowest_score_of_the_image():
    scores = np.array([[-2.0, 3.0], [5.0, -1.0]], np.float32)
    drawn = draw_map(
        scores, input_size=(2, 2), native_size=(5, 4), smooth_px=0, margins=(1, 2, 0, 2)
    )
    expected = np.full((5, 4), -2, np.float32)
    expected[1:3, 0:2] = scores
    np.testing.assert_array_equal(drawn, expected)


def test_without_smoothing_and_at_its_own_size_a_map_is_the_scores():
    scores = np.arange(12, dtype=np.float32).reshape(3, 4)
    drawn = draw_map(scores, input_size=(3, 4), native_size=(3, 4), smooth_px=0)
    np.testing.assert_array_equal(drawn, scores)


def test_smoothing_spreads_a_peak_and_keeps_its_sum():
    scores = np.zeros((41, 41), np.float32)
    scores[20, 20] = 1.0
    drawn = draw_map(scores, input_size=(41, 41), native_size=(41, 41), smooth_px=4.0)
    assert drawn.max() == pytest.approx(1 / (2 * np.pi * 16), rel=0.02)
    assert drawn.sum() == pytest.approx(1.0, abs=0.01)


def test_scores_of_several_images_are_refused():
    with pytest.raises(ContractError, match="patch scores has shape"):
        resize_map(np.zeros((1, 3, 4), np.float32), (6, 8))
