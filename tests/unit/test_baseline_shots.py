"""Few-shot banks: they see some training images as if there were no others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from pydantic import ValidationError

from adharness import Bag, Bank, DataError, FeatureSet, Memory
from adharness.baselines.banks import (
    AllBank,
    AllParams,
    GridBank,
    GridParams,
    ImagesBank,
    ImagesParams,
    RandomBank,
    RandomParams,
)
from adharness.testing.worlds import ToyFeatures


def some(count: int = 10) -> ToyFeatures:
    """(count, 3, 4, 2) patches and (count, 3) embeddings, no two rows alike."""
    patches = np.arange(count * 24, dtype=np.float32).reshape(count, 3, 4, 2)
    return ToyFeatures(patches, np.arange(count * 3, dtype=np.float32).reshape(count, 3))


def reduced(bank: Bank, seed: int = 0, features: FeatureSet | None = None) -> Memory:
    return bank.reduce(some() if features is None else features, np.random.default_rng(seed))


def bag(seed: int = 0, **params: Any) -> Bag:
    return AllBank(AllParams(**params)).reduce(some(), np.random.default_rng(seed))


def test_a_block_is_the_reference_rule_of_anomalydino() -> None:
    for shots, block in [(1, 0), (4, 0), (4, 1), (3, 2), (10, 0)]:
        memory = bag(shots=shots, draw="block", block=block)
        chosen = list(range(10))[block * shots : (block + 1) * shots]
        assert_array_equal(memory.rows, some().patches[chosen].reshape(-1, 2))
        assert_array_equal(memory.images, np.repeat(chosen, 12))


def test_drawn_shots_follow_the_rng_are_distinct_and_in_order() -> None:
    first, again, other = (np.unique(bag(seed, shots=4).images) for seed in (1, 1, 2))
    assert len(first) == 4
    assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    every = {int(i) for seed in range(60) for i in np.unique(bag(seed, shots=2).images)}
    assert every == set(range(10))


def test_every_bank_sees_the_same_few_images() -> None:
    shots: dict[str, Any] = {"shots": 3, "draw": "seed"}
    images = np.unique(bag(5, **shots).images)
    grid = reduced(GridBank(GridParams(**shots)), 5)
    assert grid.kind == "grid"
    assert grid.features.count == 3
    assert_array_equal(grid.features.read(np.arange(3)).patches, some().patches[images])
    embeddings = reduced(ImagesBank(ImagesParams(**shots)), 5)
    assert embeddings.kind == "images"
    assert_array_equal(embeddings.rows, some().read(images).embeddings)
    drawn = reduced(RandomBank(RandomParams(ratio=0.5, **shots)), 5)
    assert drawn.kind == "bag"
    assert len(drawn.rows) == 18
    assert_array_equal(np.unique(drawn.images), images)
    assert_array_equal(drawn.rows[:, 0] // 24, drawn.images)  # the first value tells the image


def test_few_shots_read_as_a_feature_set_of_their_own() -> None:
    memory = reduced(GridBank(GridParams(shots=5, draw="block", block=1)))
    assert memory.kind == "grid"
    few, part = (
        memory.features,
        ToyFeatures(some().patches[5:], some().read(np.arange(5, 10)).embeddings),
    )
    assert isinstance(few, FeatureSet)
    assert (few.count, few.grid, few.dim, few.embedding_dim) == (5, (3, 4), 2, 3)
    for mine, theirs in zip(few.batches(2), part.batches(2), strict=True):
        assert_array_equal(mine.patches, theirs.patches)
        assert mine.embeddings is not None
        assert_array_equal(mine.embeddings, theirs.embeddings)
    places = np.array([59, 0, 13, 13, 24])
    assert_array_equal(few.rows(places), part.rows(places))
    assert_array_equal(few.read(np.array([4, 0])).patches, part.patches[[4, 0]])


def test_without_shots_nothing_is_drawn_for_them() -> None:
    rng = np.random.default_rng(3)
    AllBank(AllParams()).reduce(some(), rng)
    assert rng.random() == np.random.default_rng(3).random()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"shots": 11}, r"11 shots asked of 10 training image\(s\)\n"),
        ({"shots": 4, "draw": "block", "block": 2}, r"4 shots asked of 10 .* after the first 8"),
    ],
)
def test_more_shots_than_images_are_an_error_with_both_numbers(
    params: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        bag(**params)


@pytest.mark.parametrize(
    "params",
    [
        {"shots": 0},
        {"draw": "block"},
        {"block": 1},
        {"shots": 2, "block": 1},
        {"shots": 2, "draw": "x"},
    ],
)
def test_parameters_that_no_bank_would_read_are_refused(params: dict[str, Any]) -> None:
    for model in (AllParams, RandomParams, GridParams, ImagesParams):
        with pytest.raises(ValidationError):
            model(**params)
