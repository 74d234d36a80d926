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

import adharness_anomalydino
from adharness import Bag, ContractError, FeatureGrid, Images, Scorer
from adharness_anomalydino import ANOMALYDINO, AnomalyDinoParams


def normals(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


def fitted(rows, seed=0, **params):
    memory = Bag(rows=np.asarray(rows, np.float32), images=np.zeros(len(rows), dtype=np.int64))
    return ANOMALYDINO.make(AnomalyDinoParams(**params)).fit(memory, np.random.default_rng(seed))


def authors_image_score(distances):
    """Their `mean_top1p`, transcribed."""
    flat = distances.reshape(-1)
    if len(flat) < 100:
        return max(flat)
    return np.mean(sorted(flat, reverse=True)[: int(len(flat) * 0.01)])


@pytest.mark.parametrize("grid", [(3, 4), (9, 11), (10, 10), (10, 17), (17, 18)])
def test_scores_equal_scipy_in_float64_and_the_rule_of_the_authors(grid):
    rng = np.random.default_rng(1)
    rows, patches = normals(rng, 60, 7), normals(rng, 3, *grid, 7) * 10
    scores = fitted(rows).score(FeatureGrid(patches))
    expected = cdist(patches.reshape(-1, 7), rows.astype(np.float64), "cosine").min(axis=1)
    assert scores.patches.dtype == scores.images.dtype == np.float32
    np.testing.assert_allclose(scores.patches.ravel(), expected, rtol=1e-6, atol=1e-12)
    images = [authors_image_score(each) for each in expected.reshape(3, -1)]
    np.testing.assert_allclose(scores.images, images, rtol=1e-6)


def test_a_share_of_the_patches_can_be_chosen_up_to_all_of_them():
    rng = np.random.default_rng(2)
    rows, patches = normals(rng, 30, 5), FeatureGrid(normals(rng, 2, 5, 6, 5))
    whole = fitted(rows, top_ratio=1.0).score(patches)
    np.testing.assert_allclose(whole.images, whole.patches.mean(axis=(1, 2)), rtol=1e-6)
    third = fitted(rows, top_ratio=0.1).score(patches)
    highest = np.sort(whole.patches.reshape(2, -1), axis=1)[:, -3:]
    np.testing.assert_allclose(third.images, highest.mean(axis=1), rtol=1e-6)


def test_a_row_of_the_bank_scores_zero_at_any_length():
    rows = normals(np.random.default_rng(3), 200, 16)
    queries = rows[:40].reshape(2, 4, 5, 16)
    assert (fitted(rows).score(FeatureGrid(queries)).patches == 0).all()
    longer = fitted(rows).score(FeatureGrid(queries * np.float32(37))).patches
    np.testing.assert_allclose(longer, 0, atol=1e-12)


def test_opposite_vectors_are_at_two_and_zero_vectors_as_in_the_code_of_the_authors():
    rows = np.array([[1, 0, 0]])
    queries = np.array([[-5, 0, 0], [0, 0, 0], [0, 3, 0]], dtype=np.float32).reshape(1, 1, 3, 3)
    np.testing.assert_allclose(fitted(rows).score(FeatureGrid(queries)).patches, [[[2, 0.5, 1]]])
    with_zero = fitted(np.vstack([rows, np.zeros(3)])).score(FeatureGrid(queries)).patches
    np.testing.assert_allclose(with_zero, [[[0.5, 0, 0.5]]])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_scores_are_the_same_to_the_bit_alone_in_any_batch_and_in_any_order(seed):
    rng = np.random.default_rng(seed)
    scorer, patches = fitted(normals(rng, 70, 8)), normals(rng, 5, 3, 9, 8)
    whole = scorer.score(FeatureGrid(patches))
    order = rng.permutation(5)
    shuffled = scorer.score(FeatureGrid(patches[order]))
    np.testing.assert_array_equal(shuffled.patches, whole.patches[order])
    np.testing.assert_array_equal(shuffled.images, whole.images[order])
    for image in range(5):
        alone = scorer.score(FeatureGrid(patches[image : image + 1]))
        np.testing.assert_array_equal(alone.patches[0], whole.patches[image])
        assert alone.images[0] == whole.images[image]


def test_nothing_depends_on_the_rng_the_order_of_the_bank_or_its_duplicates():
    rng = np.random.default_rng(4)
    rows, patches = normals(rng, 50, 6), FeatureGrid(normals(rng, 2, 4, 4, 6))
    expected = fitted(rows, seed=0).score(patches)
    for other in (fitted(rows, seed=1), fitted(rows[::-1]), fitted(np.vstack([rows, rows]))):
        np.testing.assert_allclose(other.score(patches).patches, expected.patches, rtol=1e-6)
        np.testing.assert_allclose(other.score(patches).images, expected.images, rtol=1e-6)


def test_constant_features_and_a_bank_of_one_row_give_finite_scores():
    scores = fitted(np.ones((1, 4))).score(FeatureGrid(np.full((2, 3, 3, 4), 9, np.float32)))
    np.testing.assert_allclose(scores.patches, 0, atol=1e-15)
    np.testing.assert_allclose(scores.images, 0, atol=1e-15)


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


def test_a_patch_that_points_elsewhere_scores_above_every_normal_one_and_lifts_its_image():
    rng = np.random.default_rng(6)
    ahead = np.float32([9, 0, 0, 0, 0, 0])
    rows, patches = normals(rng, 300, 6) + ahead, normals(rng, 4, 5, 5, 6) + ahead
    patches[1, 2, 3] = [0, 0, 9, 0, 0, 0]
    scores = fitted(rows).score(FeatureGrid(patches))
    assert np.unravel_index(scores.patches.argmax(), (4, 5, 5)) == (1, 2, 3)
    assert scores.images.argmax() == 1


def test_queries_and_memories_that_do_not_fit_are_refused():
    scorer = fitted(np.eye(4))
    with pytest.raises(ContractError, match="D = 3, the memory has D = 4"):
        scorer.score(FeatureGrid(np.zeros((1, 1, 1, 3), dtype=np.float32)))
    patches = np.zeros((2, 1, 1, 4), dtype=np.float32)
    patches[1, 0, 0, 3] = np.nan
    with pytest.raises(ContractError, match="image 1 hold 1 value"):
        scorer.score(FeatureGrid(patches))
    with pytest.raises(ContractError, match=r"fits on `bag`.*emitted `images`"):
        ANOMALYDINO.make(AnomalyDinoParams()).fit(Images(np.eye(3, dtype="f4")), None)
    with pytest.raises(ContractError, match="no rows"):
        fitted(np.zeros((0, 3)))
    with pytest.raises(ContractError, match="not finite"):
        fitted(np.full((2, 3), np.inf))


@pytest.mark.parametrize("bad", [{"top_ratio": 0.0}, {"top_ratio": 1.1}, {"k": 1}])
def test_bad_params_are_refused(bad):
    with pytest.raises(ValidationError):
        AnomalyDinoParams(**bad)


def test_the_plugin_is_found_through_its_entry_point():
    (entry,) = [e for e in entry_points(group="adharness") if e.name == "anomalydino"]
    assert entry.load() is adharness_anomalydino
    assert list(adharness_anomalydino.adharness_scorers()) == [ANOMALYDINO]
    assert isinstance(ANOMALYDINO.make(AnomalyDinoParams()), Scorer)


def test_importing_the_plugin_does_not_import_faiss():
    code = "import sys, adharness_anomalydino; sys.exit('faiss' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
