from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sklearn.neighbors import NearestNeighbors

import adharness_knn_faiss
from adharness import Bag, ContractError, FeatureGrid, Grid, Images, Scorer
from adharness.testing.worlds import ToyFeatures, toy_world
from adharness_knn_faiss import KNN, KnnParams


def bag(rows):
    return Bag(rows=rows.astype(np.float32), images=np.zeros(len(rows), dtype=np.int64))


def normals(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


def fitted(memory, **params):
    return KNN.make(KnnParams(**params)).fit(memory, np.random.default_rng(0))


def brute_force(queries, rows, k, metric):
    search = NearestNeighbors(n_neighbors=k, algorithm="brute", metric=metric)
    distances, _ = search.fit(rows.astype(np.float64)).kneighbors(queries.astype(np.float64))
    return distances.mean(axis=1)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("k", [1, 3, 40])
def test_patch_scores_equal_scikit_learn_in_float64(metric, k):
    rng = np.random.default_rng(1)
    rows, patches = normals(rng, 40, 7), normals(rng, 3, 4, 5, 7)
    scores = fitted(bag(rows), k=k, metric=metric).score(FeatureGrid(patches))
    expected = brute_force(patches.reshape(-1, 7), rows, k, metric)
    assert scores.images is None
    assert scores.patches.dtype == np.float32
    np.testing.assert_allclose(scores.patches.ravel(), expected, rtol=1e-6)


def test_embeddings_are_scored_on_images_memory():
    rng = np.random.default_rng(2)
    rows, embeddings = normals(rng, 20, 6), normals(rng, 5, 6)
    features = FeatureGrid(normals(rng, 5, 2, 2, 9), embeddings)
    scores = fitted(Images(rows), k=2).score(features)
    assert scores.patches is None
    np.testing.assert_allclose(scores.images, brute_force(embeddings, rows, 2, "euclidean"), 1e-6)


def test_a_row_of_the_bank_scores_exactly_zero_even_far_from_the_origin():
    rows = normals(np.random.default_rng(3), 500, 32) + np.float32(1000)
    scores = fitted(bag(rows)).score(FeatureGrid(rows[:40].reshape(2, 4, 5, 32)))
    assert (scores.patches == 0).all()


def test_neighbours_are_right_where_uncentred_float32_would_lose_them(monkeypatch):
    # small searches compare differences; from here on all use |x|^2 + |y|^2 - 2xy, as large ones do
    monkeypatch.setattr(faiss.cvar, "distance_compute_blas_threshold", 1)
    rng = np.random.default_rng(4)
    rows = normals(rng, 300, 40) * np.float32(0.01) + np.float32(100)
    patches = (normals(rng, 2, 5, 5, 40) * np.float32(0.01)) + np.float32(100)
    scores = fitted(bag(rows)).score(FeatureGrid(patches)).patches
    wide = rows.astype(np.float64)
    expected = [np.sqrt(((wide - q) ** 2).sum(1)).min() for q in patches.reshape(-1, 40)]
    np.testing.assert_allclose(scores.ravel(), expected, rtol=1e-6)


def test_zero_vectors_are_at_cosine_distance_one():
    rows = np.vstack([np.zeros(3), [1, 0, 0], [0, 2, 0]])
    queries = np.array([[0, 0, 0], [5, 0, 0]], dtype=np.float32).reshape(1, 1, 2, 3)
    scores = fitted(bag(rows), metric="cosine").score(FeatureGrid(queries))
    np.testing.assert_array_equal(scores.patches, [[[1, 0]]])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), metric=st.sampled_from(["euclidean", "cosine"]))
def test_a_score_is_the_same_to_the_bit_alone_in_any_batch_and_in_any_order(seed, metric):
    rng = np.random.default_rng(seed)
    scorer = fitted(bag(normals(rng, 70, 8)), k=3, metric=metric)
    patches = normals(rng, 5, 3, 9, 8)
    whole = scorer.score(FeatureGrid(patches)).patches
    order = rng.permutation(5)
    np.testing.assert_array_equal(scorer.score(FeatureGrid(patches[order])).patches, whole[order])
    for image in range(5):
        alone = scorer.score(FeatureGrid(patches[image : image + 1])).patches
        np.testing.assert_array_equal(alone[0], whole[image])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), k=st.integers(1, 12))
def test_more_neighbours_never_lower_a_score_and_duplicated_rows_change_k_1_never(seed, k):
    rng = np.random.default_rng(seed)
    rows, grid = normals(rng, 13, 4), FeatureGrid(normals(rng, 2, 2, 2, 4))
    fewer, more = (fitted(bag(rows), k=n).score(grid).patches for n in (k, k + 1))
    assert (more >= fewer).all()
    doubled = fitted(bag(np.vstack([rows, rows])), k=1).score(grid).patches
    np.testing.assert_allclose(doubled, fitted(bag(rows), k=1).score(grid).patches, rtol=1e-6)


def test_read_only_and_strided_inputs_give_the_same_scores_and_stay_unchanged():
    rng = np.random.default_rng(5)
    rows, patches = normals(rng, 30, 6), normals(rng, 2, 3, 4, 6)
    expected = fitted(bag(rows), k=2).score(FeatureGrid(patches)).patches
    strided_rows, strided = np.asfortranarray(rows), np.asfortranarray(patches)
    for array in (strided_rows, strided):
        array.setflags(write=False)
    scores = fitted(Bag(strided_rows, np.zeros(30, np.int64)), k=2).score(FeatureGrid(strided))
    np.testing.assert_array_equal(scores.patches, expected)
    np.testing.assert_array_equal(strided, patches)
    np.testing.assert_array_equal(strided_rows, rows)


def test_defects_of_a_toy_world_score_above_every_normal_patch():
    world = toy_world(np.random.default_rng(6), shift=20.0)
    scorer = fitted(bag(world.train.patches.reshape(-1, world.train.dim)))
    odd, normal = (scorer.score(f).patches for f in (world.anomalous, world.normal))
    assert odd[world.defects].min() > normal.max()


def test_the_thread_count_of_faiss_is_left_alone():
    before = faiss.omp_get_max_threads()
    fitted(bag(np.eye(4))).score(FeatureGrid(np.ones((1, 2, 2, 4), dtype=np.float32)))
    assert faiss.omp_get_max_threads() == before


def test_queries_whose_squares_overflow_are_measured_and_scores_stop_at_the_largest_value():
    far, too_far = (FeatureGrid(np.full((1, 1, 1, 4), x, dtype=np.float32)) for x in (1e20, 3e38))
    assert fitted(bag(np.eye(4)), k=2).score(far).patches.item() == np.float32(2e20)
    assert fitted(bag(np.eye(4))).score(too_far).patches.item() == np.finfo(np.float32).max


def test_more_neighbours_than_rows_is_an_error_with_both_numbers():
    with pytest.raises(ContractError, match=r"k = 5 .* 4 row"):
        fitted(bag(np.eye(4)), k=5)


def test_queries_of_another_length_are_refused_with_both_lengths():
    with pytest.raises(ContractError, match="D = 3, the memory has D = 4"):
        fitted(bag(np.eye(4))).score(FeatureGrid(np.zeros((1, 1, 1, 3), dtype=np.float32)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_feature_that_is_not_finite_is_refused_with_its_image(value):
    patches = np.zeros((3, 2, 2, 4), dtype=np.float32)
    patches[1, 0, 1, 2] = value
    with pytest.raises(ContractError, match="image 1 hold 1 value"):
        fitted(bag(np.eye(4))).score(FeatureGrid(patches))


def test_missing_embeddings_are_refused():
    with pytest.raises(ContractError, match="no image embeddings"):
        fitted(Images(np.eye(4, dtype=np.float32))).score(FeatureGrid(np.zeros((1, 1, 1, 4), "f4")))


def test_memories_that_cannot_be_searched_are_refused():
    with pytest.raises(ContractError, match="emitted `grid`"):
        fitted(Grid(ToyFeatures(np.zeros((2, 1, 1, 3), dtype=np.float32))))
    with pytest.raises(ContractError, match="no rows"):
        fitted(bag(np.zeros((0, 3))))
    with pytest.raises(ContractError, match="not finite"):
        fitted(bag(np.full((2, 3), np.nan)))


def test_bad_params_are_refused():
    for bad in ({"k": 0}, {"metric": "manhattan"}, {"n": 1}):
        with pytest.raises(ValidationError):
            KnnParams(**bad)


def test_the_plugin_is_found_through_its_entry_point():
    (entry,) = [e for e in entry_points(group="adharness") if e.name == "knn-faiss"]
    assert entry.load() is adharness_knn_faiss
    assert list(adharness_knn_faiss.adharness_scorers()) == [KNN]
    assert isinstance(KNN.make(KnnParams()), Scorer)


def test_importing_the_plugin_does_not_import_faiss():
    code = "import sys, adharness_knn_faiss; sys.exit('faiss' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
