from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adharness import ContractError
from adharness_patchcore import (
    cells,
    centres,
    greedy,
    k_center_greedy,
    k_center_greedy_from_anchors,
    rounded,
)
from adharness_patchcore.rounded import RoundedPoints

SMALL = ((greedy, "POOL", 8), (greedy, "WIDE", 3), (centres, "CHUNK", 5), (cells, "PRODUCT", 9))


def whole(points):
    return RoundedPoints.of(points).rows(slice(None)).astype(np.int64)


def textbook(points, count, nearest, order):
    """One centre at a time, in whole numbers; ties to the lowest position."""
    while len(order) < count:
        nearest[order] = -1
        order.append(int(nearest.argmax()))
        gap = ((points - points[order[-1]]) ** 2).sum(axis=1)
        nearest = np.minimum(nearest, gap)
    return np.array(order)


def textbook_from(points, count, start):
    points = whole(points)
    return textbook(points, count, ((points - points[start]) ** 2).sum(axis=1), [start])


def textbook_from_anchors(points, count, anchors):
    points = whole(points)
    total = np.zeros(len(points))
    for anchor in anchors:
        total += np.sqrt(((points - points[anchor]) ** 2).sum(axis=1).astype(np.float64))
    return textbook(points, count, (total / len(anchors)) ** 2, [])


@pytest.fixture
def small_pool(monkeypatch):
    for module in (greedy, rounded, cells):
        monkeypatch.setattr(module, "BLOCK_ROWS", 17)
    for module, name, value in (*SMALL, (cells, "SAMPLE", 8)):
        monkeypatch.setattr(module, name, value)


def random_points(seed, size, dim, kind):
    rng = np.random.default_rng(seed)
    if kind == "ties":
        return rng.integers(0, 3, size=(size, dim)).astype(np.float32)
    if kind == "constant":
        return np.full((size, dim), rng.normal(), dtype=np.float32)
    if kind == "far":  # two tight crowds far apart: float32 products cancel
        crowds = rng.choice([-1.0, 1.0], size=(size, 1))
        return (crowds + 1e-5 * rng.normal(size=(size, dim))).astype(np.float32)
    points = rng.normal(size=(size, dim))
    if kind == "duplicates":
        points = points[rng.integers(0, max(1, size // 3), size=size)]
    return (points * rng.choice([1e-3, 1.0, 1e4]) + rng.normal()).astype(np.float32)


WORLDS = {
    "seed": st.integers(0, 2**32 - 1),
    "size": st.integers(1, 90),
    "dim": st.integers(1, 6),
    "kind": st.sampled_from(["spread", "ties", "duplicates", "constant", "far"]),
    "crowd": st.sampled_from([0, 4, 10**6]),  # always one product, as in life, always by pairs
    "data": st.data(),
}


@settings(max_examples=200, deadline=None)
@given(**WORLDS)
def test_the_choice_is_that_of_the_textbook_loop(seed, size, dim, kind, crowd, data):
    points = random_points(seed, size, dim, kind)
    count = data.draw(st.one_of(st.just(size), st.integers(1, size)))
    start = data.draw(st.integers(0, size - 1))
    expected = textbook_from(points, count, start)
    with pytest.MonkeyPatch.context() as patch:
        for module, name, value in (*SMALL, (centres, "CROWD", crowd)):
            patch.setattr(module, name, value)
        np.testing.assert_array_equal(k_center_greedy(points, count, start=start), expected)


@settings(max_examples=100, deadline=None)
@given(**WORLDS)
def test_from_anchors_the_choice_is_that_of_the_textbook_loop(seed, size, dim, kind, crowd, data):
    points = random_points(seed, size, dim, kind)
    count = data.draw(st.integers(1, size))
    anchors = data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=10))
    expected = textbook_from_anchors(points, count, anchors)
    with pytest.MonkeyPatch.context() as patch:
        for module, name, value in (*SMALL, (centres, "CROWD", crowd)):
            patch.setattr(module, name, value)
        chosen = k_center_greedy_from_anchors(points, count, anchors=np.array(anchors))
    np.testing.assert_array_equal(chosen, expected)


@pytest.mark.parametrize("kind", ["spread", "ties", "far"])
def test_the_choice_is_that_of_the_textbook_loop_with_the_real_block_sizes(kind):
    points = random_points(1, 5000, 16, kind)
    expected = textbook_from(points, 700, 17)
    np.testing.assert_array_equal(k_center_greedy(points, 700, start=17), expected)


def test_rounding_to_the_grid_does_not_change_the_choice_on_ordinary_points():
    points = random_points(2, 800, 128, "spread").astype(np.float64)
    nearest, order = ((points - points[0]) ** 2).sum(axis=1), [0]
    for _ in range(99):
        order.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, ((points - points[order[-1]]) ** 2).sum(axis=1))
    chosen = k_center_greedy(points.astype(np.float32), 100, start=0)
    np.testing.assert_array_equal(chosen, order)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), dim=st.integers(1, 400))
def test_the_grid_holds_whole_numbers_whose_squared_distances_are_exact(seed, dim):
    points = RoundedPoints.of(random_points(seed, 9, dim, "spread")).rows(slice(None))
    np.testing.assert_array_equal(points, np.rint(points))
    assert dim * (2 * float(np.abs(points).max())) ** 2 <= 2**53


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), dim=st.integers(1, 400), near=st.booleans())
def test_no_float32_product_is_off_by_more_than_the_slack(seed, dim, near):
    kind = "far" if near else "spread"
    rows = RoundedPoints.of(random_points(seed, 60, dim, kind)).rows(slice(None))
    kept = centres.Centres.empty(30, dim)
    for row in rows[:30]:
        kept.append(row)
    group = centres._Group.of(rows, np.zeros(60), np.zeros(60, dtype=np.int64), np.arange(60))
    slack = group._slack(60, dim + 1, float(kept.lengths.max()))
    exact = whole_distances(rows, rows[:30]) - group.lengths[:, None]
    assert (np.abs(group.rows @ kept.rows.T - exact) <= slack[:, None]).all()


def whole_distances(left, right):
    return ((left[:, None].astype(np.int64) - right.astype(np.int64)) ** 2).sum(axis=2)


def test_points_in_a_memory_map_give_the_same_choice_and_are_read_in_blocks(
    tmp_path, small_pool, monkeypatch
):
    points = random_points(9, 300, 4, "spread")
    np.save(tmp_path / "points.npy", points)
    mapped = np.load(tmp_path / "points.npy", mmap_mode="r")
    sizes = []
    read = RoundedPoints.rows
    monkeypatch.setattr(
        RoundedPoints, "rows", lambda *a: [found := read(*a), sizes.append(len(found))][0]
    )
    chosen = k_center_greedy(mapped, 40, start=5)
    np.testing.assert_array_equal(chosen, k_center_greedy(points, 40, start=5))
    assert max(sizes) == 17  # BLOCK_ROWS; the pool is smaller


def test_progress_is_told_growing_numbers_up_to_the_count(small_pool):
    told = []
    k_center_greedy(random_points(10, 200, 3, "spread"), 50, start=0, progress=told.append)
    assert told == sorted(told)
    assert len(told) > 2
    assert told[-1] == 50


def test_progress_ends_at_the_count_also_where_only_duplicates_are_left():
    told = []
    k_center_greedy(np.ones((9, 2), dtype=np.float32), 6, start=0, progress=told.append)
    assert told[-1] == 6


def test_a_point_near_all_anchors_is_not_taken_although_the_others_are_close_together():
    points = np.array([[0.0], [0.5], [1.0], [10.0]], dtype=np.float32)
    chosen = k_center_greedy_from_anchors(points, 2, anchors=np.array([0, 2]))
    np.testing.assert_array_equal(chosen, [3, 0])


def test_each_centre_is_the_farthest_point_from_those_before():
    points = random_points(3, 300, 4, "spread").astype(np.float64)
    order = k_center_greedy(points.astype(np.float32), 40, start=9)
    for size in range(1, 40):
        gap = np.linalg.norm(points[:, None] - points[order[:size]], axis=2).min(axis=1)
        assert gap[order[size]] == pytest.approx(gap.max(), rel=1e-5)


def test_a_shorter_run_is_the_beginning_of_a_longer_one(small_pool):
    points = random_points(4, 200, 3, "ties")
    long = k_center_greedy(points, 150, start=3)
    np.testing.assert_array_equal(k_center_greedy(points, 60, start=3), long[:60])


def test_constant_points_are_taken_in_order_after_the_start(small_pool):
    chosen = k_center_greedy(np.full((30, 4), 2.5, dtype=np.float32), 5, start=2)
    np.testing.assert_array_equal(chosen, [2, 0, 1, 3, 4])


def test_duplicates_are_chosen_only_after_every_distinct_point(small_pool):
    points = np.repeat(random_points(5, 10, 3, "spread"), 7, axis=0)
    chosen = k_center_greedy(points, 70, start=69)
    assert sorted(chosen) == list(range(70))
    assert len(np.unique(points[chosen[:10]], axis=0)) == 10


def test_read_only_and_strided_points_work_and_stay_unchanged():
    points = random_points(6, 50, 5, "spread")
    frozen = np.asfortranarray(points)
    frozen.setflags(write=False)
    expected = k_center_greedy(points, 10, start=0)
    np.testing.assert_array_equal(k_center_greedy(frozen, 10, start=0), expected)


@pytest.mark.parametrize(("count", "start"), [(0, 0), (6, 0), (2, 5), (2, -1)])
def test_numbers_out_of_range_are_refused(count, start):
    with pytest.raises(ContractError, match=r"5 point\(s\)"):
        k_center_greedy(np.zeros((5, 2), dtype=np.float32), count, start=start)


def test_points_that_are_not_finite_are_refused():
    with pytest.raises(ContractError, match="not finite"):
        k_center_greedy(np.array([[0.0], [np.nan]], dtype=np.float32), 1, start=0)


def test_anchors_out_of_range_or_missing_are_refused():
    points = np.zeros((5, 2), dtype=np.float32)
    with pytest.raises(ContractError, match=r"anchor 5 is not a position of 5 point\(s\)"):
        k_center_greedy_from_anchors(points, 2, anchors=np.array([0, 5]))
    with pytest.raises(ContractError, match="no anchor is given"):
        k_center_greedy_from_anchors(points, 2, anchors=np.array([], dtype=np.int64))
