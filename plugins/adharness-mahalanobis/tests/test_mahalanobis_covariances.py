"""Shrinkage, components, layers and levels, each against scikit-learn or a literal formula."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.covariance import OAS, EmpiricalCovariance, LedoitWolf
from sklearn.decomposition import PCA

from adharness import Bag, ContractError, FeatureGrid, Grid, Images
from adharness.testing.worlds import ToyFeatures
from adharness_mahalanobis import MAHALANOBIS, MahalanobisParams, vectors

ESTIMATORS = {"ledoit-wolf": LedoitWolf, "oas": OAS, "none": EmpiricalCovariance}
RULES = pytest.mark.parametrize("shrinkage", list(ESTIMATORS))


def bag(rows):
    return Bag(rows=rows.astype(np.float32), images=np.zeros(len(rows), dtype=np.int64))


def drawn(rng, *shape):
    mixing = rng.normal(size=(shape[-1], shape[-1])) * np.geomspace(1, 20, shape[-1])
    return (rng.normal(size=shape) @ mixing + 3).astype(np.float32)


def fitted(memory, **params):
    return MAHALANOBIS.make(MahalanobisParams(**params)).fit(memory, np.random.default_rng(0))


def oracle(rows, queries, shrinkage):
    estimator = ESTIMATORS[shrinkage]().fit(rows.astype(np.float64))
    return np.sqrt(estimator.mahalanobis(queries.reshape(-1, rows.shape[1]).astype(np.float64)))


def patch_scores(scorer, patches):
    return scorer.score(FeatureGrid(patches)).patches.ravel()


@RULES
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), dim=st.integers(1, 12), extra=st.integers(2, 60))
def test_distances_equal_scikit_learn(shrinkage, seed, dim, extra):
    rng = np.random.default_rng(seed)
    rows, patches = drawn(rng, dim + extra, dim), drawn(rng, 2, 2, 2, dim)
    found = patch_scores(fitted(bag(rows), shrinkage=shrinkage), patches)
    np.testing.assert_allclose(found, oracle(rows, patches, shrinkage), rtol=1e-4)


@pytest.mark.parametrize("shrinkage", ["ledoit-wolf", "oas"])
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(3, 12), dim=st.integers(13, 30))
def test_distances_equal_scikit_learn_with_fewer_rows_than_dimensions(shrinkage, seed, count, dim):
    rng = np.random.default_rng(seed)
    rows, patches = drawn(rng, count, dim), drawn(rng, 2, 2, 2, dim)
    found = patch_scores(fitted(bag(rows), shrinkage=shrinkage), patches)
    np.testing.assert_allclose(found, oracle(rows, patches, shrinkage), rtol=1e-4)


@RULES
@pytest.mark.parametrize("share", [0.3, 0.6, 0.99])
@pytest.mark.parametrize("count", [5, 9, 60])
def test_pca_equals_scikit_learn_on_the_reduced_rows(shrinkage, share, count):
    rng = np.random.default_rng(1)
    rows, patches = drawn(rng, count, 8), drawn(rng, 2, 3, 2, 8)
    reduction = PCA(n_components=share, svd_solver="full").fit(rows.astype(np.float64))
    reduced, asked = (
        reduction.transform(x.reshape(-1, 8).astype(np.float64)) for x in (rows, patches)
    )
    found = patch_scores(fitted(bag(rows), shrinkage=shrinkage, pca=share), patches)
    np.testing.assert_allclose(found, oracle(reduced, asked, shrinkage), rtol=1e-4)


@RULES
@pytest.mark.parametrize(
    ("share", "count"), [(0.001, 60), (0.01, 60), (0.3, 60), (0.01, 6), (0.7, 6)]
)
def test_npca_equals_scikit_learn_on_the_fewest_trailing_components(shrinkage, share, count):
    rng = np.random.default_rng(2)
    rows, patches = drawn(rng, count, 8), drawn(rng, 2, 3, 2, 8)
    everything = PCA(n_components=min(8, count - 1), svd_solver="full").fit(rows.astype(np.float64))
    ratios = everything.explained_variance_ratio_
    kept = next(k for k in range(1, 9) if ratios[-k:].sum() >= share)
    reduced, asked = (
        everything.transform(x.reshape(-1, 8).astype(np.float64))[:, -kept:]
        for x in (rows, patches)
    )
    found = patch_scores(fitted(bag(rows), shrinkage=shrinkage, npca=share), patches)
    np.testing.assert_allclose(found, oracle(reduced, asked, shrinkage), rtol=1e-4)


def test_a_ridge_is_added_to_the_diagonal():
    rng = np.random.default_rng(3)
    rows, patches = drawn(rng, 40, 4), drawn(rng, 1, 2, 3, 4)
    covariance = np.cov(rows.astype(np.float64), rowvar=False, bias=True) + 0.5 * np.eye(4)
    gaps = patches.reshape(-1, 4) - rows.mean(0, dtype=np.float64)
    expected = np.sqrt(np.einsum("nd,de,ne->n", gaps, np.linalg.inv(covariance), gaps))
    found = patch_scores(fitted(bag(rows), shrinkage="none", ridge=0.5), patches)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@RULES
def test_distances_of_several_layers_are_summed(shrinkage):
    rng = np.random.default_rng(4)
    rows, patches = drawn(rng, 50, 9), drawn(rng, 2, 3, 2, 9)
    parts = [slice(0, 2), slice(2, 6), slice(6, 9)]
    expected = sum(oracle(rows[:, p], patches[..., p], shrinkage) for p in parts)
    found = patch_scores(fitted(bag(rows), shrinkage=shrinkage, layers=(2, 4, 3)), patches)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@RULES
@pytest.mark.parametrize("reduction", [{"pca": 0.9}, {"npca": 0.1}])
def test_components_are_chosen_for_each_layer_of_its_own(shrinkage, reduction):
    rng = np.random.default_rng(5)
    rows, patches = drawn(rng, 50, 9), drawn(rng, 2, 3, 2, 9)
    one, two = (
        patch_scores(fitted(bag(rows[:, p]), shrinkage=shrinkage, **reduction), patches[..., p])
        for p in (slice(0, 4), slice(4, 9))
    )
    both = patch_scores(fitted(bag(rows), shrinkage=shrinkage, layers=(4, 5), **reduction), patches)
    np.testing.assert_allclose(both, one + two, rtol=1e-5)


def test_one_layer_as_wide_as_the_vector_is_no_layer_at_all():
    rows, patches = (drawn(np.random.default_rng(6), *shape) for shape in ((30, 5), (2, 3, 2, 5)))
    np.testing.assert_array_equal(
        patch_scores(fitted(bag(rows), layers=(5,)), patches),
        patch_scores(fitted(bag(rows)), patches),
    )


def test_a_grid_gives_one_gaussian_of_all_its_patches():
    train, patches = (drawn(np.random.default_rng(7), n, 3, 4, 5) for n in (11, 2))
    expected = patch_scores(fitted(bag(train.reshape(-1, 5))), patches)
    for level in (None, "patch"):
        found = patch_scores(fitted(Grid(ToyFeatures(train)), level=level), patches)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_the_image_level_of_a_grid_takes_the_mean_of_the_patches():
    train, patches = (drawn(np.random.default_rng(8), n, 3, 4, 5) for n in (40, 3))
    scores = fitted(Grid(ToyFeatures(train)), level="image", layers=(2, 3)).score(
        FeatureGrid(patches)
    )
    means = [x.mean(axis=(1, 2), dtype=np.float64) for x in (train, patches)]
    expected = sum(
        oracle(*(m[:, p] for m in means), "ledoit-wolf") for p in (slice(2), slice(2, 5))
    )
    assert scores.patches is None
    assert scores.images.shape == (3,)
    np.testing.assert_allclose(scores.images, expected, rtol=1e-5)


@pytest.mark.parametrize("subject", ["bag", "patch", "image"])
def test_blocks_change_nothing(monkeypatch, subject):
    train, patches = (drawn(np.random.default_rng(9), n, 3, 4, 5) for n in (40, 3))
    memory = bag(train.reshape(-1, 5)) if subject == "bag" else Grid(ToyFeatures(train))
    params = {"level": None if subject == "bag" else subject, "pca": 0.9, "layers": (2, 3)}
    whole = fitted(memory, **params).score(FeatureGrid(patches))
    monkeypatch.setattr(vectors, "BLOCK_VALUES", 77)
    blocks = fitted(memory, **params).score(FeatureGrid(patches))
    for one, other in ((whole.patches, blocks.patches), (whole.images, blocks.images)):
        assert (one is None) == (other is None)
        if one is not None:
            np.testing.assert_allclose(one, other, rtol=1e-5)


@pytest.mark.parametrize("level", ["patch", "image"])
def test_scores_of_a_grid_are_the_same_to_the_bit_alone_and_in_a_batch(level):
    train, patches = (drawn(np.random.default_rng(10), n, 3, 4, 5) for n in (40, 4))
    scorer = fitted(Grid(ToyFeatures(train)), level=level)
    whole = scorer.score(FeatureGrid(patches))
    for image in range(4):
        alone = scorer.score(FeatureGrid(patches[image : image + 1]))
        for one, all_of_them in ((alone.patches, whole.patches), (alone.images, whole.images)):
            if one is not None:
                np.testing.assert_array_equal(one[0], all_of_them[image])


def test_a_level_the_memory_cannot_give_is_refused_with_the_one_it_can():
    rows = drawn(np.random.default_rng(11), 9, 3)
    for memory, asked, can in ((bag(rows), "image", "patch"), (Images(rows), "patch", "image")):
        with pytest.raises(ContractError, match=f"level `{asked}`") as error:
            fitted(memory, level=asked)
        assert f"level: {can}" in error.value.hint


def test_layers_that_do_not_add_up_are_refused_with_both_sums():
    with pytest.raises(ContractError, match=r"\[2, 2\] add up to 4, the memory has D = 3"):
        fitted(bag(drawn(np.random.default_rng(12), 9, 3)), layers=(2, 2))


@RULES
@pytest.mark.parametrize("reduction", [{}, {"pca": 0.9}, {"npca": 0.1}])
def test_one_vector_has_no_covariance_but_a_ridge(shrinkage, reduction):
    memory = Images(np.full((1, 4), 0.3, dtype=np.float32))
    with pytest.raises(ContractError, match=r"1 vector\(s\) with D = 4 is singular"):
        fitted(memory, shrinkage=shrinkage, **reduction)
    scorer = fitted(memory, shrinkage=shrinkage, ridge=0.25, **reduction)
    query = FeatureGrid(np.zeros((1, 1, 1, 2), np.float32), np.full((1, 4), 1.3, dtype=np.float32))
    assert scorer.score(query).images == pytest.approx([4.0], rel=1e-6)  # |(1, 1, 1, 1)| / 0.5


@RULES
@pytest.mark.parametrize("level", ["patch", "image"])
def test_images_that_are_all_equal_are_singular_at_both_levels(shrinkage, level):
    rng = np.random.default_rng(17)
    patches = np.ones((1, 3, 5, 4)) if level == "patch" else rng.normal(size=(1, 3, 5, 4))
    train = np.repeat(patches.astype(np.float32), 101, axis=0) * np.float32(0.1)
    with pytest.raises(ContractError, match="singular"):
        fitted(Grid(ToyFeatures(train)), level=level, shrinkage=shrinkage)


@pytest.mark.parametrize("level", ["patch", "image"])
def test_a_grid_without_images_is_refused(level):
    with pytest.raises(ContractError, match="no images"):
        fitted(Grid(ToyFeatures(np.zeros((0, 2, 2, 3), dtype=np.float32))), level=level)


def test_two_vectors_give_ledoit_and_wolf_nothing_to_shrink_by():
    memory = Images(drawn(np.random.default_rng(16), 2, 5))
    with pytest.raises(ContractError, match="shrinkage 0, ridge 0") as error:
        fitted(memory)
    assert "three vectors" in error.value.hint
    fitted(memory, shrinkage="oas")


def test_duplicates_count_as_rows():
    rows, patches = (drawn(np.random.default_rng(13), *shape) for shape in ((30, 5), (2, 3, 2, 5)))
    twice = np.repeat(rows, 2, axis=0)
    found = patch_scores(fitted(bag(twice), shrinkage="oas"), patches)
    np.testing.assert_allclose(found, oracle(twice, patches, "oas"), rtol=1e-5)


def test_a_patch_of_a_grid_that_is_not_finite_is_refused_with_its_image():
    train = drawn(np.random.default_rng(14), 40, 2, 2, 3)
    train[35, 1, 0, 2] = np.nan
    for level in ("patch", "image"):
        with pytest.raises(ContractError, match="image 35 hold 1 value"):
            fitted(Grid(ToyFeatures(train)), level=level)


def test_a_distance_too_long_for_float32_is_an_error():
    rows = drawn(np.random.default_rng(15), 9, 3) * np.float32(1e-30)
    with pytest.raises(ContractError, match=r"image 0 is .* too long for float32"):
        patch_scores(fitted(bag(rows)), np.full((1, 1, 1, 3), 1e20, dtype=np.float32))
