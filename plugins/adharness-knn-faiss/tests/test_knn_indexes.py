from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from adharness import Bag, ContractError, FeatureGrid, Images
from adharness_knn_faiss import KNN, KnnParams


def normals(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def fitted(rows, seed=0, **params):
    memory = Bag(rows=np.asarray(rows, np.float32), images=np.zeros(len(rows), dtype=np.int64))
    return KNN.make(KnnParams(**params)).fit(memory, np.random.default_rng(seed))


def grid(rows):
    return FeatureGrid(rows.reshape(1, 1, *rows.shape))


COARSE = [
    {"index": "ivf", "lists": 20, "probes": 1},
    {"index": "pq", "lists": 5, "sub_vectors": 2, "bits": 3},
]


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize(
    "index",
    [
        {"index": "ivf", "lists": 9, "probes": 9},
        {"index": "pq", "lists": 9, "probes": 9, "bits": 4, "candidates": 300},
    ],
)
def test_looking_everywhere_gives_the_exact_scores_and_a_recall_of_one(metric, index):
    rows, queries = normals(1, 300, 8), grid(normals(2, 40, 8))
    exact = fitted(rows, k=3, metric=metric)
    whole = fitted(rows, k=3, metric=metric, **index)
    np.testing.assert_allclose(whole.score(queries).patches, exact.score(queries).patches, 1e-6)
    assert whole.recall == 1.0
    assert exact.recall is None


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("index", COARSE)
def test_a_coarse_index_never_scores_below_the_exact_one_and_says_what_it_missed(metric, index):
    rows, queries = normals(3, 600, 8), grid(normals(4, 100, 8))
    exact = fitted(rows, k=4, metric=metric).score(queries).patches
    scorer = fitted(rows, k=4, metric=metric, **index)
    scores = scorer.score(queries).patches
    assert np.isfinite(scores).all()
    assert (scores >= exact * np.float32(1 - 1e-6)).all()
    assert (scores > exact * 1.001).any()
    assert 0.1 < scorer.recall < 0.95


def brute_recall(rows, scorer, k):
    """Literal recall@k of every row against the others, from the rows the index returns."""
    hits = []
    for i, row in enumerate(rows.astype(np.float64)):
        distance = np.sqrt(((rows.astype(np.float64) - row) ** 2).sum(axis=1))
        distance[i] = np.inf
        true = set(np.argsort(distance)[:k].tolist())
        prepared = scorer.search.measure.prepare(rows[i : i + 1])
        found = [j for j in scorer.search.index.search(prepared, k + 4)[1][0] if j not in (i, -1)]
        hits.append(len(true & set(sorted(found, key=lambda j: distance[j])[:k])) / k)
    return np.mean(hits)


def test_the_recall_is_the_share_of_true_neighbours_found_by_a_literal_count():
    rows = normals(5, 200, 6)  # fewer than the sample: every row is asked
    scorer = fitted(rows, k=3, index="ivf", lists=10, probes=2)
    assert scorer.recall == pytest.approx(brute_recall(rows, scorer, 3), abs=1e-9)
    assert scorer.recall < 0.9


def test_more_probes_find_no_fewer_neighbours():
    rows = normals(6, 500, 8)
    recalls = [fitted(rows, k=3, index="ivf", lists=16, probes=p).recall for p in (1, 4, 16)]
    assert recalls[0] < recalls[1] < recalls[2] == 1.0


@pytest.mark.parametrize("index", COARSE)
def test_scores_follow_the_rng_and_not_the_batch_or_its_order(index):
    rows, patches = normals(7, 300, 8), normals(8, 4, 3, 5, 8)
    scorer, again = (fitted(rows, seed=3, k=2, **index) for _ in range(2))
    other = fitted(rows, seed=4, k=2, **index)
    whole = scorer.score(FeatureGrid(patches)).patches
    np.testing.assert_array_equal(again.score(FeatureGrid(patches)).patches, whole)
    assert again.recall == scorer.recall
    assert not np.array_equal(other.score(FeatureGrid(patches)).patches, whole)
    turned = scorer.score(FeatureGrid(patches[::-1])).patches[::-1]
    np.testing.assert_array_equal(turned, whole)
    alone = [scorer.score(FeatureGrid(patches[i : i + 1])).patches[0] for i in range(4)]
    np.testing.assert_array_equal(alone, whole)


def test_a_query_whose_cell_holds_fewer_than_k_rows_is_looked_up_in_all_cells():
    far = np.vstack([np.full((1, 3), 100.0), normals(9, 60, 3)])
    scorer = fitted(far, k=5, index="ivf", lists=2, probes=1)
    scores = scorer.score(grid(np.full((1, 3), 100.0, np.float32))).patches
    np.testing.assert_allclose(scores, fitted(far, k=5).score(grid(far[:1])).patches, 1e-6)


@pytest.mark.parametrize("index", [{"index": "ivf"}, {"index": "pq", "bits": 2}])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_constant_and_duplicate_rows_score_zero_with_a_recall_of_one(index, metric):
    rows = np.tile(np.float32([[1, 2, 3, 4]]), (90, 1))
    scorer = fitted(rows, k=3, metric=metric, **index)
    np.testing.assert_allclose(scorer.score(grid(rows[:2])).patches, 0, atol=1e-15)
    assert scorer.recall == 1.0


def test_a_memory_of_one_row_is_indexed_and_has_nothing_to_miss():
    scorer = fitted(np.ones((1, 4)), index="ivf")
    assert scorer.recall == 1.0
    np.testing.assert_allclose(scorer.score(grid(np.zeros((1, 4), np.float32))).patches, 2.0)


def test_image_embeddings_can_be_indexed_too():
    rows = normals(10, 100, 4)
    params = KnnParams(index="ivf", k=2)
    scorer = KNN.make(params).fit(Images(rows), np.random.default_rng(0))
    scores = scorer.score(FeatureGrid(np.zeros((3, 1, 1, 2), np.float32), rows[:3]))
    assert scores.images.shape == (3,)
    assert 0 < scorer.recall <= 1


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"index": "ivf", "lists": 50}, "lists = 50 cells asked of a memory with 40 row"),
        ({"index": "pq"}, "bits = 8 gives 256 codes, the memory has 40 row"),
        ({"index": "pq", "bits": 4, "sub_vectors": 4}, "sub_vectors = 4 does not divide D = 6"),
        ({"index": "ivf", "k": 41}, "k = 41 neighbours asked"),
    ],
)
def test_an_index_that_cannot_be_built_is_refused_with_its_numbers(params, message):
    with pytest.raises(ContractError, match=message):
        fitted(normals(11, 40, 6), **params)


@pytest.mark.parametrize("index", ["ivf", "pq"])
def test_other_lengths_and_nan_are_refused_by_every_index(index):
    scorer = fitted(normals(12, 300, 6), index=index, **({"bits": 4} if index == "pq" else {}))
    with pytest.raises(ContractError, match="D = 5, the memory has D = 6"):
        scorer.score(grid(np.zeros((1, 5), np.float32)))
    with pytest.raises(ContractError, match="not finite"):
        scorer.score(grid(np.full((1, 6), np.nan, np.float32)))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"probes": 4}, "index 'flat' has no parameter probes"),
        ({"index": "ivf", "bits": 4, "sub_vectors": 2}, "no parameter sub_vectors, bits"),
        ({"index": "ivf", "k": 5, "candidates": 4}, "candidates = 4 is less than k = 5"),
        ({"index": "hnsw"}, "flat"),
    ],
)
def test_a_parameter_that_the_index_would_not_read_is_refused(params, message):
    with pytest.raises(ValidationError, match=message):
        KnnParams(**params)
