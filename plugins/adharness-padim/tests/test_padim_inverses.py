from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from adharness_padim import inverses


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 70))
def test_a_lower_triangle_times_its_inverse_is_the_identity(seed, size):
    rng = np.random.default_rng(seed)
    lower = np.tril(rng.normal(size=(3, size, size)), -1) / size
    lower += np.eye(size) * rng.uniform(0.5, 2, size=(3, 1, size))
    inverse = inverses.invert_lower(lower)
    np.testing.assert_allclose(lower @ inverse, np.eye(size) + np.zeros_like(lower), atol=1e-9)
    np.testing.assert_array_equal(inverse, np.tril(inverse))
