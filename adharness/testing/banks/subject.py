"""A bank under trial: given the features of small training sets, it makes memories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from adharness.arrays import AnyArray
from adharness.contracts import (
    Bag,
    Bank,
    BankSpec,
    FeatureSet,
    Images,
    Memory,
    MemoryKind,
    Nothing,
)
from adharness.testing.subject import Arrange, ComponentSubject
from adharness.testing.worlds import ToyFeatures, toy_images, toy_world

TRAIN, SIDE = 160, 4
"""Training images, and patches a side: square, so that the grid can be turned."""
CLASSES = 3


def training_images(seed: int, kind: MemoryKind) -> ToyFeatures:
    """Draw training images for a memory, with embeddings and classes; no two patches are equal."""
    rng = np.random.default_rng(seed)
    if kind == "pixels":
        world = toy_images(rng, train=TRAIN, test=1, size=(2 * SIDE, 2 * SIDE), side=SIDE)
    else:
        world = toy_world(rng, train=TRAIN, test=1, grid=(SIDE, SIDE))
    return replace(world.train, classes=np.arange(TRAIN, dtype=np.int64) % CLASSES)


@dataclass(frozen=True, eq=False)
class BankSubject(ComponentSubject[BankSpec, Bank]):
    """A bank with its parameters, told classes only if its record asks for them."""

    @property
    def needs_class(self) -> bool:
        """Whether it must be told classes, as its record says."""
        return self.spec.needs_class(self.params)

    @cached_property
    def world(self) -> ToyFeatures:
        """The training images that most checks use."""
        return self.drawn(0)

    def drawn(self, seed: int) -> ToyFeatures:
        """Draw training images, with classes only if it may know them."""
        features = training_images(seed, self.spec.emits)
        return features if self.needs_class else replace(features, classes=None)

    def reduce(self, features: FeatureSet | None = None, seed: int = 0) -> Memory:
        """Make a memory of some features, or of those of the world."""
        given = self.world if features is None else features
        return self.make().reduce(given, np.random.default_rng(seed))

    def use(self, arrange: Arrange) -> Mapping[str, AnyArray]:
        """Make a memory of all training images."""
        return arrays_of(self.reduce(self.world.arranged(arrange)))

    def again(self) -> tuple[Callable[[], object], int]:
        """Give the making of a memory by one bank."""
        bank, world = self.make(), self.world.arranged(np.copy)
        return lambda: bank.reduce(world, np.random.default_rng(0)), self.world.patches.nbytes


def arrays_of(memory: Memory) -> dict[str, AnyArray]:
    """Name the arrays of a memory; of one that streams features, all that it streams."""
    if isinstance(memory, Bag):
        return {"rows": memory.rows, "images of rows": memory.images}
    if isinstance(memory, Images):
        return {"embeddings": memory.rows}
    if isinstance(memory, Nothing):
        return {}
    batches = [batch.patches for batch in memory.features.batches()]
    return {"patches": np.concatenate(batches)}


def first_images(features: ToyFeatures, count: int) -> ToyFeatures:
    """Keep the first images."""
    return features.subset(np.arange(count, dtype=np.int64))
