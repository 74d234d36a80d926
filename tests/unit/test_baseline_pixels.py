"""Images as they are: the extractor, the bank, and the floor that is fitted on them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pydantic import ValidationError

from adharness import Bag, ContractError, DataError, FeatureGrid, Grid, Pixels, Preprocess, Scores
from adharness.arrays import Float32, Float64, UInt8
from adharness.baselines.banks import PixelsBank, PixelsParams
from adharness.baselines.blocks import block_means, block_starts, even_starts
from adharness.baselines.mean_image import FittedMeanImage, MeanImage, MeanImageParams
from adharness.baselines.pixel_images import PixelImages, PixelImagesParams
from adharness.testing.states import assert_restores, spoiled
from adharness.testing.worlds import ToyFeatures


def pictures(count: int, height: int = 11, width: int = 14, seed: int = 0) -> UInt8:
    rng = np.random.default_rng([seed, height, width])
    return rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def remembered(images: UInt8) -> Pixels:
    return Pixels(ToyFeatures(images.astype(np.float32)))


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def fitted(images: UInt8, **params: Any) -> FittedMeanImage:
    return MeanImage(MeanImageParams(**params)).fit(remembered(images), rng())


def maps(scores: Scores) -> Float32:
    assert scores.patches is not None
    return scores.patches


# --- blocks -----------------------------------------------------------------------------------


def test_block_means_are_those_of_the_slices_also_where_the_last_is_shorter():
    images = pictures(2)
    rows, columns = block_starts(11, 4), block_starts(14, 4)
    found = block_means(images, rows, columns)
    assert found.shape == (2, 3, 4, 3)
    for i, top in enumerate(rows):
        for j, left in enumerate(columns):
            block = images[:, top : top + 4, left : left + 4].astype(np.float64)
            assert_allclose(found[:, i, j], block.mean(axis=(1, 2)), rtol=1e-14)


def test_even_blocks_differ_by_a_pixel_at_most_and_are_never_empty():
    for length in range(1, 40):
        sides = np.diff(even_starts(length, 8), append=length)
        assert sides.min() >= 1
        assert sides.max() - sides.min() <= 1
        assert len(sides) == min(8, length)


# --- the extractor ----------------------------------------------------------------------------


def test_the_patches_are_the_pixels_and_the_embedding_is_a_thumbnail_of_bytes():
    images = pictures(3, 16, 24)
    given = PixelImages(PixelImagesParams(resize=(16, 24))).extract(images)
    assert_array_equal(given.patches, images.astype(np.float32), strict=True)
    assert given.embeddings is not None
    assert given.embeddings.shape == (3, 8 * 8 * 3)
    assert given.embeddings.dtype == np.float32
    first = images[0, :2, :3].astype(np.float64).mean(axis=(0, 1))
    assert_array_equal(given.embeddings[0, :3], np.rint(first).astype(np.float32))
    assert_array_equal(given.embeddings, given.embeddings.astype(np.uint8))


def test_an_image_alone_gives_what_it_gives_in_a_batch():
    images, extractor = pictures(5), PixelImages(PixelImagesParams(resize=(11, 14)))
    whole = extractor.extract(images)
    assert whole.embeddings is not None
    for i in range(5):
        alone = extractor.extract(images[i : i + 1])
        assert alone.embeddings is not None
        assert_array_equal(alone.patches[0], whole.patches[i])
        assert_array_equal(alone.embeddings[0], whole.embeddings[i])


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 9), (8, 8)])
def test_small_images_have_as_many_blocks_as_they_have_pixels(height, width):
    given = PixelImages(PixelImagesParams(resize=(height, width))).extract(
        pictures(2, height, width)
    )
    assert given.embeddings is not None
    assert given.embeddings.shape == (2, min(8, height) * min(8, width) * 3)


def test_no_image_gives_no_pixel():
    given = PixelImages(PixelImagesParams(resize=16)).extract(np.zeros((0, 16, 16, 3), np.uint8))
    assert given.patches.shape == (0, 16, 16, 3)
    assert given.embeddings is not None
    assert given.embeddings.shape == (0, 192)


def test_the_resize_and_the_crop_are_asked_of_the_engine_as_other_extractors_do():
    params = PixelImagesParams(resize=64, crop=(32, 48), interpolation="bicubic")
    assert PixelImages(params).preprocess == Preprocess(64, 64, "bicubic", (32, 48))
    assert params.identity() == PixelImagesParams(
        resize=[64, 64], crop=[32, 48], interpolation="bicubic"
    ).identity()  # fmt: skip
    with pytest.raises(ValidationError, match="larger than resize"):
        PixelImagesParams(resize=32, crop=33)
    with pytest.raises(ContractError, match=r"images has shape \(1, 11, 14, 3\)"):
        PixelImages(params).extract(pictures(1))


# --- the bank ---------------------------------------------------------------------------------


def test_the_bank_hands_on_the_images_and_reads_none():
    features = ToyFeatures(pictures(4).astype(np.float32))
    memory = PixelsBank(PixelsParams()).reduce(features, rng())
    assert memory.kind == "pixels"
    assert memory.features is features


def test_the_bank_takes_a_few_images_and_turns_them():
    features = ToyFeatures(pictures(4, 8, 8).astype(np.float32))
    params = PixelsParams(shots=2, draw="block", block=1, rotations=2)
    memory = PixelsBank(params).reduce(features, rng())
    assert memory.features.count == 4
    read = memory.features.read(np.arange(4)).patches
    assert_array_equal(read[:2], features.patches[2:])
    assert_array_equal(read[2:], np.rot90(features.patches[2:], 2, axes=(1, 2)))


def test_the_bank_refuses_what_has_not_three_colours_and_no_image():
    with pytest.raises(ContractError, match="images of 3 colours, and these have 6"):
        PixelsBank(PixelsParams()).reduce(ToyFeatures(np.zeros((2, 2, 2, 6), np.float32)), rng())
    with pytest.raises(DataError, match="no training image"):
        PixelsBank(PixelsParams()).reduce(ToyFeatures(np.zeros((0, 2, 2, 3), np.float32)), rng())


# --- the floor --------------------------------------------------------------------------------


def brute(train: UInt8, image: UInt8, block: int, least: float) -> Float64:
    """The definition, block by block."""
    height, width = image.shape[:2]
    found = np.zeros((-(-height // block), -(-width // block)))
    for i, j in np.ndindex(found.shape):
        place = np.s_[..., i * block : (i + 1) * block, j * block : (j + 1) * block, :]
        seen = train[place].astype(np.float64).mean(axis=(1, 2))
        here = image[place].astype(np.float64).mean(axis=(0, 1))
        z = (here - seen.mean(axis=0)) / np.maximum(seen.std(axis=0), least)
        found[i, j] = np.sqrt(np.mean(z**2))
    return found


@pytest.mark.parametrize("block", [1, 4, 30])
def test_the_map_is_the_root_mean_square_of_z_over_the_colours(block):
    train, test = pictures(7), pictures(3, seed=1)
    found = maps(fitted(train, block_px=block).score(FeatureGrid(test.astype(np.float32))))
    assert found.dtype == np.float32
    for i in range(3):
        assert_allclose(found[i], brute(train, test[i], block, 1.0), rtol=1e-6)


def test_a_spot_that_no_training_image_has_scores_highest():
    train = pictures(20) // 8 + 100
    test = train[:1].copy()
    test[0, 4:8, 8:12] = 255
    found = maps(fitted(train).score(FeatureGrid(test.astype(np.float32))))[0]
    assert np.unravel_index(found.argmax(), found.shape) == (1, 2)
    assert found[1, 2] > 5 * np.delete(found, 1 * 4 + 2).max()


def test_images_that_are_all_equal_divide_by_the_least_deviation():
    train = np.full((3, 8, 8, 3), 100, np.uint8)
    test = np.full((1, 8, 8, 3), 106.0, np.float32)
    assert_allclose(maps(fitted(train).score(FeatureGrid(test))), 6.0)
    assert_allclose(maps(fitted(train, least_deviation=2.0).score(FeatureGrid(test))), 3.0)


def test_an_image_alone_scores_as_in_a_batch_and_no_input_is_changed():
    train, test = pictures(5), pictures(4, seed=2).astype(np.float32)
    test.setflags(write=False)
    scorer = fitted(train)
    whole = maps(scorer.score(FeatureGrid(test)))
    for i in range(4):
        assert_array_equal(maps(scorer.score(FeatureGrid(test[i : i + 1])))[0], whole[i])
    turned = np.asfortranarray(test)
    assert_array_equal(maps(scorer.score(FeatureGrid(turned))), whole)
    assert maps(scorer.score(FeatureGrid(test[:0]))).shape == (0, 3, 4)


def test_other_sizes_other_colours_and_nan_are_refused():
    scorer = fitted(pictures(3))
    with pytest.raises(ContractError, match=r"images to score has shape \(1, 8, 14, 3\)"):
        scorer.score(FeatureGrid(np.zeros((1, 8, 14, 3), np.float32)))
    with pytest.raises(ContractError, match="D = 4, the memory has D = 3"):
        scorer.score(FeatureGrid(np.zeros((1, 11, 14, 4), np.float32)))
    bad = np.zeros((2, 11, 14, 3), np.float32)
    bad[1, 2, 3, 0] = np.nan
    with pytest.raises(ContractError, match="image 1 hold 1 value"):
        scorer.score(FeatureGrid(bad))


def test_other_memories_and_empty_ones_are_refused():
    scorer, images = MeanImage(MeanImageParams()), ToyFeatures(pictures(2).astype(np.float32))
    bag = Bag(np.zeros((2, 3), np.float32), np.zeros(2, np.int64))
    for memory in (bag, Grid(images)):
        with pytest.raises(ContractError, match="fits on `pixels`, and the bank emitted"):
            scorer.fit(memory, rng())
    with pytest.raises(ContractError, match="the memory has no images"):
        scorer.fit(Pixels(ToyFeatures(images.patches[:0])), rng())
    with pytest.raises(ContractError, match="images have 5 colours, expected 3"):
        scorer.fit(Pixels(ToyFeatures(np.zeros((2, 4, 4, 5), np.float32))), rng())


def test_a_restored_floor_scores_the_same_and_spoiled_states_are_refused_by_name():
    scorer, test = MeanImage(MeanImageParams()), FeatureGrid(pictures(2, seed=3).astype(np.float32))
    made = scorer.fit(remembered(pictures(4)), rng())
    assert_restores(scorer, made, test)
    for what, name, state in spoiled(made.state()):
        with pytest.raises(ContractError, match=r"mean-image's (state|array)"):
            raise AssertionError(f"{what} {name} was taken: {scorer.restore(state)}")
    wrong = {
        "'size' is 0 x 14": {"size": np.array([0, 14])},
        r"has \(3, 4\) blocks, expected \(4, 4\)": {"size": np.array([13, 14])},
        "'deviation' holds a negative": {"deviation": -np.ones((3, 4, 3))},
    }
    for says, change in wrong.items():
        with pytest.raises(ContractError, match=says):
            scorer.restore({**made.state(), **change})
