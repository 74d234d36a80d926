"""Several feature sets as one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from adharness.arrays import Float32, Int64
from adharness.contracts.records import FeatureGrid, FeatureSet


@dataclass(frozen=True, eq=False)
class Joined:
    """Feature sets of one shape, one after the other, as one. Nothing is copied."""

    parts: tuple[FeatureSet, ...]

    @property
    def count(self) -> int:
        """Number of images of all parts."""
        return sum(part.count for part in self.parts)

    @property
    def grid(self) -> tuple[int, int]:
        """Patches a column and a row, (h, w)."""
        return self.parts[0].grid

    @property
    def dim(self) -> int:
        """Length D of a patch vector."""
        return self.parts[0].dim

    @property
    def embedding_dim(self) -> int | None:
        """Length E of an image embedding; None where there is none."""
        return self.parts[0].embedding_dim

    @property
    def classes(self) -> Int64 | None:
        """Number of each image's class, (N,), where all parts know them."""
        known = [part.classes for part in self.parts]
        told = [classes for classes in known if classes is not None]
        return np.concatenate(told) if len(told) == len(known) else None

    def subset(self, images: Int64) -> Joined:
        """Features of the images at these positions, in this order."""
        images = np.asarray(images, dtype=np.int64)
        ends = np.cumsum([part.count for part in self.parts])
        number = np.searchsorted(ends, images, side="right")  # of the part each image is in
        runs = np.split(np.arange(len(images)), np.flatnonzero(np.diff(number)) + 1)
        starts = np.concatenate([[0], ends])
        return Joined(
            tuple(
                self.parts[number[run[0]]].subset(images[run] - starts[number[run[0]]])
                for run in runs
                if len(run)
            )
        )

    def rotated(self, degrees: float) -> Joined:
        """Turn every part."""
        return Joined(tuple(part.rotated(degrees) for part in self.parts))

    def read(self, images: Int64) -> FeatureGrid:
        """Features of the images at these positions, in this order."""
        images = np.asarray(images, dtype=np.int64)
        patches = np.empty((len(images), *self.grid, self.dim), dtype=np.float32)
        size = self.embedding_dim
        embeddings = None if size is None else np.empty((len(images), size), dtype=np.float32)
        for i, inside, here in self._by_part(images, 1):
            found = self.parts[i].read(inside)
            patches[here] = found.patches
            if embeddings is not None and found.embeddings is not None:
                embeddings[here] = found.embeddings
        return FeatureGrid(patches, embeddings)

    def batches(self, size: int = 32) -> Iterator[FeatureGrid]:
        """All images in order, at most `size` at a time."""
        for part in self.parts:
            yield from part.batches(size)

    def rows(self, patches: Int64) -> Float32:
        """Patch vectors (M, D) by flat position, any order."""
        patches = np.asarray(patches, dtype=np.int64)
        rows = np.empty((len(patches), self.dim), dtype=np.float32)
        for i, inside, here in self._by_part(patches, self.grid[0] * self.grid[1]):
            rows[here] = self.parts[i].rows(inside)
        return rows

    def _by_part(self, positions: Int64, each: int) -> Iterator[tuple[int, Int64, Int64]]:
        """For each part that is asked: its number, positions inside it, and where they go."""
        first = 0
        for i, part in enumerate(self.parts):
            last = first + part.count * each
            here = np.flatnonzero((positions >= first) & (positions < last))
            if len(here):
                yield i, positions[here] - first, here
            first = last
