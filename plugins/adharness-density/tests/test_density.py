from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

import adharness_density
from adharness import Bag, ContractError, FeatureGrid, Grid, Images, Scorer
from adharness.testing.worlds import ToyFeatures, toy_world
from adharness_density import GMM, GmmParams


def normals(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


def bag(rows):
    return Bag(rows=np.asarray(rows, np.float32), images=np.zeros(len(rows), dtype=np.int64))


def fitted(memory, seed=0, **params):
    params = {"dims": None, "components": 2, **params}
    return GMM.make(GmmParams(**params)).fit(memory, np.random.default_rng(seed))


def as_grid(rows):
    rows = np.asarray(rows, np.float32)
    return FeatureGrid(rows.reshape(1, 1, *rows.shape))


def mixture_log_density(scorer, coordinates):
    """Sum of weighted scipy densities, from the fitted parameters."""
    mixture = scorer.mixture
    each = [
        np.log(weight) + multivariate_normal(mean, covariance).logpdf(coordinates)
        for weight, mean, covariance in zip(
            mixture.weights_, mixture.means_, mixture.covariances_, strict=True
        )
    ]
    return logsumexp(each, axis=0)


def subspace_by_hand(rows, dims):
    """Eigenvectors and eigenvalues of the covariance, largest first, in float64."""
    values, vectors = np.linalg.eigh(np.cov(rows.astype(np.float64), rowvar=False))
    return values[::-1], vectors[:, ::-1][:, :dims]


@pytest.mark.parametrize("residual", [False, True])
def test_scores_equal_a_density_written_out_with_scipy(residual):
    rng = np.random.default_rng(1)
    spread = np.float32([5, 4, 3, 0.7, 0.6, 0.5])
    rows, queries = normals(rng, 400, 6) * spread + 7, normals(rng, 50, 6) * spread + 6
    scorer = fitted(bag(rows), dims=3, components=3, residual=residual)
    values, vectors = subspace_by_hand(rows, 3)
    axes = scorer.subspace.axes
    np.testing.assert_allclose(np.abs(axes @ vectors), np.eye(3), atol=1e-6)
    centred = queries - rows.astype(np.float64).mean(axis=0)
    scale = np.sqrt(values[:3].mean())
    expected = mixture_log_density(scorer, centred @ axes.T / scale) - 3 * np.log(scale)
    if residual:
        rest = centred - centred @ axes.T @ axes
        outside = multivariate_normal(np.zeros(1), values[3:].mean())
        length = np.linalg.norm(rest, axis=1)
        expected += outside.logpdf(length) + 2 * outside.logpdf(0)
    scores = scorer.score(as_grid(queries))
    assert scores.images is None
    assert scores.patches.dtype == np.float32
    np.testing.assert_allclose(scores.patches.ravel(), -expected, rtol=1e-5)


def test_the_scores_of_a_known_mixture_are_its_negative_log_density():
    rng = np.random.default_rng(2)
    centres = np.array([[0.0, 0.0], [9.0, 3.0]])
    rows = normals(rng, 6000, 2) + np.float32(centres[rng.integers(2, size=6000)])
    queries = np.float32([[0, 0], [9, 3], [4.5, 1.5], [1, -1]])
    truth = [
        logsumexp([multivariate_normal(c).logpdf(q) for c in centres]) - np.log(2) for q in queries
    ]
    scores = fitted(bag(rows)).score(as_grid(queries)).patches.ravel()
    np.testing.assert_allclose(scores, -np.array(truth), rtol=0.1)


def test_a_rotation_of_all_features_changes_no_score():
    rng = np.random.default_rng(3)
    rows, queries = normals(rng, 300, 4) * np.float32([3, 2, 1, 0.5]), normals(rng, 20, 4)
    turn = np.float32(np.linalg.qr(rng.normal(size=(4, 4)))[0])
    plain = fitted(bag(rows), components=1).score(as_grid(queries)).patches
    turned = fitted(bag(rows @ turn), components=1).score(as_grid(queries @ turn)).patches
    np.testing.assert_allclose(turned, plain, rtol=1e-4)


def test_the_residual_sees_what_the_components_cannot():
    rng = np.random.default_rng(4)
    rows = normals(rng, 300, 4) * np.float32([5, 4, 0.01, 0.01])
    odd = rows[:10] + np.float32([0, 0, 3, 0])
    blind, seeing = (fitted(bag(rows), dims=2, residual=r) for r in (False, True))
    change = blind.score(as_grid(odd)).patches - blind.score(as_grid(rows[:10])).patches
    np.testing.assert_allclose(change, 0, atol=0.05)
    assert seeing.score(as_grid(odd)).patches.min() > seeing.score(as_grid(rows)).patches.max()


def test_a_bag_and_a_grid_of_the_same_patches_give_the_same_scores():
    rng = np.random.default_rng(5)
    patches, queries = normals(rng, 10, 3, 4, 5), as_grid(normals(rng, 7, 5))
    for limit in (50, 1000):
        on_grid = fitted(Grid(ToyFeatures(patches)), sample_rows=limit).score(queries)
        on_bag = fitted(bag(patches.reshape(-1, 5)), sample_rows=limit).score(queries)
        np.testing.assert_array_equal(on_grid.patches, on_bag.patches)


class Counting(ToyFeatures):
    asked: int = 0

    def rows(self, patches):
        object.__setattr__(self, "asked", self.asked + len(patches))
        return super().rows(patches)

    def batches(self, size=32):
        raise AssertionError("the whole set was read")


def test_of_a_grid_only_the_sample_is_read():
    features = Counting(normals(np.random.default_rng(6), 10, 4, 5, 3))
    fitted(Grid(features), sample_rows=30)
    assert features.asked == 30


def test_the_scorer_follows_the_rng_alone():
    rng = np.random.default_rng(7)
    rows, queries = bag(normals(rng, 500, 4)), as_grid(normals(rng, 9, 4))
    first, again, other = (
        fitted(rows, seed=s, sample_rows=100).score(queries).patches for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_score_is_the_same_to_the_bit_alone_in_any_batch_and_in_any_order(seed):
    rng = np.random.default_rng(seed)
    scorer, patches = fitted(bag(normals(rng, 60, 5)), dims=3), normals(rng, 4, 3, 5, 5)
    whole = scorer.score(FeatureGrid(patches)).patches
    order = rng.permutation(4)
    np.testing.assert_array_equal(scorer.score(FeatureGrid(patches[order])).patches, whole[order])
    for i in range(4):
        alone = scorer.score(FeatureGrid(patches[i : i + 1])).patches
        np.testing.assert_array_equal(alone[0], whole[i])


@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
@pytest.mark.parametrize("dims", [None, 2])
def test_constant_and_duplicate_features_score_finite_and_others_higher(covariance, dims):
    for rows in (np.ones((20, 4)), np.repeat(np.eye(4), 5, axis=0)):
        scorer = fitted(bag(rows), dims=dims, covariance=covariance)
        odd = rows[:1] + np.array([0, 0, 0, 9])
        scores = scorer.score(as_grid(np.vstack([rows[:1], odd]))).patches
        assert np.isfinite(scores).all()
        assert scores[0, 0, 1] > scores[0, 0, 0]


def test_patches_beyond_float32_score_its_largest_value():
    scorer = fitted(bag(normals(np.random.default_rng(8), 50, 3)))
    scores = scorer.score(as_grid(np.full((1, 3), 3e38))).patches
    assert scores.item() == np.finfo(np.float32).max


def test_em_that_did_not_settle_says_so_without_a_warning():
    rows = bag(normals(np.random.default_rng(9), 300, 4))
    assert not fitted(rows, components=6, max_iter=1).converged
    assert fitted(rows, components=1).converged


def test_inputs_stay_unchanged_and_strided_ones_give_the_same_scores():
    rng = np.random.default_rng(10)
    rows, patches = normals(rng, 60, 5), normals(rng, 2, 3, 4, 5)
    expected = fitted(bag(rows)).score(FeatureGrid(patches)).patches
    strided_rows, strided = np.asfortranarray(rows), np.asfortranarray(patches)
    for array in (strided_rows, strided):
        array.setflags(write=False)
    scores = fitted(bag(strided_rows)).score(FeatureGrid(strided)).patches
    np.testing.assert_allclose(scores, expected, rtol=1e-6)
    np.testing.assert_array_equal(strided, patches)


def test_defects_of_a_toy_world_score_above_every_normal_patch():
    world = toy_world(np.random.default_rng(11), shift=20.0)
    scorer = fitted(Grid(world.train), dims=4, components=3)
    odd, normal = (scorer.score(f).patches for f in (world.anomalous, world.normal))
    assert odd[world.defects].min() > normal.max()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"dims": 6}, "dims = 6 components asked of patch vectors with D = 5"),
        ({"components": 31}, "components = 31 need 31 rows, there are 30"),
        ({"dims": 4, "sample_rows": 3}, "need 4 rows, there are 3"),
    ],
)
def test_more_than_the_sample_can_give_is_an_error_with_the_numbers(params, message):
    with pytest.raises(ContractError, match=message):
        fitted(bag(normals(np.random.default_rng(12), 30, 5)), **params)


def test_queries_and_memories_that_do_not_fit_are_refused():
    rows = normals(np.random.default_rng(13), 30, 4)
    scorer = fitted(bag(rows))
    with pytest.raises(ContractError, match="D = 3, the memory has D = 4"):
        scorer.score(as_grid(np.zeros((1, 3))))
    with pytest.raises(ContractError, match="not finite"):
        scorer.score(as_grid(np.full((1, 4), np.nan)))
    with pytest.raises(ContractError, match=r"fits on `bag` or `grid`.*emitted `images`"):
        fitted(Images(rows))
    with pytest.raises(ContractError, match="need 2 rows, there are 1"):
        fitted(bag(rows[:1]), components=1)
    with pytest.raises(ContractError, match="not finite"):
        fitted(bag(np.full((5, 4), np.nan)))
    with pytest.raises(ContractError, match="not finite"):
        fitted(Grid(ToyFeatures(np.full((5, 1, 2, 4), np.inf, np.float32))))


@pytest.mark.parametrize(
    "bad", [{"dims": 0}, {"components": 0}, {"epsilon": 0.0}, {"covariance": "round"}, {"k": 3}]
)
def test_bad_params_are_refused(bad):
    with pytest.raises(ValidationError):
        GmmParams(**bad)


def test_the_plugin_is_found_through_its_entry_point():
    (entry,) = [e for e in entry_points(group="adharness") if e.name == "density"]
    assert entry.load() is adharness_density
    assert list(adharness_density.adharness_scorers()) == [GMM]
    assert isinstance(GMM.make(GmmParams()), Scorer)


def test_importing_the_plugin_does_not_import_scikit_learn():
    code = "import sys, adharness_density; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
