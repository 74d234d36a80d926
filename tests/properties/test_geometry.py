"""Geometry: a spot painted in a native image is found where it was painted, however it is seen.

The extractor sees truly: a patch is the mean of the pixels of its own part of the input. So what is
off is the engine's doing. Half a patch is what a grid can tell at best; a spot is itself some
pixels wide, and a peak lies on a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adharness import ContentHash, FeatureGrid, Preprocess, Sample, Tile
from adharness.contracts import padding
from adharness.engine.extract import extracted
from adharness.engine.extraction_job import ExtractionJob
from adharness.engine.scored_maps import RawMaps

GREY = 40


@dataclass
class Spots:
    """Grey images, each with a white spot; of any sizes."""

    sizes: list[tuple[int, int]]
    spots: list[tuple[slice, slice]]
    licence: None = None

    def image(self, sample: Sample) -> np.ndarray:
        i = int(sample.path)
        image = np.full((*self.sizes[i], 3), GREY, np.uint8)
        image[self.spots[i]] = 255
        return image


@dataclass
class Means:
    """Mean of each cell of a grid over the input; the grid need not divide it."""

    preprocess: Preprocess
    grid: tuple[int, int]
    calls: list[tuple[int, ...]] = field(default_factory=list)

    def fingerprint(self) -> str:
        return "means"

    def extract(self, images: np.ndarray) -> FeatureGrid:
        self.calls.append(images.shape)
        assert images.shape[1:3] == self.preprocess.input_size
        values = images[..., 0].astype(np.float64)
        for axis, count in ((1, self.grid[0]), (2, self.grid[1])):
            values = cells(values, axis, count)
        return FeatureGrid(values[..., np.newaxis].astype(np.float32))


def cells(values: np.ndarray, axis: int, count: int) -> np.ndarray:
    """Mean over each of `count` equal parts of an axis; a pixel may lie in two of them."""
    ends = np.linspace(0, values.shape[axis], count + 1)
    sums = np.insert(np.cumsum(values, axis), 0, 0, axis)
    low = np.floor(ends).astype(int)
    high = np.minimum(low + 1, values.shape[axis])
    shape = [1] * values.ndim
    shape[axis] = -1
    part = (ends - low).reshape(shape)
    at = np.take(sums, low, axis) * (1 - part) + np.take(sums, high, axis) * part
    return np.diff(at, axis=axis) * (count / values.shape[axis])


def maps_of(extractor: Means, data: Spots, smooth_px: float = 0.0) -> list[np.ndarray]:
    """Maps of how much each pixel differs from the grey, as a run draws them."""
    count = len(data.sizes)
    samples = [Sample(str(i), "c", "test", 1) for i in range(count)]
    hashes = [ContentHash(str(i), None) for i in range(count)]
    job = ExtractionJob(data, samples, hashes, extractor, {"use": "means"}, "fail")  # type: ignore[arg-type]
    found, seen = [], extractor.preprocess
    for _, grid, batch in extracted(job):
        scores = np.abs(grid.patches[: len(batch.sizes), ..., 0] - GREY)
        drawing = (seen.seen_size, smooth_px, "bilinear", seen.margins, seen.pad)
        maps = RawMaps(scores, batch.sizes, *drawing)  # type: ignore[arg-type]
        found += [maps.read(i) for i in range(len(batch.sizes))]
    return found


def off(drawn: np.ndarray, middle: list[float], axis: int) -> tuple[float, float]:
    """How far the highest pixels lie from a place along an axis: the nearest, and the farthest.

    At the border of the image a peak is flat: half a patch there has no neighbour to fall off to.
    Its first pixel, mixed with what lies before it, may be a thousandth lower.
    """
    highest = np.argwhere(drawn >= drawn.max() * 0.999)[:, axis] + 0.5
    return float(np.abs(highest - middle[axis]).min()), float(np.abs(highest - middle[axis]).max())


def patch_px(extractor: Means, native: tuple[int, int]) -> list[float]:
    """Size of a patch in native pixels, (height, width)."""
    seen = extractor.preprocess
    resized = [seen.height, seen.width]
    if seen.pad:
        top, bottom, left, right = padding(native, (seen.height, seen.width))
        resized = [seen.height - top - bottom, seen.width - left - right]
    return [
        seen.input_size[axis] / extractor.grid[axis] * native[axis] / resized[axis]
        for axis in (0, 1)
    ]


SIDES = st.integers(31, 301)


@st.composite
def preprocessings(draw: st.DrawFn) -> Preprocess:
    """Any of resize, crop, pad and tile, together or alone, odd and even, square or not."""
    height, width = draw(st.integers(30, 160)), draw(st.integers(30, 160))
    crop = None
    if draw(st.booleans()):
        crop = (height - draw(st.integers(0, 9)), width - draw(st.integers(0, 9)))
    return Preprocess(height, width, draw(st.sampled_from(["bilinear", "bicubic"])), crop,
                      draw(st.booleans()))  # fmt: skip


@st.composite
def tilings(draw: st.DrawFn) -> tuple[Preprocess, tuple[int, int]]:
    """Tiles of whole patches over whole patches; the last tile may share more than the others."""
    patch, sides, seen = draw(st.integers(4, 12)), [], []
    tile = draw(st.integers(3, 6)), draw(st.integers(3, 6))
    overlap = draw(st.integers(0, min(tile) - 1))
    for patches in tile:
        seen.append(patch * (patches + draw(st.integers(0, 9))))
        sides.append(seen[-1] + draw(st.integers(0, 7)))
    blend = draw(st.sampled_from(["linear", "nearest"]))
    cut = Tile(patch * tile[0], patch * tile[1], patch * overlap, blend)
    pad = draw(st.booleans())
    return Preprocess(sides[0], sides[1], "bilinear", (seen[0], seen[1]), pad, cut), tile


def found_where_it_was(extractor: Means, native: tuple[int, int], data: st.DataObject) -> None:
    seen = extractor.preprocess
    sizes = patch_px(extractor, native)
    spot = []
    for axis in (0, 1):
        # Within what is seen, a patch from its border: the middle of a spot that is cut off moved.
        frame = padding(native, (seen.height, seen.width)) if seen.pad else (0, 0, 0, 0)
        resized = (seen.height, seen.width)[axis] - frame[2 * axis] - frame[2 * axis + 1]
        scale = native[axis] / resized
        first = max(seen.margins[2 * axis] - frame[2 * axis], 0) * scale
        last = native[axis] - max(seen.margins[2 * axis + 1] - frame[2 * axis + 1], 0) * scale
        long = max(round(sizes[axis]), 1)
        low, high = int(np.ceil(first)), int(last) - long
        if high < low:
            return
        at = data.draw(st.integers(low, high))
        spot.append(slice(at, at + long))
    (drawn,) = maps_of(extractor, Spots([native], [(spot[0], spot[1])]))
    assert drawn.shape == native
    middle = [(side.start + side.stop) / 2 for side in spot]
    for axis in (0, 1):
        nearest, farthest = off(drawn, middle, axis)
        # Each of the two resizes from the grid mixes a pixel with the next: of both sizes one more.
        rounding = 1.0 + native[axis] / (seen.height, seen.width)[axis]
        assert nearest <= 0.5 * sizes[axis] + rounding
        assert farthest <= sizes[axis] + rounding


@given(preprocessings(), st.tuples(SIDES, SIDES), st.data())
@settings(max_examples=150, deadline=None)
def test_a_spot_is_found_within_half_a_patch(seen, native, data):
    grid = tuple(data.draw(st.integers(3, max(side // 6, 3))) for side in seen.input_size)
    found_where_it_was(Means(seen, grid), native, data)


@given(tilings(), st.tuples(SIDES, SIDES), st.data())
@settings(max_examples=150, deadline=None)
def test_a_spot_seen_in_tiles_is_found_within_half_a_patch(tiling, native, data):
    found_where_it_was(Means(*tiling), native, data)


@pytest.mark.parametrize("pad", [False, True])
def test_images_of_one_class_may_have_different_shapes(pad):
    sizes = [(50, 50), (33, 91), (120, 31), (50, 50)]
    spots = [(slice(h // 4, h // 4 + h // 10), slice(w // 2, w // 2 + w // 10)) for h, w in sizes]
    seen = Preprocess(64, 96, pad=pad, tile=Tile(32, 32, 16))
    extractor = Means(seen, (8, 8))
    for native, spot, drawn in zip(
        sizes, spots, maps_of(extractor, Spots(sizes, spots)), strict=True
    ):
        assert drawn.shape == native
        allowed = np.array(patch_px(extractor, native)) * 0.5 + 1.5
        middle = [(s.start + s.stop) / 2 for s in spot]
        assert all(off(drawn, middle, axis)[0] <= allowed[axis] for axis in (0, 1))
    assert {shape[0] for shape in extractor.calls} == {16}


def test_a_padded_image_keeps_its_shape_and_its_edges_are_repeated():
    from adharness.data import resize_image

    native = np.zeros((10, 20, 3), np.uint8)
    native[0], native[-1] = 100, 200
    seen = resize_image(native, Preprocess(20, 20, pad=True))
    assert (seen[:5] == 100).all()
    assert (seen[-5:] == 200).all()
    np.testing.assert_array_equal(seen[5:15], native)
