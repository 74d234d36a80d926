"""The normal images: embeddings in memory, patches on disk and read when they are searched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from adharness import ContractError, FeatureGrid, FeatureSet, check_finite
from adharness.arrays import Float32, Float64, Int64
from adharness_knn_faiss.search import NearestRows

READ_VALUES = 16 * 1024 * 1024  # 64 MiB of float32 patches at once
GATHERED_VALUES = 4 * 1024 * 1024  # 32 MiB of float64


class NormalPatches(Protocol):
    """The part of a `FeatureSet` that a gallery reads."""

    @property
    def count(self) -> int:
        """Number of images."""

    @property
    def grid(self) -> tuple[int, int]:
        """Patches a column and a row, (h, w)."""

    @property
    def dim(self) -> int:
        """Length D of a patch vector."""

    def read(self, images: Int64) -> FeatureGrid:
        """Features of the images at these positions, in this order."""


@dataclass(frozen=True, eq=False)
class Gallery:
    """M normal images.

    Parameters
    ----------
    features
        Their patches, read when they are searched.
    embeddings : (M, E) float32
    """

    features: NormalPatches
    embeddings: Float32

    def nearest_images(self, embedding: Float32, k: int) -> tuple[Float64, Int64]:
        """Distances (k,) to the nearest images, ascending, and their positions (k,).

        Of equally distant images the first are taken.
        """
        step = max(1, GATHERED_VALUES // len(embedding))
        parts = [
            np.linalg.norm(self.embeddings[i : i + step] - embedding.astype(np.float64), axis=1)
            for i in range(0, len(self.embeddings), step)
        ]
        distances = np.concatenate(parts)
        order = np.argsort(distances, kind="stable")[:k]
        return distances[order], order

    def nearest_patches(self, queries: Float32, images: Int64, kappa: int) -> Float64:
        """Distances (n, kappa) of queries (n, D) to the nearest patches of these images, ascending.

        Every image is compared, a few at a time; the images must hold at least kappa patches.
        """
        best = np.full((len(queries), kappa), np.inf)
        for rows in self._patches(np.sort(images)):
            near = NearestRows.of(rows, search="flat")  # they are searched once
            here = near.nearest(queries, min(kappa, len(rows)))[0]
            best = np.sort(np.concatenate([best, here], axis=1), axis=1)[:, :kappa]
        return best

    def _patches(self, images: Int64) -> Iterator[Float32]:
        """Patch vectors (m, D) of a few of these images at a time."""
        height, width = self.features.grid
        step = max(1, READ_VALUES // (height * width * self.features.dim))
        for i in range(0, len(images), step):
            yield self.features.read(images[i : i + step]).patches.reshape(-1, self.features.dim)


def gallery_of(features: FeatureSet) -> Gallery:
    """Read the features once, for their embeddings and for values that are not finite.

    Raises
    ------
    ContractError
        Where there are no image embeddings, or a feature is not finite.
    """
    if features.embedding_dim is None:
        raise ContractError(
            "spade needs image embeddings, and this extractor gives none",
            hint="use an extractor that has them, or a scorer of patches such as 'knn-faiss'",
        )
    embeddings = np.empty((features.count, features.embedding_dim), dtype=np.float32)
    height, width = features.grid
    size = max(1, min(32, READ_VALUES // (height * width * features.dim)))
    first = 0
    for batch in features.batches(size):
        check_finite(batch.patches, name="patch features", first_image=first)
        embeddings[first : first + len(batch.patches)] = batch.embeddings
        first += len(batch.patches)
    check_finite(embeddings, name="image embeddings")
    return Gallery(features, embeddings)
