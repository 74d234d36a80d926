"""The router: the class of the nearest training image, each image on its own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adharness.engine.routing import NEIGHBOURS_A_CLASS, Router
from adharness.errors import DataError


def world(seed: int, *, apart: float = 6.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 3, 40)
    classes[:3] = [0, 1, 2]
    values = rng.normal(size=(40, 5)) + apart * np.eye(5)[classes]
    return values.astype(np.float32), classes.astype(np.int64)


@given(st.integers(0, 10**6))
def test_well_separated_classes_are_told_apart(seed: int) -> None:
    values, classes = world(seed, apart=30.0)
    assert np.array_equal(Router.fit(values, classes).predict(values), classes)


@given(st.integers(0, 10**6), st.integers(0, 39))
def test_an_image_alone_is_routed_as_in_company(seed: int, i: int) -> None:
    values, classes = world(seed, apart=1.0)
    router = Router.fit(values, classes)
    assert router.predict(values)[i] == router.predict(values[i : i + 1])[0]


@given(st.integers(0, 10**6), st.sampled_from([0.25, 4.0, 1024.0]))
def test_the_unit_of_the_embedding_does_not_matter(seed: int, unit: float) -> None:
    values, classes = world(seed, apart=1.0)
    scaled = values * np.float32(unit)  # a power of two, so nothing is rounded
    plain, other = Router.fit(values, classes), Router.fit(scaled, classes)
    assert np.array_equal(plain.predict(values), other.predict(scaled))


def test_a_class_that_looks_two_ways_is_one_class() -> None:
    values = np.array([[-9], [9], [0], [-8.5], [8.7], [0.3]], np.float32)
    router = Router.fit(values[:3], np.array([0, 0, 1]))
    assert router.predict(values[3:]).tolist() == [0, 0, 1]


def test_of_equally_near_images_the_first_class_wins() -> None:
    router = Router.fit(np.array([[2.0], [0.0]], np.float32), np.array([7, 4]))
    assert router.predict(np.array([[1.0], [1.1]], np.float32)).tolist() == [4, 7]


def test_a_class_has_no_more_say_than_its_evenly_spaced_share() -> None:
    many = np.arange(1001, dtype=np.float32)[:, None]
    router = Router.fit(many, np.zeros(1001, np.int64))
    assert len(router.rows) == NEIGHBOURS_A_CLASS
    assert (router.rows[0, 0], router.rows[-1, 0]) == (0.0, 1000.0)
    assert np.ptp(np.diff(router.rows[:, 0])) <= 1.0


def test_images_that_are_all_the_same_are_routed_all_the_same() -> None:
    router = Router.fit(np.zeros((6, 3), np.float32), np.array([0, 0, 1, 1, 2, 2]))
    assert router.predict(np.ones((2, 3), np.float32)).tolist() == [0, 0]


def test_without_a_training_image_there_is_no_router() -> None:
    with pytest.raises(DataError, match="no training image"):
        Router.fit(np.zeros((0, 3), np.float32), np.zeros(0, np.int64))
