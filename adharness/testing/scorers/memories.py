"""Memories of each kind out of a small world, as the banks of a run would make them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adharness.arrays import Bool, Float32
from adharness.contracts import Bag, FeatureGrid, Grid, Images, Memory, MemoryKind, Nothing, Pixels
from adharness.testing.subject import Arrange
from adharness.testing.worlds import ToyFeatures, ToyWorld, toy_images, toy_world

DIM, TRAIN = 128, 64
"""Length of vectors, and training images: as many as methods ask for by default."""


@dataclass(frozen=True, eq=False)
class World:
    """A toy world as a scorer sees it: a memory to fit on, and images to score.

    Parameters
    ----------
    kind
        Of the memory.
    toy
        Its features.
    """

    kind: MemoryKind
    toy: ToyWorld

    @classmethod
    def drawn(cls, kind: MemoryKind, seed: int) -> World:
        """Draw a world; equal seeds give equal ones."""
        rng = np.random.default_rng(seed)
        if kind == "pixels":
            return cls(kind, toy_images(rng))
        return cls(kind, toy_world(rng, dim=DIM, train=TRAIN))

    def memory(self, arrange: Arrange, *, images: int | None = None) -> Memory:
        """Remember the first training images, or all of them."""
        train = self.toy.train
        return remembered(self.kind, train.subset(np.arange(train.count)[:images]), arrange)

    def normal(self, arrange: Arrange) -> FeatureGrid:
        """Features of the normal test images."""
        return arranged(self.toy.normal, arrange)

    def anomalous(self, arrange: Arrange) -> FeatureGrid:
        """Features of the anomalous test images."""
        return arranged(self.toy.anomalous, arrange)

    def defects(self, grid: tuple[int, int]) -> Bool:
        """Where on a grid the odd patches, or pixels, of the anomalous images are (n, h, w)."""
        images, rows, columns = np.nonzero(self.toy.defects)
        height, width = self.toy.defects.shape[1:]
        found = np.zeros((len(self.toy.defects), *grid), dtype=np.bool_)
        found[images, rows * grid[0] // height, columns * grid[1] // width] = True
        return found


def remembered(kind: MemoryKind, features: ToyFeatures, arrange: Arrange) -> Memory:
    """Make a memory of a kind, out of all patches or embeddings of these images."""
    if kind == "grid":
        return Grid(features.arranged(arrange))
    if kind == "pixels":
        return Pixels(features.arranged(arrange))
    if kind == "images":
        assert features.embeddings is not None  # noqa: S101  toy worlds have them
        return Images(arrange(features.embeddings))
    if kind == "nothing":
        return Nothing()
    cells = features.grid[0] * features.grid[1]
    rows: Float32 = features.patches.reshape(-1, features.dim)
    origins = np.repeat(np.arange(features.count, dtype=np.int64), cells)
    return Bag(arrange(rows), arrange(origins))


def arranged(features: FeatureGrid, arrange: Arrange) -> FeatureGrid:
    """Arrange the arrays of some features."""
    embeddings = features.embeddings
    return FeatureGrid(
        arrange(features.patches), None if embeddings is None else arrange(embeddings)
    )


def some(features: FeatureGrid, images: slice | list[int]) -> FeatureGrid:
    """Take some images."""
    embeddings = features.embeddings
    return FeatureGrid(features.patches[images], None if embeddings is None else embeddings[images])
