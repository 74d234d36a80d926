"""How far two arrays are apart, and what is said of two records."""

from __future__ import annotations

import numpy as np
import pytest

from adharness.reproduction import changed, compare_runs
from adharness.reproduction.deviations import Kind, deviation
from plain_records import plain_run


def test_equal_arrays_are_identical_to_the_last_bit():
    values = np.array([1.0, np.nan, np.inf, -0.5])
    found = deviation(values, values.copy())
    assert (found.count, found.identical, found.unlike, found.relative) == (4, 4, 0, 0.0)
    assert found.within(0.0)


def test_one_unit_in_the_last_place_is_not_identical_but_agrees():
    first = np.array([1.0, 2.0])
    second = np.nextafter(first, 9.0)
    found = deviation(first, second)
    assert found.identical == 0
    assert found.within(1e-15)
    assert not found.within(0.0)


def test_zero_and_minus_zero_are_two_bits_apart_and_no_distance():
    found = deviation(np.array([0.0]), np.array([-0.0]))
    assert (found.identical, found.relative) == (0, 0.0)


def test_relative_is_to_the_largest_value_of_the_first():
    found = deviation(np.array([100.0, 0.001]), np.array([100.0, 0.002]))
    assert found.absolute == pytest.approx(0.001)
    assert found.relative == pytest.approx(1e-5)
    assert deviation(np.array([0.1]), np.array([0.2]), floor=1.0).relative == pytest.approx(0.1)


def test_zeros_are_measured_by_the_second_side():
    assert deviation(np.zeros(2), np.array([0.0, 1e-30])).relative == 1.0


@pytest.mark.parametrize(
    ("first", "second", "unlike"),
    [
        (np.array([1.0, np.nan]), np.array([1.0, 2.0]), 1),
        (np.array([np.inf]), np.array([1e300]), 1),
        (np.array([np.inf]), np.array([-np.inf]), 1),
        (np.zeros(3), np.zeros(4), 4),
        (np.zeros((2, 2)), np.zeros(4), 4),
        (np.array(["a", "b"]), np.array(["a", "c"]), 1),
        (np.array(["1"]), np.array([1.0]), 1),
    ],
)
def test_what_one_side_alone_defines_never_agrees(first, second, unlike):
    found = deviation(first, second)
    assert found.unlike == unlike
    assert not found.within(1.0)


def test_empty_arrays_agree():
    assert deviation(np.zeros(0), np.zeros(0)).within(0.0)


def test_a_kind_names_the_place_of_its_worst_number():
    kind = Kind("metrics")
    kind.add(deviation(np.array([1.0]), np.array([1.1])), "here")
    kind.add(deviation(np.array([1.0]), np.array([1.01])), "there")
    assert (kind.count, kind.where) == (2, "here")
    kind.add(deviation(np.array([1.0]), np.array([np.nan])), "gone")
    assert (kind.where, kind.unlike) == ("gone", 1)


def test_numbers_that_count_ranks_within_an_image_may_be_further_off_but_not_far():
    for name, agrees in (("curves", True), ("metrics", False)):
        kind = Kind(name)
        kind.add(deviation(np.array([1.0]), np.array([1.00005])), "here")
        assert kind.within(1e-5) is agrees
    far = Kind("curves")
    far.add(deviation(np.array([1.0]), np.array([1.01])), "here")
    assert not far.within(1e-5)


def test_facts_that_the_older_record_does_not_know_are_no_difference():
    old = plain_run("a", methods={}, protocols=[], metrics=[], datasets=[], cells=[],
                    provenance={"cpu": "x", "versions": {"numpy": "1", "gone": "2"}})  # fmt: skip
    now = old.model_copy(update={
        "provenance": {"cpu": "y", "versions": {"numpy": "2"}, "threads": {"a": 1}},
        "weights": {"lite0": "9f"},
    })  # fmt: skip
    moved, unknown = changed(old, now)
    assert [tuple(one) for one in moved] == [
        ("cpu", "x", "y"), ("versions.gone", "2", "-"), ("versions.numpy", "1", "2"),
    ]  # fmt: skip
    assert unknown == ["threads", "weights"]


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    from adharness.errors import StoreError

    with pytest.raises(StoreError, match=r"no run\.json"):
        compare_runs(tmp_path, tmp_path)
