"""What is refused as a state, whoever restores it."""

from __future__ import annotations

import numpy as np
import pytest

from adharness import ContractError, Layout, check_state
from adharness.testing.states import spoiled

LAYOUT: Layout = {
    "mean": ("float64", ("D",)),
    "axes": ("float32", (2, "D")),
    "flags": ("bool", ("n",)),
}
STATE = {
    "mean": np.zeros(3),
    "axes": np.ones((2, 3), np.float32),
    "flags": np.zeros(4, np.bool_),
}


def test_a_good_state_is_given_back_uncopied_with_its_sizes():
    checked = check_state(STATE, LAYOUT, scorer="s")
    assert all(checked[name] is STATE[name] for name in LAYOUT)
    assert checked.sizes == {"D": 3, "n": 4}


@pytest.mark.parametrize(
    ("name", "state"),
    [pytest.param(name, state, id=f"{name}: {what}") for what, name, state in spoiled(STATE)],
)
def test_a_spoiled_state_is_refused_with_the_name_of_its_array(name, state):
    with pytest.raises(ContractError, match=f"'{name}'|'surplus'") as caught:
        check_state(state, LAYOUT, scorer="s")
    if name != "mean":  # whose length others may be measured by
        assert f"'{name}'" in str(caught.value)


def test_lengths_of_one_name_must_agree():
    state = {**STATE, "axes": np.ones((2, 4), np.float32)}
    with pytest.raises(ContractError, match=r"s's array 'axes' has shape \(2, 4\), expected"):
        check_state(state, LAYOUT, scorer="s")


def test_an_array_that_lies_across_memory_is_copied_so_that_products_round_alike():
    turned = np.ones((3, 2), np.float32).T
    shifted = np.zeros(8 * 3 + 1, np.uint8)[1:].view(np.float64)
    assert not turned.flags.c_contiguous
    assert not shifted.flags.aligned
    checked = check_state({**STATE, "axes": turned, "mean": shifted}, LAYOUT, scorer="s")
    assert checked["axes"].flags.c_contiguous
    assert checked["mean"].flags.aligned
