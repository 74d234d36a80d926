from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.spatial.distance import cdist

import adharness_patchcore
from adharness import Bag, Bank, ContractError, FeatureGrid, Images, Scorer
from adharness.testing.worlds import ToyFeatures, toy_world
from adharness_patchcore import (
    CORESET,
    PATCHCORE,
    CoresetParams,
    PatchcoreParams,
    bank,
    k_center_greedy,
)
from adharness_patchcore.scorer import equation_7


def normals(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


def bag(rows):
    return Bag(rows=rows.astype(np.float32), images=np.zeros(len(rows), dtype=np.int64))


def fitted(rows, **params):
    return PATCHCORE.make(PatchcoreParams(**params)).fit(bag(rows), np.random.default_rng(0))


def coreset(features, seed=0, **params):
    return CORESET.make(CoresetParams(**params)).reduce(features, np.random.default_rng(seed))


def paper(rows, image, b):
    """Equations 6 and 7 of Roth et al. 2022, word for word, in float64."""
    to_bank = cdist(image.reshape(-1, rows.shape[1]).astype(np.float64), rows.astype(np.float64))
    s_star = to_bank.min(axis=1).max()
    m_test = to_bank.min(axis=1).argmax()
    m_star = to_bank[m_test].argmin()
    n_b = np.argsort(cdist(rows[m_star : m_star + 1], rows)[0], kind="stable")[:b]
    total = sum(np.exp(to_bank[m_test, m]) for m in n_b)
    return (1 - np.exp(to_bank[m_test, m_star]) / total) * s_star


@pytest.mark.parametrize("b", [2, 9, 30])
def test_scores_are_equations_6_and_7_of_the_paper(b):
    rng = np.random.default_rng(1)
    rows, patches = normals(rng, 30, 5), normals(rng, 6, 3, 4, 5)
    scores = fitted(rows, neighbours=b).score(FeatureGrid(patches))
    expected = cdist(patches.reshape(-1, 5), rows).min(axis=1)
    np.testing.assert_allclose(scores.patches.ravel(), expected, rtol=1e-6)
    np.testing.assert_allclose(scores.images, [paper(rows, p, b) for p in patches], rtol=1e-5)


def test_the_neighbours_of_equation_7_are_those_of_the_bank_row_not_of_the_test_patch():
    rows = np.array([[0.0], [-1.0], [3.0]])  # near 1.2: 0, then 3; near the row 0: -1
    scores = fitted(rows, neighbours=2).score(FeatureGrid(np.full((1, 1, 1, 1), 1.2, np.float32)))
    near, far = np.exp(1.2), np.exp(2.2)
    assert scores.images[0] == pytest.approx((1 - near / (near + far)) * 1.2, rel=1e-5)


def test_without_reweighting_the_image_score_is_the_largest_patch_score():
    rng = np.random.default_rng(2)
    scores = fitted(normals(rng, 3, 4), reweight="none").score(
        FeatureGrid(normals(rng, 5, 2, 3, 4))
    )
    np.testing.assert_array_equal(scores.images, scores.patches.max(axis=(1, 2)))


def test_the_weight_is_one_less_the_share_of_b_equal_distances_and_survives_large_ones():
    assert equation_7(np.full(9, 4.0)) == pytest.approx(1 - 1 / 9)
    assert equation_7(np.full(4, 5000.0)) == pytest.approx(0.75)
    assert equation_7(np.array([1000.0, 1001.0])) == pytest.approx(1 - 1 / (1 + np.e))


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), b=st.integers(2, 12), scale=st.sampled_from([1e-3, 1.0, 1e3])
)
def test_image_scores_are_finite_and_between_zero_and_the_largest_patch_score(seed, b, scale):
    rng = np.random.default_rng(seed)
    grid = FeatureGrid(normals(rng, 3, 2, 2, 4) * np.float32(scale))
    scores = fitted(normals(rng, 12, 4) * scale, neighbours=b).score(grid)
    assert np.isfinite(scores.images).all()
    assert (scores.images >= 0).all()
    assert (scores.images <= scores.patches.max(axis=(1, 2))).all()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_scores_are_the_same_to_the_bit_alone_in_any_batch_and_in_any_order(seed):
    rng = np.random.default_rng(seed)
    scorer, patches = fitted(normals(rng, 60, 8)), normals(rng, 5, 3, 9, 8)
    whole = scorer.score(FeatureGrid(patches))
    order = rng.permutation(5)
    shuffled = scorer.score(FeatureGrid(patches[order]))
    np.testing.assert_array_equal(shuffled.patches, whole.patches[order])
    np.testing.assert_array_equal(shuffled.images, whole.images[order])
    for image in range(5):
        alone = scorer.score(FeatureGrid(patches[image : image + 1]))
        np.testing.assert_array_equal(alone.patches[0], whole.patches[image])
        assert alone.images[0] == whole.images[image]


def test_a_row_of_the_bank_scores_exactly_zero_even_far_from_the_origin():
    rows = normals(np.random.default_rng(4), 200, 16) + np.float32(500)
    scores = fitted(rows).score(FeatureGrid(rows[:40].reshape(2, 4, 5, 16)))
    assert (scores.patches == 0).all()
    assert (scores.images == 0).all()


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_a_bank_of_any_scale_is_searched_right(scale):
    rng = np.random.default_rng(12)
    rows, patches = normals(rng, 300, 8), normals(rng, 2, 5, 5, 8)
    expected = cdist(patches.reshape(-1, 8), rows).min(axis=1) * scale
    scores = fitted(rows * scale, reweight="none").score(FeatureGrid(patches * np.float32(scale)))
    np.testing.assert_allclose(scores.patches.ravel(), expected, rtol=1e-6)


def test_importing_the_plugin_does_not_import_faiss():
    code = "import sys, adharness_patchcore; sys.exit('faiss' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_read_only_and_strided_inputs_give_the_same_scores_and_stay_unchanged():
    rng = np.random.default_rng(5)
    rows, patches = normals(rng, 30, 6), normals(rng, 2, 3, 4, 6)
    expected = fitted(rows).score(FeatureGrid(patches))
    strided_rows, strided = np.asfortranarray(rows), np.asfortranarray(patches)
    for array in (strided_rows, strided):
        array.setflags(write=False)
    scores = fitted(strided_rows).score(FeatureGrid(strided))
    np.testing.assert_array_equal(scores.images, expected.images)
    np.testing.assert_array_equal(strided, patches)


def test_more_neighbours_than_rows_is_an_error_with_both_numbers_unless_unused():
    with pytest.raises(ContractError, match=r"neighbours = 9 .* 8 row"):
        fitted(np.eye(8))
    fitted(np.eye(8), reweight="none")


def test_queries_and_memories_that_do_not_fit_are_refused():
    scorer = fitted(np.eye(10))
    with pytest.raises(ContractError, match="D = 3, the memory has D = 10"):
        scorer.score(FeatureGrid(np.zeros((1, 1, 1, 3), dtype=np.float32)))
    patches = np.zeros((2, 1, 1, 10), dtype=np.float32)
    patches[1, 0, 0, 3] = np.nan
    with pytest.raises(ContractError, match="image 1 hold 1 value"):
        scorer.score(FeatureGrid(patches))
    with pytest.raises(ContractError, match=r"fits on `bag`.*emitted `images`"):
        PATCHCORE.make(PatchcoreParams()).fit(Images(np.eye(3, dtype="f4")), None)


@pytest.mark.parametrize(("ratio", "rows"), [(0.1, 4), (0.119, 4), (0.001, 1), (1.0, 40)])
def test_the_coreset_keeps_the_whole_part_of_its_share_and_at_least_one(ratio, rows):
    features = ToyFeatures(normals(np.random.default_rng(6), 4, 2, 5, 3))
    assert coreset(features, ratio=ratio).rows.shape == (rows, 3)


def test_the_coreset_is_the_greedy_choice_with_full_vectors_and_their_images():
    features = ToyFeatures(normals(np.random.default_rng(7), 9, 4, 5, 6))
    memory = coreset(features, seed=3, ratio=0.2, projection_dims=None)
    flat = features.patches.reshape(-1, 6)
    chosen = k_center_greedy(flat, 36, start=int(np.random.default_rng(3).integers(180)))
    np.testing.assert_array_equal(memory.rows, flat[chosen])
    np.testing.assert_array_equal(memory.images, chosen // 20)


def test_reading_in_blocks_changes_nothing(monkeypatch):
    features = ToyFeatures(normals(np.random.default_rng(8), 7, 3, 3, 10))
    whole = coreset(features, ratio=0.5, projection_dims=10)
    monkeypatch.setattr(bank, "BLOCK_VALUES", 200)
    np.testing.assert_array_equal(coreset(features, ratio=0.5, projection_dims=10).rows, whole.rows)


def test_a_projected_coreset_follows_its_rng_and_covers_nearly_as_well_as_an_exact_one():
    features = ToyFeatures(normals(np.random.default_rng(9), 10, 5, 5, 300))
    exact = coreset(features, ratio=0.1, projection_dims=None).rows
    first, again, other = (coreset(features, seed=s, ratio=0.1).rows for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    flat = features.patches.reshape(-1, 300)
    assert cdist(flat, first).min(axis=1).max() < 1.2 * cdist(flat, exact).min(axis=1).max()


def test_a_training_feature_that_is_not_finite_is_refused_with_its_image():
    patches = normals(np.random.default_rng(10), 40, 2, 2, 3)
    patches[35, 1, 1, 0] = np.nan
    with pytest.raises(ContractError, match="image 35 hold 1 value"):
        coreset(ToyFeatures(patches))


def test_defects_of_a_toy_world_score_above_every_normal_patch():
    world = toy_world(np.random.default_rng(11), shift=20.0)
    memory = coreset(world.train, ratio=0.5)
    scorer = PATCHCORE.make(PatchcoreParams()).fit(memory, np.random.default_rng(0))
    odd, normal = (scorer.score(f) for f in (world.anomalous, world.normal))
    assert odd.patches[world.defects].min() > normal.patches.max()
    assert odd.images.min() > normal.images.max()


def test_bad_params_are_refused():
    for bad in ({"ratio": 0.0}, {"ratio": 1.1}, {"projection_dims": 0}, {"size": 3}):
        with pytest.raises(ValidationError):
            CoresetParams(**bad)
    for bad in ({"neighbours": 1}, {"b": 9}):
        with pytest.raises(ValidationError):
            PatchcoreParams(**bad)


def test_the_plugin_is_found_through_its_entry_point():
    (entry,) = [e for e in entry_points(group="adharness") if e.name == "patchcore"]
    assert entry.load() is adharness_patchcore
    assert list(adharness_patchcore.adharness_scorers()) == [PATCHCORE]
    assert list(adharness_patchcore.adharness_banks()) == [CORESET]
    assert isinstance(PATCHCORE.make(PatchcoreParams()), Scorer)
    assert isinstance(CORESET.make(CoresetParams()), Bank)
