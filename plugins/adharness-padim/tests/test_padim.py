from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import adharness_padim
from adharness import Bag, ContractError, FeatureGrid, Grid, Scorer
from adharness.testing.worlds import ToyFeatures, toy_world
from adharness_padim import PADIM, PadimParams, stripes

PARITY = Path(__file__).parent / "parity" / "anomalib_gaussian.npz"


def normals(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


def fitted(patches, seed=0, **params):
    memory = Grid(ToyFeatures(patches))
    return PADIM.make(PadimParams(**params)).fit(memory, np.random.default_rng(seed))


def one_position_at_a_time(train, test, dims, epsilon):
    train, test = train[..., dims].astype(np.float64), test[..., dims].astype(np.float64)
    scores = np.empty(test.shape[:3])
    for row, column in np.ndindex(*test.shape[1:3]):
        mean = train[:, row, column].mean(axis=0)
        covariance = np.cov(train[:, row, column], rowvar=False).reshape(len(dims), len(dims))
        precision = np.linalg.inv(covariance + epsilon * np.eye(len(dims)))
        for image in range(len(test)):
            gap = test[image, row, column] - mean
            scores[image, row, column] = np.sqrt(gap @ precision @ gap)
    return scores


@pytest.mark.parametrize(
    ("images", "dims"), [(30, 5), (30, "all"), (4, 7), (2, 1), (2, 4), (3, "all"), (4, "all")]
)
def test_scores_equal_a_loop_over_positions_even_with_fewer_images_than_features(images, dims):
    rng = np.random.default_rng(1)
    train, test = normals(rng, images, 3, 4, 9) + 5, normals(rng, 4, 3, 4, 9) + 5
    scorer = fitted(train, dims=dims)
    scores = scorer.score(FeatureGrid(test))
    assert scores.images is None
    assert scores.patches.dtype == np.float32
    expected = one_position_at_a_time(train, test, scorer.dims, 0.01)
    np.testing.assert_allclose(scores.patches, expected, rtol=1e-5)


def test_blocks_of_positions_and_batches_of_images_change_nothing(monkeypatch):
    rng = np.random.default_rng(2)
    train, test = normals(rng, 20, 5, 5, 6), FeatureGrid(normals(rng, 3, 5, 5, 6))
    whole = fitted(train, dims=4).score(test).patches
    monkeypatch.setattr(stripes, "BLOCK_VALUES", 100)
    monkeypatch.setattr(stripes, "CHUNK_VALUES", 100)
    np.testing.assert_allclose(fitted(train, dims=4).score(test).patches, whole, rtol=1e-6)


@pytest.mark.parametrize("images", [6, 30])
def test_stripes_of_one_position_change_nothing(monkeypatch, images):
    rng = np.random.default_rng(12)
    train, test = normals(rng, images, 2, 3, 20), FeatureGrid(normals(rng, 3, 2, 3, 20))
    whole = fitted(train, dims=12).score(test).patches
    monkeypatch.setattr(stripes, "BLOCK_VALUES", 1)
    monkeypatch.setattr(stripes, "CHUNK_VALUES", 1)
    np.testing.assert_allclose(fitted(train, dims=12).score(test).patches, whole, rtol=1e-6)


@pytest.mark.parametrize("dims", [1, 2, 63, 64, 65, 130, "all"])
@pytest.mark.parametrize("images", [2, 40, 70, 150])
def test_both_forms_of_the_inverse_equal_the_inverse_at_any_width(dims, images):
    rng = np.random.default_rng(13)
    train, test = normals(rng, images, 1, 2, 140) * 3, normals(rng, 2, 1, 2, 140) * 3
    scorer = fitted(train, dims=dims)
    expected = one_position_at_a_time(train, test, scorer.dims, 0.01)
    np.testing.assert_allclose(scorer.score(FeatureGrid(test)).patches, expected, rtol=1e-5)


def test_few_images_are_kept_in_the_smaller_form():
    train = normals(np.random.default_rng(14), 9, 1, 2, 20)
    forms = {d: type(fitted(train, dims=d).gaussians.inverse).__name__ for d in (8, 9)}
    assert forms == {8: "Triangles", 9: "Gram"}
    sizes = {
        dims: sum(
            part.nbytes
            for part in vars(fitted(train, dims=dims).gaussians.inverse).values()
            if isinstance(part, np.ndarray)
        )
        for dims in (8, 9)
    }
    assert sizes == {8: 8 * 2 * 8 * 8, 9: 8 * 2 * 9 * 9}


@pytest.mark.parametrize("dims", [3, "all"])
def test_duplicate_images_give_the_gaussian_of_their_covariance(dims):
    rng = np.random.default_rng(15)
    train = np.repeat(normals(rng, 3, 2, 2, 12), 2, axis=0)
    test = normals(rng, 2, 2, 2, 12)
    scorer = fitted(train, dims=dims)
    expected = one_position_at_a_time(train, test, scorer.dims, 0.01)
    np.testing.assert_allclose(scorer.score(FeatureGrid(test)).patches, expected, rtol=1e-5)


@pytest.mark.parametrize("images", [5, 30])
def test_large_offsets_cost_no_accuracy(images):
    rng = np.random.default_rng(16)
    train, test = normals(rng, images, 2, 2, 12) + 1000, normals(rng, 2, 2, 2, 12) + 1000
    expected = one_position_at_a_time(train, test, np.arange(12), 0.01)
    scores = fitted(train, dims="all").score(FeatureGrid(test)).patches
    np.testing.assert_allclose(scores, expected, rtol=1e-5)


@pytest.mark.parametrize("images", [5, 30])
def test_a_variance_that_swallows_epsilon_is_an_error_that_says_which_epsilon_would_do(images):
    train = normals(np.random.default_rng(17), images, 2, 2, 12) * np.float32(1e6)
    with pytest.raises(ContractError, match=r"epsilon = 0.01 is lost in its rounding") as error:
        fitted(train, dims="all")
    enough = float(error.value.hint.split("at least ")[1].split(",")[0])
    fitted(train, dims="all", epsilon=enough)


def test_a_distance_too_long_for_float32_is_an_error():
    scorer = fitted(np.ones((4, 2, 2, 3), dtype=np.float32), dims="all")
    with pytest.raises(ContractError, match=r"image 0 is 5.2e\+38, too long for float32"):
        scorer.score(FeatureGrid(np.full((1, 2, 2, 3), 3e37, dtype=np.float32)))


def test_the_features_kept_follow_the_rng_alone():
    train = normals(np.random.default_rng(3), 5, 2, 2, 30)
    first, again, other = (fitted(train, seed=s, dims=6).dims for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert len(np.unique(first)) == 6


@pytest.mark.parametrize("images", [2, 4])
def test_constant_features_score_a_finite_distance(images):
    train = np.ones((images, 2, 2, 3), dtype=np.float32)
    scores = fitted(train, dims="all").score(FeatureGrid(train + 1)).patches
    np.testing.assert_allclose(scores, np.sqrt(3 / 0.01), rtol=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_score_is_the_same_to_the_bit_alone_in_any_batch_and_in_any_order(seed):
    rng = np.random.default_rng(seed)
    scorer, patches = fitted(normals(rng, 8, 3, 5, 7), dims=6), normals(rng, 5, 3, 5, 7)
    whole = scorer.score(FeatureGrid(patches)).patches
    order = rng.permutation(5)
    np.testing.assert_array_equal(scorer.score(FeatureGrid(patches[order])).patches, whole[order])
    for image in range(5):
        alone = scorer.score(FeatureGrid(patches[image : image + 1])).patches
        np.testing.assert_array_equal(alone[0], whole[image])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_moving_all_features_of_a_position_by_the_same_vector_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    train, test = normals(rng, 12, 2, 3, 4), normals(rng, 2, 2, 3, 4)
    moved = normals(rng, 2, 3, 4)
    plain = fitted(train, dims=3).score(FeatureGrid(test)).patches
    shifted = fitted(train + moved, dims=3).score(FeatureGrid(test + moved)).patches
    np.testing.assert_allclose(shifted, plain, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("case", "dim"), [("many", 5), ("few", 9)])
def test_scores_equal_those_of_anomalib_whose_epsilon_is_a_thousandth_larger(case, dim):
    # Made by parity/make_fixture.py with anomalib 2.7.0 (float32): n - 1, and 0.01 + 0.00001.
    with np.load(PARITY, allow_pickle=False) as stored:
        train, test, theirs = (stored[f"{case}_{part}"] for part in ("train", "test", "scores"))
    ours = fitted(train, dims=dim, epsilon=0.01001).score(FeatureGrid(test)).patches
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)
    paper = fitted(train, dims=dim).score(FeatureGrid(test)).patches
    np.testing.assert_allclose(paper, theirs, rtol=1e-3)


def test_a_patch_is_judged_by_its_own_position():
    rng = np.random.default_rng(4)
    train = normals(rng, 40, 1, 2, 3)
    train[:, 0, 1] += 50
    swapped = FeatureGrid(train[:1, :, ::-1])
    scorer = fitted(train, dims="all")
    assert scorer.score(swapped).patches.min() > scorer.score(FeatureGrid(train)).patches.max()


def test_read_only_and_strided_inputs_give_the_same_scores_and_stay_unchanged():
    rng = np.random.default_rng(5)
    train, patches = normals(rng, 9, 3, 4, 6), normals(rng, 2, 3, 4, 6)
    expected = fitted(train, dims=4).score(FeatureGrid(patches)).patches
    frozen, strided = train.copy(), np.asfortranarray(patches)
    for array in (frozen, strided):
        array.setflags(write=False)
    scores = fitted(frozen, dims=4).score(FeatureGrid(strided)).patches
    np.testing.assert_array_equal(scores, expected)
    np.testing.assert_array_equal(strided, patches)


def test_defects_of_a_toy_world_score_above_every_normal_patch():
    world = toy_world(np.random.default_rng(6), train=60, shift=12.0)
    scorer = fitted(world.train.patches, dims=4)
    odd, normal = (scorer.score(f).patches for f in (world.anomalous, world.normal))
    assert odd[world.defects].min() > normal.max()


def test_more_features_than_there_are_is_an_error_with_both_numbers():
    with pytest.raises(ContractError, match=r"dims = 100 .* D = 6") as error:
        fitted(np.zeros((3, 2, 2, 6), dtype=np.float32))
    assert "or to all" in error.value.hint


def test_one_training_image_has_no_covariance():
    with pytest.raises(ContractError, match="needs 2 training images, there are 1"):
        fitted(np.zeros((1, 2, 2, 3), dtype=np.float32), dims=2)


def test_a_training_feature_that_is_not_finite_is_refused_with_its_image(monkeypatch):
    monkeypatch.setattr(stripes, "CHUNK_VALUES", 100)  # 65 is not in the first chunk of images
    train = normals(np.random.default_rng(7), 70, 2, 2, 3)
    train[65, 0, 0, 0] = np.inf
    with pytest.raises(ContractError, match="image 65 hold 1 value"):
        fitted(train, dims=2)


def test_queries_that_do_not_fit_are_refused():
    scorer = fitted(normals(np.random.default_rng(8), 5, 2, 3, 4), dims=2)
    with pytest.raises(ContractError, match="D = 3, the memory has D = 4"):
        scorer.score(FeatureGrid(np.zeros((1, 2, 3, 3), dtype=np.float32)))
    with pytest.raises(ContractError, match=r"grid \(3, 2\), the memory has \(2, 3\)"):
        scorer.score(FeatureGrid(np.zeros((1, 3, 2, 4), dtype=np.float32)))
    patches = np.zeros((2, 2, 3, 4), dtype=np.float32)
    patches[1] = np.nan
    with pytest.raises(ContractError, match="image 1 hold 24 value"):
        scorer.score(FeatureGrid(patches))


def test_a_bag_is_refused():
    memory = Bag(np.zeros((3, 2), dtype=np.float32), np.zeros(3, dtype=np.int64))
    with pytest.raises(ContractError, match=r"fits on `grid`.*emitted `bag`"):
        PADIM.make(PadimParams()).fit(memory, np.random.default_rng(0))


def test_bad_params_are_refused():
    for bad in ({"dims": 0}, {"dims": "some"}, {"dims": None}, {"epsilon": 0.0}, {"dimensions": 3}):
        with pytest.raises(ValidationError):
            PadimParams(**bad)


def test_the_plugin_is_found_through_its_entry_point():
    (entry,) = [e for e in entry_points(group="adharness") if e.name == "padim"]
    assert entry.load() is adharness_padim
    assert list(adharness_padim.adharness_scorers()) == [PADIM]
    assert isinstance(PADIM.make(PadimParams()), Scorer)
