from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adharness_patchcore.candidates import Pool

BOUNDS = st.lists(st.integers(-1, 3), min_size=1, max_size=40)  # few values: many ties


def assert_true_of_the_others(pool, bound):
    outside = np.setdiff1d(np.arange(len(bound)), pool.positions)
    assert (bound[outside] <= pool.level).all()
    assert (outside[bound[outside] == pool.level] >= pool.barrier).all()
    assert (np.diff(pool.positions) > 0).all()


@settings(max_examples=500, deadline=None)
@given(bounds=BOUNDS, fallen=BOUNDS, wide_size=st.integers(1, 30), inner_size=st.integers(1, 12))
@example(  # 7 and 9 fall to the level at which 5 was left outside
    bounds=[0, 0, 4, 0, 0, 4, 0, 5, 0, 5],
    fallen=[0, 0, 0, 0, 0, 4, 0, 4, 0, 4],
    wide_size=3,
    inner_size=1,
)
def test_what_a_pool_says_of_the_others_holds_also_in_a_pool_of_a_pool_whose_bounds_fell(
    bounds, fallen, wide_size, inner_size
):
    bound = np.array(bounds, dtype=np.float64)
    wide = Pool.whole(len(bound)).largest(bound, wide_size)
    assert len(wide.positions) == min(wide_size, len(bound))
    assert_true_of_the_others(wide, bound)
    assert wide.leads(bound) == (bound.max() > 0)
    bound = np.minimum(bound, np.resize(fallen, len(bound)))
    assert_true_of_the_others(wide, bound)
    inner = wide.largest(bound, inner_size)
    assert len(inner.positions) == min(inner_size, len(wide.positions))
    assert_true_of_the_others(inner, bound)
    assert inner.leads(bound) == wide.leads(bound)  # or a search would not end


@settings(max_examples=200, deadline=None)
@given(bounds=BOUNDS, size=st.integers(1, 12))
def test_a_pool_that_leads_holds_the_lowest_of_the_farthest_points(bounds, size):
    bound = np.array(bounds, dtype=np.float64)
    pool = Pool.whole(len(bound)).largest(bound, size)
    if pool.leads(bound):
        assert int(bound.argmax()) in pool.positions
