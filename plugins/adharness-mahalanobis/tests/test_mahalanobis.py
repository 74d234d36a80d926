from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sklearn.covariance import LedoitWolf, ShrunkCovariance

import adharness_mahalanobis
from adharness import Bag, ContractError, FeatureGrid, Images, Scorer
from adharness.testing.worlds import toy_world
from adharness_mahalanobis import MAHALANOBIS, MahalanobisParams


def bag(rows):
    return Bag(rows=rows.astype(np.float32), images=np.zeros(len(rows), dtype=np.int64))


def correlated(rng, *shape):
    mixing = rng.normal(size=(shape[-1], shape[-1]))
    return (rng.normal(size=shape) @ mixing + 3).astype(np.float32)


def fitted(memory, shrinkage="ledoit-wolf"):
    params = MahalanobisParams(shrinkage=shrinkage)
    return MAHALANOBIS.make(params).fit(memory, np.random.default_rng(0))


def distances(queries, mean, covariance):
    centred = queries.astype(np.float64) - mean
    return np.sqrt(np.einsum("nd,de,ne->n", centred, np.linalg.inv(covariance), centred))


def test_image_scores_equal_scikit_learn_with_ledoit_wolf():
    rng = np.random.default_rng(1)
    rows, queries = correlated(rng, 50, 8), correlated(rng, 6, 8)
    oracle = LedoitWolf().fit(rows.astype(np.float64))
    features = FeatureGrid(np.zeros((6, 1, 1, 3), dtype=np.float32), queries)
    scores = fitted(Images(rows)).score(features)
    assert scores.patches is None
    assert scores.images.dtype == np.float32
    np.testing.assert_allclose(scores.images, np.sqrt(oracle.mahalanobis(queries)), rtol=1e-5)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_patch_scores_equal_scikit_learn_with_a_fixed_share(share):
    rng = np.random.default_rng(2)
    rows, patches = correlated(rng, 60, 5), correlated(rng, 2, 3, 4, 5)
    oracle = ShrunkCovariance(shrinkage=share).fit(rows.astype(np.float64))
    scores = fitted(bag(rows), share).score(FeatureGrid(patches)).patches
    expected = np.sqrt(oracle.mahalanobis(patches.reshape(-1, 5)))
    np.testing.assert_allclose(scores.ravel(), expected, rtol=1e-5)


def test_no_shrinkage_is_the_plain_covariance():
    rng = np.random.default_rng(3)
    rows, patches = correlated(rng, 40, 4), correlated(rng, 1, 2, 3, 4)
    covariance = np.cov(rows.astype(np.float64), rowvar=False, bias=True)
    expected = distances(patches.reshape(-1, 4), rows.mean(0, dtype=np.float64), covariance)
    scores = fitted(bag(rows), "none").score(FeatureGrid(patches)).patches
    np.testing.assert_allclose(scores.ravel(), expected, rtol=1e-5)


def test_fewer_rows_than_dimensions_work_with_shrinkage_and_fail_without():
    rows = correlated(np.random.default_rng(5), 6, 20)
    features = FeatureGrid(rows.reshape(2, 3, 1, 20))
    assert np.isfinite(fitted(bag(rows)).score(features).patches).all()
    with pytest.raises(ContractError, match=r"6 vector\(s\) with D = 20 is singular") as error:
        fitted(bag(rows), "none")
    assert "ledoit-wolf" in error.value.hint


@pytest.mark.parametrize("shrinkage", ["none", 0.0])
def test_a_constant_or_repeated_feature_is_singular_without_shrinkage(shrinkage):
    rows = correlated(np.random.default_rng(6), 50, 3)
    constant, repeated = rows.copy(), np.hstack([rows, rows[:, :1]])
    constant[:, 1] = 7
    for bad in (constant, repeated):
        fitted(bag(bad), 0.1)
        with pytest.raises(ContractError, match="singular"):
            fitted(bag(bad), shrinkage)


@pytest.mark.parametrize("seed", range(20))
def test_a_sum_of_other_features_is_singular_even_where_rounding_hides_it(seed):
    rows = np.random.default_rng(seed).integers(-9, 9, size=(30, 5))
    with pytest.raises(ContractError, match="singular"):
        fitted(bag(np.column_stack([rows, rows.sum(axis=1)])), "none")


def test_rows_that_are_all_equal_are_singular_whatever_the_shrinkage():
    for shrinkage in ("ledoit-wolf", "oas", "none", 0.5):
        for value in (1.0, 0.1, 1e-30, 1e30):
            with pytest.raises(ContractError, match="singular"):
                fitted(bag(np.full((1001, 3), value)), shrinkage)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_score_is_the_same_to_the_bit_alone_in_any_batch_and_in_any_order(seed):
    rng = np.random.default_rng(seed)
    scorer, patches = fitted(bag(correlated(rng, 50, 9))), correlated(rng, 5, 3, 7, 9)
    whole = scorer.score(FeatureGrid(patches)).patches
    order = rng.permutation(5)
    np.testing.assert_array_equal(scorer.score(FeatureGrid(patches[order])).patches, whole[order])
    for image in range(5):
        alone = scorer.score(FeatureGrid(patches[image : image + 1])).patches
        np.testing.assert_array_equal(alone[0], whole[image])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_without_shrinkage_no_linear_change_of_the_features_matters(seed):
    rng = np.random.default_rng(seed)
    rows, queries = rng.normal(size=(60, 4)), rng.normal(size=(1, 2, 3, 4))
    mixing = np.eye(4) + 0.2 * rng.uniform(-1, 1, size=(4, 4))

    def score(change):
        features = FeatureGrid((queries @ change).astype(np.float32))
        return fitted(bag(rows @ change), "none").score(features).patches

    np.testing.assert_allclose(score(mixing), score(np.eye(4)), rtol=1e-4)


def test_read_only_and_strided_inputs_give_the_same_scores_and_stay_unchanged():
    rng = np.random.default_rng(7)
    rows, patches = correlated(rng, 30, 6), correlated(rng, 2, 3, 4, 6)
    expected = fitted(bag(rows)).score(FeatureGrid(patches)).patches
    strided_rows, strided = np.asfortranarray(rows), np.asfortranarray(patches)
    for array in (strided_rows, strided):
        array.setflags(write=False)
    scores = fitted(Bag(strided_rows, np.zeros(30, np.int64))).score(FeatureGrid(strided)).patches
    np.testing.assert_allclose(scores, expected, rtol=1e-6)
    np.testing.assert_array_equal(strided, patches)


def test_anomalous_images_of_a_toy_world_score_above_every_normal_image():
    world = toy_world(np.random.default_rng(8))
    scorer = fitted(Images(world.train.embeddings))
    odd, normal = (scorer.score(f).images for f in (world.anomalous, world.normal))
    assert odd.min() > normal.max()


def test_queries_that_do_not_fit_are_refused():
    scorer = fitted(bag(correlated(np.random.default_rng(9), 30, 4)))
    with pytest.raises(ContractError, match="D = 3, the memory has D = 4"):
        scorer.score(FeatureGrid(np.zeros((1, 1, 1, 3), dtype=np.float32)))
    patches = np.zeros((3, 2, 2, 4), dtype=np.float32)
    patches[2, 1, 1, 0] = np.nan
    with pytest.raises(ContractError, match="image 2 hold 1 value"):
        scorer.score(FeatureGrid(patches))


def test_bad_params_are_refused():
    for bad in (
        {"shrinkage": -0.1},
        {"shrinkage": 1.1},
        {"shrinkage": "oracle"},
        {"share": 0.1},
        {"level": "pixel"},
        {"layers": ()},
        {"layers": (3, 0)},
        {"ridge": -1.0},
        {"ridge": float("inf")},
        {"pca": 0.0},
        {"npca": 1.0},
        {"pca": 0.9, "npca": 0.1},
    ):
        with pytest.raises(ValidationError):
            MahalanobisParams(**bad)


def test_the_plugin_is_found_through_its_entry_point():
    (entry,) = [e for e in entry_points(group="adharness") if e.name == "mahalanobis"]
    assert entry.load() is adharness_mahalanobis
    assert list(adharness_mahalanobis.adharness_scorers()) == [MAHALANOBIS]
    assert isinstance(MAHALANOBIS.make(MahalanobisParams()), Scorer)


def test_importing_the_plugin_does_not_import_the_scorer():
    code = "import sys, adharness_mahalanobis as m; sys.exit(m.__name__ + '.scorer' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
