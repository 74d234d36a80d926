"""The banks that only choose."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from pydantic import ValidationError

from adharness import Bag, ContractError, DataError, FeatureGrid
from adharness.arrays import Float32, Int64
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


class Features:
    """A feature set in memory that notes how many rows were gathered and batches read."""

    def __init__(self, patches: Float32, embeddings: Float32 | None = None) -> None:
        self.patches, self.embeddings = patches, embeddings
        self.batches_read = 0

    @property
    def count(self) -> int:
        return len(self.patches)

    @property
    def grid(self) -> tuple[int, int]:
        return self.patches.shape[1], self.patches.shape[2]

    @property
    def dim(self) -> int:
        return int(self.patches.shape[3])

    @property
    def embedding_dim(self) -> int | None:
        return None if self.embeddings is None else self.embeddings.shape[1]

    def read(self, images: Int64) -> FeatureGrid:
        chosen = None if self.embeddings is None else self.embeddings[images]
        return FeatureGrid(self.patches[images], chosen)

    def batches(self, size: int = 32) -> Iterator[FeatureGrid]:
        for start in range(0, self.count, 2):  # never a whole set: the last batch is short
            self.batches_read += 1
            yield self.read(np.arange(start, min(start + 2, self.count)))

    def rows(self, patches: Int64) -> Float32:
        return self.patches.reshape(-1, self.dim)[patches]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def some(count: int = 5, *, embedded: bool = False) -> Features:
    """(count, 3, 4, 2) patches, each row unlike any other."""
    patches = np.arange(count * 24, dtype=np.float32).reshape(count, 3, 4, 2)
    embeddings = np.arange(count * 3, dtype=np.float32).reshape(count, 3)
    return Features(patches, embeddings if embedded else None)


def random_bag(features: Features, rng: np.random.Generator, **limits: float) -> Bag:
    return RandomBank(RandomParams.model_validate(limits)).reduce(features, rng)


def test_all_keeps_every_patch_in_flat_order_with_its_image(rng: np.random.Generator) -> None:
    features = some(5)
    bag = AllBank(AllParams()).reduce(features, rng)
    assert_array_equal(bag.rows, features.patches.reshape(-1, 2))
    assert_array_equal(bag.images, np.repeat(np.arange(5), 12))
    assert bag.rows.dtype == np.float32
    assert bag.images.dtype == np.int64


def test_random_draws_distinct_patches_and_knows_their_image(rng: np.random.Generator) -> None:
    features = some(5)
    bag = random_bag(features, rng, ratio=0.5)
    assert bag.rows.shape == (30, 2)
    positions = bag.rows[:, 0].astype(np.int64) // 2  # the first value tells the patch
    assert (np.diff(positions) > 0).all()  # distinct, and in the order of the disk
    assert_array_equal(bag.images, positions // 12)
    assert bag.images.dtype == np.int64


def test_random_reads_only_the_rows_it_keeps(rng: np.random.Generator) -> None:
    features = some(5)
    random_bag(features, rng, ratio=0.1)
    assert features.batches_read == 0


@pytest.mark.parametrize(
    ("limits", "kept"),
    [
        ({"ratio": 1.0}, 60),
        ({"ratio": 0.25}, 15),
        ({"ratio": 1e-9}, 1),
        ({"ratio": 0.5, "max_rows": 7}, 7),
        ({"ratio": 0.5, "max_rows": 700}, 30),
        ({}, 6),
    ],
)
def test_random_keeps_the_smaller_of_its_limits_and_at_least_one(
    limits: dict[str, float], kept: int, rng: np.random.Generator
) -> None:
    assert len(random_bag(some(5), rng, **limits).rows) == kept


def test_random_at_ratio_1_keeps_what_all_keeps(rng: np.random.Generator) -> None:
    everything = AllBank(AllParams()).reduce(some(), rng)
    assert_array_equal(random_bag(some(), rng, ratio=1.0).rows, everything.rows)


def test_random_follows_its_generator_and_nothing_else() -> None:
    first, again, other = (
        random_bag(some(), np.random.default_rng(seed), ratio=0.3) for seed in (1, 1, 2)
    )
    assert_array_equal(first.rows, again.rows)
    assert not np.array_equal(first.rows, other.rows)


def test_random_takes_each_patch_equally_often(rng: np.random.Generator) -> None:
    features = some(2)
    draws = [random_bag(features, rng, ratio=0.25).rows[:, 0] for _ in range(2000)]
    counts = np.bincount((np.concatenate(draws) // 2).astype(np.int64), minlength=24)
    assert abs(counts - 500).max() < 6 * np.sqrt(2000 * 0.25 * 0.75)


@pytest.mark.parametrize("limits", [{"ratio": 0}, {"ratio": 1.1}, {"max_rows": 0}, {"rate": 0.5}])
def test_random_refuses_limits_out_of_range(limits: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        RandomParams.model_validate(limits)


def test_grid_passes_the_features_on_unread(rng: np.random.Generator) -> None:
    features = some()
    memory = GridBank(GridParams()).reduce(features, rng)
    assert memory.features is features
    assert features.batches_read == 0


def test_images_keeps_one_embedding_an_image(rng: np.random.Generator) -> None:
    features = some(5, embedded=True)
    memory = ImagesBank(ImagesParams()).reduce(features, rng)
    assert features.embeddings is not None
    assert_array_equal(memory.rows, features.embeddings)


def test_images_refuses_an_extractor_without_embeddings(rng: np.random.Generator) -> None:
    with pytest.raises(ContractError, match="gives none") as caught:
        ImagesBank(ImagesParams()).reduce(some(), rng)
    assert caught.value.hint is not None
    assert "'random'" in caught.value.hint


@pytest.mark.parametrize(
    "bank",
    [
        AllBank(AllParams()),
        RandomBank(RandomParams()),
        GridBank(GridParams()),
        ImagesBank(ImagesParams()),
    ],
    ids=lambda bank: type(bank).__name__,
)
def test_no_bank_takes_an_empty_training_set(
    bank: AllBank | RandomBank | GridBank | ImagesBank, rng: np.random.Generator
) -> None:
    with pytest.raises(DataError, match="no training image"):
        bank.reduce(some(0, embedded=True), rng)
