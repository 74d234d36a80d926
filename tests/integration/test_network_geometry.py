"""Tiles of real networks against the whole image, and where their patches look."""

from __future__ import annotations

import numpy as np
import pytest

from adharness import ContentHash, FeatureGrid, Sample
from adharness.data import resize_image
from adharness.engine.extract import extracted
from adharness.engine.extraction_job import ExtractionJob
from adharness.maps import draw_map
from adharness.registry import discover

pytestmark = pytest.mark.timeout(90)  # it imports torch
SIZE = (160, 224)
TILE = {"size": 96, "overlap": 32}
# The deepest layer whose patches see no farther than half the overlap.
SHALLOW = {"model": "test_resnet", "weights": "random", "layers": [1], "neighbourhood": 1}
REACH_PX = 16


@pytest.fixture(scope="module")
def make():
    """Extractors `timm` by their params, each built once."""
    spec, built = discover().find("extractor", "timm").spec, {}

    def made(**fields):
        params = spec.params(**fields, device="cpu")
        key = params.model_dump_json()
        if key not in built:
            built[key] = spec.make(params)
        return built[key]

    return made


class One:
    """A data set of one image."""

    licence = None

    def __init__(self, image):
        self.pixels = image

    def image(self, sample):
        return self.pixels


def features(extractor, image):
    samples, hashes = [Sample("0", "c", "test", 0)], [ContentHash("0", None)]
    job = ExtractionJob(One(image), samples, hashes, extractor, {"use": "timm"}, "fail")
    ((_, grid, batch),) = extracted(job)
    assert batch.sizes == [image.shape[:2]]
    # Behind the image a batch is filled up.
    return FeatureGrid(grid.patches[:1], grid.embeddings[:1])


@pytest.fixture(scope="module")
def picture():
    """Noise of several sizes, (170, 200): resized to what the tests see."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 160, (34, 40, 3)).repeat(5, 0).repeat(5, 1)
    return (coarse + rng.integers(0, 90, coarse.shape)).astype(np.uint8)


def far_from_borders(size, tile, patch):
    """Patches (h, w) that lie farther than the reach from every border of a tile inside."""
    keeps = []
    for starts, side, long in zip(tile.starts(size), size, (tile.height, tile.width), strict=True):
        middles = (np.arange(side // patch) + 0.5) * patch
        inner = {s for s in starts if s} | {s + long for s in starts if s + long < side}
        keeps.append(np.all([abs(middles - at) > REACH_PX + patch for at in inner], axis=0))
    return np.logical_and.outer(*keeps)


def test_tiles_and_the_whole_agree_away_from_the_borders_of_tiles(make, picture):
    whole = features(make(**SHALLOW, resize=SIZE), picture)
    extractor = make(**SHALLOW, resize=SIZE, tile=TILE)
    tiled = features(extractor, picture)
    assert tiled.patches.shape == whole.patches.shape
    off = np.abs(tiled.patches - whole.patches)[0].max(axis=-1) / np.abs(whole.patches).max()
    patch = SIZE[0] // whole.patches.shape[1]
    far = far_from_borders(SIZE, extractor.preprocess.tile, patch)
    assert 0.2 < far.mean() < 0.8
    assert off[far].max() < 1e-5
    assert off[~far].max() > 1e-3, "near a border a tile sees its padding: the test sees tiles"


def test_maps_of_tiles_and_of_the_whole_agree_away_from_the_borders_of_tiles(make, picture):
    drawn = []
    for tile in (None, TILE):
        extractor = make(**SHALLOW, resize=SIZE, tile=tile)
        scores = features(extractor, picture).patches[0].std(axis=-1)
        drawn.append(
            draw_map(scores, input_size=SIZE, native_size=picture.shape[:2], smooth_px=2.0)
        )
    tile = extractor.preprocess.tile
    patch = SIZE[0] // scores.shape[0]
    far = far_from_borders(SIZE, tile, patch).repeat(patch, 0).repeat(patch, 1)
    from scipy.ndimage import binary_erosion

    far = binary_erosion(far, iterations=10, border_value=1)  # the Gaussian, and the resize
    from PIL import Image

    size = (picture.shape[1], picture.shape[0])
    native = np.asarray(Image.fromarray(far).resize(size, Image.Resampling.NEAREST))
    span = np.ptp(drawn[0])
    assert native.mean() > 0.05
    assert np.abs(drawn[0] - drawn[1])[native].max() / span < 1e-3
    assert np.abs(drawn[0] - drawn[1]).max() / span < 0.5, "no seam is as high as what is found"


def test_the_nearest_tile_agrees_everywhere_where_half_the_overlap_is_enough(make, picture):
    whole = features(make(**SHALLOW, resize=SIZE), picture)
    tiled = features(make(**SHALLOW, resize=SIZE, tile={**TILE, "blend": "nearest"}), picture)
    assert np.abs(tiled.patches - whole.patches).max() / np.abs(whole.patches).max() < 1e-5


def test_a_tile_that_is_the_image_changes_nothing(make, picture):
    whole = features(make(**SHALLOW, resize=96), picture)
    tiled = features(make(**SHALLOW, resize=96, tile={"size": 96}), picture)
    np.testing.assert_array_equal(tiled.patches, whole.patches)
    np.testing.assert_allclose(tiled.embeddings, whole.embeddings, rtol=1e-6)


def centres_off(extractor, native, seed=0, spots=12):
    """How far spots are found from where they are, in patches: mean over spots, (row, column).

    A spot is found at the centre of mass of what it changes in the features.
    """
    rng, seen = np.random.default_rng(seed), extractor.preprocess
    clean = rng.integers(100, 140, (native[0] // 4 + 1, native[1] // 4 + 1, 3))
    clean = clean.repeat(4, 0).repeat(4, 1)[: native[0], : native[1]].astype(np.uint8)
    before = features(extractor, clean).patches[0]
    patch = [native[a] / before.shape[a] for a in (0, 1)]
    found = []
    for _ in range(spots):
        image = clean.copy()
        y, x = (int(rng.integers(2 * p, n - 2 * p)) for p, n in zip(patch, native, strict=True))
        image[y : y + 4, x : x + 4] = 255
        change = np.linalg.norm(features(extractor, image).patches[0] - before, axis=-1) ** 2
        size = seen.seen_size
        drawn = draw_map(change, input_size=size, native_size=native, smooth_px=0, pad=seen.pad)
        rows, columns = (np.arange(n) + 0.5 for n in native)
        at = (drawn.sum(1) @ rows / drawn.sum(), drawn.sum(0) @ columns / drawn.sum())
        found.append([(at[0] - y - 2) / patch[0], (at[1] - x - 2) / patch[1]])
    return np.mean(found, axis=0)


@pytest.mark.slow
def test_resnets_look_up_and_left_by_less_than_half_a_patch(make):
    """3.5 of 8 pixels; `docs/features.md` says why, and that published methods draw as we do."""
    net = {"model": "resnet18", "weights": "random", "layers": [2], "neighbourhood": 1}
    off = centres_off(make(**net, resize=256), (211, 300))
    assert (off > 0.25).all()
    assert (off < 0.55).all()


@pytest.mark.slow
@pytest.mark.parametrize("fields", [
    {},
    {"tile": {"size": 128, "overlap": 64}},
    {"pad": True},
], ids=["squashed", "tiled", "padded"])  # fmt: skip
def test_lite0_finds_spots_of_a_native_image_where_they_are(make, fields):
    extractor = make(layers=[2], neighbourhood=1, resize=256, **fields)
    assert np.abs(centres_off(extractor, (211, 300))).max() < 0.25
    assert resize_image(np.zeros((211, 300, 3), np.uint8), extractor.preprocess).shape[0] == 256
