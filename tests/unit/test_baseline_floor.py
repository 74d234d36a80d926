"""The numpy-only floor: random scores and pixel patches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from pydantic import ValidationError

from adharness import Bag, ContractError, FeatureGrid, Grid, Images, Scores
from adharness.arrays import Float32, Int64
from adharness.baselines.pixel_patches import PixelPatches, PixelPatchesParams
from adharness.baselines.random_scores import RandomScorer, RandomScoresParams


class TwoDimensional:
    """A feature set that only says how long its vectors are: all a floor may ask of it."""

    count, grid, dim, embedding_dim = 4, (3, 4), 2, None

    def read(self, images: Int64) -> FeatureGrid:
        raise AssertionError("the floor reads no training feature")

    def batches(self, size: int = 32) -> Iterator[FeatureGrid]:
        raise AssertionError("the floor reads no training feature")

    def rows(self, patches: Int64) -> Float32:
        raise AssertionError("the floor reads no training feature")


BAG = Bag(np.zeros((4, 2), np.float32), np.zeros(4, np.int64))


def floor(features: FeatureGrid, seed: int = 0, memory: Bag | Grid | Images = BAG) -> Scores:
    scorer = RandomScorer(RandomScoresParams()).fit(memory, np.random.default_rng(seed))
    return scorer.score(features)


def patches_of(scores: Scores) -> Float32:
    assert scores.patches is not None
    return scores.patches


def test_random_scores_do_not_change_when_the_batch_is_cut_differently() -> None:
    grids = FeatureGrid(np.random.default_rng(0).random((6, 3, 4, 2), dtype=np.float32))
    whole = floor(grids)
    assert whole.images is not None
    for image in range(6):
        alone = floor(FeatureGrid(grids.patches[image : image + 1]))
        assert alone.images is not None
        assert alone.images[0] == whole.images[image]
        assert_array_equal(patches_of(alone)[0], patches_of(whole)[image])


def test_random_scores_differ_between_images_and_between_seeds() -> None:
    grids = FeatureGrid(np.random.default_rng(0).random((6, 3, 4, 2), dtype=np.float32))
    images = floor(grids).images
    assert images is not None
    assert len(set(images.tolist())) == 6
    assert_array_equal(images, floor(grids).images)
    assert not np.array_equal(patches_of(floor(grids, 1)), patches_of(floor(grids, 2)))


def test_random_scores_have_the_shapes_of_the_contract_even_for_no_image() -> None:
    for count in (0, 3):
        scores = floor(FeatureGrid(np.zeros((count, 3, 4, 2), np.float32)))
        assert scores.images is not None
        assert scores.images.shape == (count,)
        assert patches_of(scores).shape == (count, 3, 4)
        assert scores.images.dtype == patches_of(scores).dtype == np.float32


def test_random_scores_are_uniform() -> None:
    grids = FeatureGrid(np.random.default_rng(0).random((200, 3, 4, 2), dtype=np.float32))
    drawn = patches_of(floor(grids))
    assert abs(drawn.mean() - 0.5) < 0.03
    assert abs(drawn.var() - 1 / 12) < 0.01


@pytest.mark.parametrize(
    ("patches", "message"),
    [
        (np.zeros((1, 3, 4, 5), np.float32), "shape"),
        (np.full((1, 3, 4, 2), np.nan, np.float32), "not finite"),
    ],
    ids=["another dim", "NaN"],
)
@pytest.mark.parametrize("memory", [BAG, Grid(TwoDimensional())], ids=["bag", "grid"])
def test_random_scores_refuse_what_the_memory_never_saw(
    patches: Float32, message: str, memory: Bag | Grid
) -> None:
    with pytest.raises(ContractError, match=message):
        floor(FeatureGrid(patches), memory=memory)


def test_random_scores_fitted_on_embeddings_check_embeddings() -> None:
    memory = Images(np.zeros((4, 3), np.float32))
    patches = np.zeros((1, 3, 4, 9), np.float32)
    assert (
        floor(FeatureGrid(patches, np.zeros((1, 3), np.float32)), memory=memory).images is not None
    )
    with pytest.raises(ContractError, match="without any"):
        floor(FeatureGrid(patches), memory=memory)
    with pytest.raises(ContractError, match="shape"):
        floor(FeatureGrid(patches, np.zeros((1, 4), np.float32)), memory=memory)


def pixels(resize: int = 8, patch_px: int = 4) -> PixelPatches:
    return PixelPatches(PixelPatchesParams(resize=resize, patch_px=patch_px))


def test_pixel_patches_are_the_mean_and_deviation_of_each_patch() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    features = pixels().extract(images)
    assert features.patches.shape == (2, 2, 2, 6)
    assert features.patches.dtype == np.float32
    patch = images[1, 4:8, 0:4].reshape(-1, 3) / 255  # row 1, column 0
    expected = np.concatenate([patch.mean(axis=0), patch.std(axis=0)])
    np.testing.assert_allclose(features.patches[1, 1, 0], expected, rtol=1e-6)
    assert features.embeddings is not None
    expected = features.patches[1].reshape(-1, 6).mean(axis=0)
    np.testing.assert_allclose(features.embeddings[1], expected, rtol=1e-6)


def test_pixel_patches_of_an_image_do_not_depend_on_its_batch() -> None:
    images = np.random.default_rng(0).integers(0, 256, (7, 64, 64, 3), dtype=np.uint8)
    extractor = pixels(64, 16)
    whole = extractor.extract(images)
    for image in range(7):
        alone = extractor.extract(images[image : image + 1])
        assert_array_equal(alone.patches[0], whole.patches[image])
        assert alone.embeddings is not None
        assert whole.embeddings is not None
        assert_array_equal(alone.embeddings[0], whole.embeddings[image])


@pytest.mark.parametrize("value", [0, 255])
def test_the_largest_patch_of_one_colour_has_no_deviation_and_does_not_overflow(value: int) -> None:
    images = np.full((1, 256, 256, 3), value, np.uint8)
    (row,) = pixels(256, 256).extract(images).patches.reshape(-1, 6)
    assert_array_equal(row, np.array([value / 255] * 3 + [0] * 3, np.float32))


def test_pixel_patches_take_no_image_and_refuse_another_size() -> None:
    features = pixels().extract(np.zeros((0, 8, 8, 3), np.uint8))
    assert features.patches.shape == (0, 2, 2, 6)
    assert features.embeddings is not None
    assert features.embeddings.shape == (0, 6)
    with pytest.raises(ContractError, match=r"shape \(1, 9, 8, 3\), expected \(\*, 8, 8, 3\)"):
        pixels().extract(np.zeros((1, 9, 8, 3), np.uint8))


def test_a_patch_size_that_does_not_divide_the_input_is_refused() -> None:
    with pytest.raises(ValidationError, match="patch_px 3 does not divide resize 8"):
        PixelPatchesParams(resize=8, patch_px=3)


def test_the_resize_of_pixel_patches_is_a_square() -> None:
    preprocess = pixels(64, 16).preprocess
    assert (preprocess.height, preprocess.width) == (64, 64)
    assert pixels().fingerprint() == pixels(64, 16).fingerprint()
