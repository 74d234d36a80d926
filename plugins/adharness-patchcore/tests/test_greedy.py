from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adharness import ContractError
from adharness_patchcore import greedy, k_center_greedy


def textbook(points, count, start):
    """One centre at a time, in whole numbers; ties to the lowest position."""
    points = points.astype(np.int64)
    nearest = ((points - points[start]) ** 2).sum(axis=1)
    order = [start]
    while len(order) < count:
        nearest[order] = -1
        order.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, ((points - points[order[-1]]) ** 2).sum(axis=1))
    return np.array(order)


@pytest.fixture
def small_pool(monkeypatch):
    monkeypatch.setattr(greedy, "POOL", 8)
    monkeypatch.setattr(greedy, "GROUP", 3)
    monkeypatch.setattr(greedy, "CENTRES", 5)
    monkeypatch.setattr(greedy, "BLOCK_ROWS", 17)


def random_points(seed, size, dim, kind):
    rng = np.random.default_rng(seed)
    if kind == "ties":
        return rng.integers(0, 3, size=(size, dim)).astype(np.float32)
    points = rng.normal(size=(size, dim))
    if kind == "duplicates":
        points = points[rng.integers(0, max(1, size // 3), size=size)]
    return (points * rng.choice([1e-3, 1.0, 1e4]) + rng.normal()).astype(np.float32)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.integers(1, 90),
    dim=st.integers(1, 6),
    kind=st.sampled_from(["spread", "ties", "duplicates"]),
    data=st.data(),
)
def test_the_choice_is_that_of_the_textbook_loop(seed, size, dim, kind, data):
    points = random_points(seed, size, dim, kind)
    count, start = data.draw(st.integers(1, size)), data.draw(st.integers(0, size - 1))
    expected = textbook(greedy.round_to_grid(points), count, start)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"POOL": 8, "GROUP": 3, "CENTRES": 5, "BLOCK_ROWS": 17}.items():
            patch.setattr(greedy, name, value)
        np.testing.assert_array_equal(k_center_greedy(points, count, start=start), expected)


def test_the_choice_is_that_of_the_textbook_loop_with_the_real_block_sizes():
    points = random_points(1, 6000, 16, "spread")
    expected = textbook(greedy.round_to_grid(points), 400, 17)
    np.testing.assert_array_equal(k_center_greedy(points, 400, start=17), expected)


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
    points = greedy.round_to_grid(random_points(seed, 9, dim, "spread"))
    np.testing.assert_array_equal(points, np.rint(points))
    assert dim * (2 * float(np.abs(points).max())) ** 2 <= 2**53


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
