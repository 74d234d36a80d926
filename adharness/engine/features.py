"""Features on disk: computed once for each (images, extractor), shared by every method.

A shard holds one class. Its folder is named by a digest of the images' content, the extractor's
parameters, weights and version, so two suites, two runs and two machines that share a disk share it
too.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import TypeAlias, TypeVar

import numpy as np

from adharness.arrays import Bool, Float32, Int64
from adharness.contracts import FeatureGrid
from adharness.engine.shard_entry import Shard, ShardEntry
from adharness.errors import ContractError, StoreError

TOGETHER_BYTES = 2**30
"""Patches that are read at a time at most: images seen in tiles may have a grid of any size."""
KeyT = TypeVar("KeyT", bound=Hashable)
Turn: TypeAlias = Callable[[Int64, float], Shard]


def image_vector(one: FeatureGrid) -> Float32:
    """Give the vector (1, E) of one image: its embedding, else the mean of its patches (1, D).

    The mean is taken image by image, so that it cannot depend on what is read together.
    """
    if one.embeddings is not None:
        return one.embeddings
    rows = one.patches.reshape(-1, one.patches.shape[-1])
    mean: Float32 = rows.mean(axis=0, dtype=np.float64, keepdims=True).astype(np.float32)
    return mean


@dataclass(frozen=True, eq=False)
class CachedFeatures:
    """A FeatureSet over shards: image `i` is row `places[i]` of shard `shards[where[i]]`.

    Parameters
    ----------
    positions : (N,) int64
        Of the images in their survey.
    classes : (N,) int64, optional
        Number of each image's class; None where it is not told.
    turn
        Extracts the images at given positions of the survey, turned by given degrees.
    """

    shards: Sequence[Shard]
    where: Int64
    places: Int64
    positions: Int64
    classes: Int64 | None = None
    turn: Turn | None = None

    @classmethod
    def over(
        cls,
        shards: Mapping[KeyT, Shard],
        places: Sequence[tuple[KeyT, int]],
        turn: Turn | None = None,
    ) -> CachedFeatures:
        """Features of images given as (name of a shard, row in it).

        An image whose shard is not there keeps its position but cannot be read.
        """
        names = list(shards)
        order = {name: i for i, name in enumerate(names)}
        return cls(
            shards=[shards[n] for n in names],
            where=np.array([order.get(name, -1) for name, _ in places], dtype=np.int64),
            places=np.array([row for _, row in places], dtype=np.int64),
            positions=np.arange(len(places), dtype=np.int64),
            turn=turn,
        )

    def subset(self, images: Int64) -> CachedFeatures:
        """Features of the images at these positions."""
        return replace(
            self,
            where=self.where[images],
            places=self.places[images],
            positions=self.positions[images],
            classes=None if self.classes is None else self.classes[images],
        )

    def labelled(self, classes: Int64) -> CachedFeatures:
        """Tell the classes (N,) to whoever reads these features."""
        return replace(self, classes=classes)

    def rotated(self, degrees: float) -> CachedFeatures:
        """Features of the same images, turned before extraction; extracted now or from the cache.

        Raises
        ------
        DataError, ContractError, StoreError
            As extraction does.
        """
        if self.turn is None:
            raise ContractError("these features cannot be extracted again from turned images")
        shard = self.turn(self.positions, degrees)
        rows = np.arange(self.count, dtype=np.int64)
        return replace(self, shards=[shard], where=np.zeros_like(rows), places=rows, turn=None)

    @property
    def count(self) -> int:
        """Number of images."""
        return len(self.where)

    @cached_property
    def _entry(self) -> ShardEntry:
        return self.shards[0].entry

    @property
    def grid(self) -> tuple[int, int]:
        """Patches a column and a row, (h, w)."""
        return self._entry.grid

    @property
    def dim(self) -> int:
        """Length D of a patch vector."""
        return self._entry.dim

    @property
    def embedding_dim(self) -> int | None:
        """Length E of an image embedding; None where there is none."""
        return self._entry.embedding_dim

    def read(self, images: Int64) -> FeatureGrid:
        """Features of the images at these positions, in this order."""
        images = np.asarray(images, dtype=np.int64)
        patches = np.empty((len(images), *self.grid, self.dim), dtype=np.float32)
        self._fill(patches, images, "patches")
        return FeatureGrid(patches, self._embeddings(images))

    def _embeddings(self, images: Int64) -> Float32 | None:
        if self.embedding_dim is None:
            return None
        embeddings = np.empty((len(images), self.embedding_dim), dtype=np.float32)
        self._fill(embeddings, images, "embeddings")
        return embeddings

    def embeddings(self) -> Float32 | None:
        """Embeddings of all images, (N, E); None where there are none."""
        return self._embeddings(np.arange(self.count))

    def image_vectors(self) -> Float32:
        """Give a vector an image, (N, E): its embedding, else the mean of its patches."""
        given = self.embeddings()
        if given is not None:
            return given
        each = (image_vector(self.read(np.array([i]))) for i in range(self.count))
        return np.concatenate([np.empty((0, self.dim), np.float32), *each])

    def _fill(self, out: Float32, images: Int64, name: str) -> None:
        for shard, here in self._by_shard(images):
            mapped = shard.patches() if name == "patches" else shard.embeddings()
            out[here] = mapped[self.places[images[here]]]

    def _by_shard(self, images: Int64) -> Iterator[tuple[Shard, Bool]]:
        """Give each shard that these images are in, and which of them are in it."""
        for number in np.unique(self.where[images]):
            if number < 0:
                raise StoreError("features were asked for of a class that was not extracted")
            yield self.shards[int(number)], self.where[images] == number

    def batches(self, size: int = 32) -> Iterator[FeatureGrid]:
        """All images in order, at most `size` at a time, and `TOGETHER_BYTES` but for one image."""
        image = prod(self.grid) * self.dim * np.dtype(np.float32).itemsize if self.count else 1
        some = max(min(size, TOGETHER_BYTES // max(image, 1)), 1)
        for start in range(0, self.count, some):
            yield self.read(np.arange(start, min(start + some, self.count)))

    def rows(self, patches: Int64) -> Float32:
        """Patch vectors by flat position `image * h * w + row * w + column`."""
        per_image = self.grid[0] * self.grid[1]
        images, inside = np.divmod(np.asarray(patches, dtype=np.int64), per_image)
        out = np.empty((len(images), self.dim), dtype=np.float32)
        for shard, here in self._by_shard(images):
            flat = shard.patches().reshape(-1, self.dim)
            out[here] = flat[self.places[images[here]] * per_image + inside[here]]
        return out
