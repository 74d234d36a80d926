"""Which images a bank reads, and how a merged bank shares its rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from adharness import ContractError
from adharness.baselines.banks import AllBank, AllParams, RandomBank, RandomParams
from adharness.sampling import (
    ReferenceParams,
    balances_classes,
    even_quotas,
    images_by_class,
    references,
)
from adharness.sampling.joined import Joined
from adharness.testing.worlds import ToyFeatures


def some(count: int = 6, classes: list[int] | None = None) -> ToyFeatures:
    patches = np.arange(count * 18, dtype=np.float32).reshape(count, 3, 3, 2)
    embeddings = np.arange(count * 2, dtype=np.float32).reshape(count, 2)
    return ToyFeatures(patches, embeddings, None if classes is None else np.array(classes))


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8), st.integers(0, 200))
def test_quotas_are_as_even_as_sizes_allow(sizes: list[int], count: int) -> None:
    available = np.array(sizes, dtype=np.int64)
    quotas = even_quotas(available, count)
    assert (quotas <= available).all()
    assert quotas.sum() == min(count, sum(sizes))
    able = quotas < available  # whoever could give more gives no less, but for one row
    assert (quotas[able] >= quotas.max() - 1).all()


def test_rows_left_over_go_to_the_first_that_can_give_them() -> None:
    assert even_quotas(np.array([5, 1, 5]), 8).tolist() == [4, 1, 3]


def test_a_balanced_random_bank_shares_its_rows_and_names_their_images() -> None:
    features = some(6, [0, 0, 0, 0, 0, 1])
    params = RandomParams(ratio=0.3, balance="class")
    assert balances_classes(params)
    bag = RandomBank(params).reduce(features, np.random.default_rng(0))
    assert len(bag.rows) == round(0.3 * 54)
    assert np.bincount(features.classes[bag.images]).tolist() == [8, 8]
    flat = features.patches.reshape(-1, 2)
    for row, image in zip(bag.rows, bag.images, strict=True):
        assert np.flatnonzero((flat == row).all(axis=1)) // 9 == image


def test_balance_without_classes_says_what_the_author_of_a_bank_forgot() -> None:
    read = references(some(), ReferenceParams(), np.random.default_rng(0))
    with pytest.raises(ContractError, match="was not told the classes"):
        images_by_class(read)
    assert not balances_classes(RandomParams())
    assert not balances_classes(AllParams())


def test_turned_copies_follow_the_images_and_keep_their_names() -> None:
    features = some(5)
    params = AllParams(shots=2, draw="block", block=1, rotations=4)
    bag = AllBank(params).reduce(features, np.random.default_rng(0))
    assert bag.images.tolist() == [i for _ in range(4) for i in (2, 3) for _ in range(9)]
    quarter = np.rot90(features.patches[[2, 3]], 1, axes=(1, 2)).reshape(-1, 2)
    assert_array_equal(bag.rows[18:36], quarter)


@given(st.data())
def test_joined_features_read_like_one_array(data: st.DataObject) -> None:
    counts = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    whole = some(sum(counts), list(range(sum(counts))))
    cuts = np.split(np.arange(sum(counts)), np.cumsum(counts)[:-1])
    joined = Joined(tuple(whole.subset(cut) for cut in cuts))
    images = np.array(data.draw(st.lists(st.integers(0, sum(counts) - 1), max_size=6)), dtype=int)
    assert joined.count == whole.count
    assert_array_equal(joined.classes, whole.classes)
    assert_array_equal(joined.read(images).patches, whole.patches[images])
    assert_array_equal(joined.read(images).embeddings, whole.embeddings[images])
    assert_array_equal(joined.rows(images * 9 + 4), whole.rows(images * 9 + 4))
    if len(images):
        assert_array_equal(joined.subset(images).classes, images)
        every = np.concatenate([b.patches for b in joined.subset(images).batches(2)])
        assert_array_equal(every, whole.patches[images])
