from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from adharness import Bag, ContractError, FeatureGrid
from adharness_knn_faiss import KNN, KnnParams, bounds, processors, search, two_stage
from adharness_knn_faiss.search import NearestRows

torch = pytest.importorskip("torch")
METRICS = ["euclidean", "cosine", "direction"]
MODES = ["flat", "two-stage"]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Several blocks in a small memory."""
    monkeypatch.setattr(two_stage, "BLOCK", 64)
    monkeypatch.setattr(two_stage, "GROUPS", 64 // two_stage.GROUP)


def normals(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def unit(vectors):
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)


def brute(rows, queries, k, metric="euclidean"):
    """Distances and positions by a stable sort of all float64 distances."""
    rows, queries = rows.astype(np.float64), queries.astype(np.float64)
    if metric != "euclidean":
        rows, queries = unit(rows), unit(queries)
    if metric == "cosine":
        every = np.stack([1 - rows @ query for query in queries])
    else:
        squared = np.stack([((rows - query) ** 2).sum(axis=1) for query in queries])
        every = np.sqrt(squared) if metric == "euclidean" else squared / 2
    order = np.argsort(every, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(every, order, axis=1), order


def lost(*_):
    raise AssertionError("a query was left to the other search")


def certified(rows, queries, k, metric="euclidean"):
    """The two-stage search alone: it may leave nothing to FAISS."""
    return NearestRows.of(rows, metric, "two-stage").two_stage.nearest(queries, k, crowded=lost)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("k", [1, 5, 12])
def test_two_stages_find_what_a_float64_comparison_with_every_row_finds(metric, k):
    rows, queries = normals(1, 500, 40) + 1, normals(2, 60, 40) + 1
    distances, positions = certified(rows, queries, k, metric)
    expected, order = brute(rows, queries, k, metric)
    np.testing.assert_array_equal(positions, order)
    np.testing.assert_allclose(distances, expected, rtol=1e-11)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("k", [1, 4])
def test_flat_and_two_stage_give_the_same_bits(metric, k):
    rows, queries = normals(3, 700, 24), normals(4, 90, 24)
    answers = [NearestRows.of(rows, metric, mode).nearest(queries, k) for mode in MODES]
    np.testing.assert_array_equal(answers[0][0], answers[1][0])
    np.testing.assert_array_equal(answers[0][1], answers[1][1])


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 300),
    dim=st.integers(1, 20),
    k=st.integers(1, 8),
    coarse=st.sampled_from([0.0, 0.5, 2.0]),
    mode=st.sampled_from(MODES),
)
def test_any_small_memory_is_searched_exactly_in_distance(seed, count, dim, k, coarse, mode):
    rng = np.random.default_rng(seed)
    rows, queries = (rng.normal(size=(n, dim)).astype(np.float32) for n in (count, 9))
    if coarse:  # values on a grid: many ties and duplicates
        rows, queries = (np.round(x / coarse) * np.float32(coarse) for x in (rows, queries))
    k = min(k, count)
    distances, positions = NearestRows.of(rows, search=mode).nearest(queries, k)
    np.testing.assert_allclose(distances, brute(rows, queries, k)[0], rtol=1e-12, atol=1e-300)
    assert all(len(set(row)) == k for row in positions)


@pytest.mark.parametrize("scale", [1e-42, 1e-30, 1.0, 1e18, 1e30, 1e37])
@pytest.mark.parametrize("mode", MODES)
def test_tiny_denormal_and_huge_features_are_searched_as_well_as_others(scale, mode):
    rows = (normals(5, 200, 12).astype(np.float64) * scale).astype(np.float32)
    queries = (normals(6, 20, 12).astype(np.float64) * scale).astype(np.float32)
    distances, positions = NearestRows.of(rows, search=mode).nearest(queries, 3)
    expected, order = brute(rows, queries, 3)
    np.testing.assert_array_equal(positions, order)
    np.testing.assert_allclose(distances, expected, rtol=1e-12)


@pytest.mark.parametrize("mode", MODES)
def test_a_query_beyond_float32_squares_is_measured_against_every_row(mode):
    rows, queries = normals(7, 150, 6), np.full((2, 6), 1e25, dtype=np.float32)
    queries[1] = 0.5
    distances, positions = NearestRows.of(rows, search=mode).nearest(queries, 2)
    expected, order = brute(rows, queries, 2)
    np.testing.assert_allclose(distances, expected, rtol=1e-12)
    np.testing.assert_array_equal(positions[1], order[1])


def test_near_ties_below_what_bfloat16_can_tell_are_put_in_their_true_order():
    rows = np.ones((300, 16), dtype=np.float32)
    rows[:, 0] += np.random.default_rng(8).permutation(300) * np.float32(2.0**-22)
    rows = np.vstack([rows, normals(9, 200, 16) * 50])
    queries = np.zeros((3, 16), dtype=np.float32)
    found = NearestRows.of(rows, search="two-stage").nearest(queries, 4)
    np.testing.assert_array_equal(found[1], brute(rows, queries, 4)[1])


def adversaries():
    """Ten rows around each query, whose order is decided by what bfloat16 drops."""
    queries = 2 * normals(11, 30, 64)
    around = np.sign(normals(10, 30, 10, 64)) * np.float32(0.1)
    around *= 1 + np.float32(0.001) * np.arange(10, dtype=np.float32)[::-1, None]
    return (queries[:, None] + around).reshape(-1, 64), queries


def test_rows_that_bfloat16_puts_in_the_wrong_order_are_put_right():
    rows, queries = adversaries()
    low = (torch.from_numpy(x).bfloat16().float().numpy() for x in (rows, queries))
    assert (brute(*low, 1)[1] != brute(rows, queries, 1)[1]).any()
    np.testing.assert_array_equal(certified(rows, queries, 1)[1], brute(rows, queries, 1)[1])


def test_with_a_bound_that_is_too_small_the_same_rows_are_missed(monkeypatch):
    def unbounded(prepared, block, hats, *, inner):
        reach = bounds.row_columns(prepared, block, hats, inner=inner)
        hats[:, -2:] = 0
        return reach

    monkeypatch.setattr(two_stage, "row_columns", unbounded)
    rows, queries = adversaries()
    found = NearestRows.of(rows, search="two-stage").nearest(queries)[1]
    assert (found != brute(rows, queries, 1)[1]).any()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("offset", [0.0, 30.0])
def test_no_bound_is_above_the_true_distance(metric, offset):
    rows, queries = normals(12, 300, 48) + offset, normals(13, 50, 48) * 2 + offset
    two = NearestRows.of(rows, metric, "two-stage").two_stage
    bits, lowest, _, _ = two._bounds(two.measure.prepare(queries))
    values = bits.view(torch.bfloat16).double().permute(1, 0, 2, 3).reshape(50, -1).numpy()
    every, order = brute(rows, queries, 300, metric)
    true = np.empty_like(every)
    np.put_along_axis(true, order, two.measure.compared(every), axis=1)
    bound = values[:, :300]  # the only padding is at the end of the last block
    assert (bound <= true[:, two.order] * (1 + bounds.OUTPUT) + bounds.LEAST).all()
    assert (values[:, 300:] == bounds.PADDING).all()
    assert np.median(true[:, two.order] - bound) < 0.02 * np.median(true)
    grouped = bits.permute(1, 0, 2, 3).amin(2).reshape(50, -1)
    assert torch.equal(lowest, grouped)


@pytest.mark.parametrize("mode", MODES)
def test_constant_rows_and_duplicates_have_their_distances(mode):
    rows = np.tile(np.float32([[1, 2, 3]]), (400, 1))
    near = NearestRows.of(rows, search=mode)
    distances, positions = near.nearest(rows[:5] + np.float32([2, 0, 0]), 6)
    assert (distances == 2).all()
    assert all(len(set(row)) == 6 for row in positions)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("count", [1, 7, 200])
def test_all_rows_can_be_asked_for_down_to_one(mode, count):
    rows, queries = normals(14, count, 5), normals(15, 4, 5)
    distances, positions = NearestRows.of(rows, search=mode).nearest(queries, count)
    np.testing.assert_allclose(distances, brute(rows, queries, count)[0], rtol=1e-12)
    np.testing.assert_array_equal(np.sort(positions, axis=1), np.tile(np.arange(count), (4, 1)))


def test_the_neighbours_of_a_row_begin_with_itself_even_among_duplicates():
    near = NearestRows.of(np.array([[0.0], [1.0], [0.0], [5.0], [0.4]], dtype=np.float32))
    np.testing.assert_array_equal(near.around(2, 3), [2, 0, 4])
    np.testing.assert_array_equal(near.near(np.float32([0.9]), 2), [1, 4])
    many = NearestRows.of(np.zeros((50, 2), dtype=np.float32))
    assert many.around(37, 4)[0] == 37


@pytest.mark.parametrize("metric", METRICS)
def test_an_answer_does_not_depend_on_the_other_queries_to_the_bit(metric):
    rows, queries = normals(16, 300, 9), normals(17, 40, 9)
    near = NearestRows.of(rows, metric, "two-stage")
    whole = near.nearest(queries, 3)
    for i in (0, 13, 39):
        alone = near.nearest(queries[i : i + 1], 3)
        np.testing.assert_array_equal(alone[0][0], whole[0][i])
        np.testing.assert_array_equal(alone[1][0], whole[1][i])


def test_crowded_queries_compared_again_in_float32_are_exact(monkeypatch):
    monkeypatch.setattr(two_stage, "WORTH", -1000)  # every query is
    monkeypatch.setattr(two_stage, "CROWD", 1)
    rows, queries = normals(18, 500, 30), normals(19, 50, 30)
    for metric in METRICS:
        _, positions = certified(rows, queries, 3, metric)
        np.testing.assert_array_equal(positions, brute(rows, queries, 3, metric)[1])


@pytest.mark.parametrize("k", [1, 3, 7, 20])
def test_the_lowest_groups_are_the_lowest_of_all_blocks(k):
    values = np.random.default_rng(23).integers(-50, 5000, (30, 5, two_stage.GROUPS), "i2")
    values = torch.from_numpy(values)
    chosen = values.flatten(1).gather(1, two_stage._lowest(values, k)).sort(1)[0]
    assert torch.equal(chosen, values.flatten(1).sort(1)[0][:, :k])


def grids():
    memory = Bag(normals(20, 400, 8), np.zeros(400, dtype=np.int64))
    return memory, FeatureGrid(normals(21, 2, 5, 6, 8))


def test_the_scorer_scores_the_same_by_each_search():
    memory, features = grids()
    scores = [
        KNN.make(KnnParams(search=mode, k=3)).fit(memory, np.random.default_rng(0))
        for mode in ("auto", "flat", "two-stage")
    ]
    first, *others = (fitted.score(features).patches for fitted in scores)
    for other in others:
        np.testing.assert_array_equal(first, other)


def test_facts_are_the_recall_of_an_approximate_index_only():
    memory, _ = grids()
    rng = np.random.default_rng(0)
    exact, coarse = (KNN.make(KnnParams(index=i)).fit(memory, rng) for i in ("flat", "ivf"))
    assert exact.facts() == {}
    assert coarse.facts() == {"recall": coarse.recall}


def test_the_search_is_no_parameter_of_an_approximate_index():
    with pytest.raises(ValidationError, match="index 'ivf' has no parameter search"):
        KnnParams(index="ivf", search="two-stage")


def test_two_stages_without_torch_are_refused_and_auto_is_flat(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(processors, "find_spec", lambda name: None)
    with pytest.raises(ContractError, match="two-stage needs torch"):
        NearestRows.of(normals(22, 10, 3), search="two-stage")
    assert not processors.gains(10_000, 100_000, 512)


def test_auto_takes_two_stages_for_few_neighbours_only(monkeypatch):
    monkeypatch.setattr(search, "gains", lambda *_: True)
    near = NearestRows.of(normals(24, 10, 3))
    assert near._in_two_stages(1000, 4)
    assert not near._in_two_stages(1000, 5)


def test_auto_takes_two_stages_only_for_large_searches_on_able_processors(monkeypatch):
    monkeypatch.setattr(processors, "device", lambda: "cpu")
    assert processors.gains(784, 20_000, 1024)
    assert not processors.gains(784, 500, 64)
    assert not processors.gains(1, 1_000_000, 1024)
    monkeypatch.setattr(processors, "device", lambda: None)
    assert not processors.gains(784, 20_000, 1024)
