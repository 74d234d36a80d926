"""The normal images: embeddings in memory, patches on disk and read when they are searched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import faiss
import numpy as np

from adharness import ContractError, FeatureGrid, FeatureSet, check_finite
from adharness.arrays import Float32, Float64, Int64

SPARE = 3  # candidates more than asked for: float32 may swap near-ties
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
    centre : (D,) float32
        Mean of all patches: searched around it, float32 loses the fewest digits.
    """

    features: NormalPatches
    embeddings: Float32
    centre: Float32

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
        centred = queries - self.centre
        best = np.full((len(queries), kappa), np.inf)
        for rows in self._patches(np.sort(images)):
            count = min(kappa + SPARE, len(rows))
            found = faiss.knn(centred, rows - self.centre, count)[1]
            here = _distances(queries, rows, found)
            best = np.sort(np.concatenate([best, here], axis=1), axis=1)[:, :kappa]
        return best

    def _patches(self, images: Int64) -> Iterator[Float32]:
        """Patch vectors (m, D) of a few of these images at a time."""
        height, width = self.features.grid
        step = max(1, READ_VALUES // (height * width * self.features.dim))
        for i in range(0, len(images), step):
            yield self.features.read(images[i : i + step]).patches.reshape(-1, self.features.dim)


def gallery_of(features: FeatureSet) -> Gallery:
    """Read the features once: keep the embeddings and the mean patch.

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
    total = np.zeros(features.dim)
    height, width = features.grid
    size = max(1, min(32, READ_VALUES // (height * width * features.dim)))
    first = 0
    for batch in features.batches(size):
        check_finite(batch.patches, name="patch features", first_image=first)
        embeddings[first : first + len(batch.patches)] = batch.embeddings
        total += batch.patches.sum(axis=(0, 1, 2), dtype=np.float64)
        first += len(batch.patches)
    check_finite(embeddings, name="image embeddings")
    centre = total / max(1, first * height * width)
    return Gallery(features, embeddings, centre.astype(np.float32))


def _distances(queries: Float32, rows: Float32, found: Int64) -> Float64:
    """Euclidean distances (n, c) of queries (n, D) to `rows[found]`, gathering few at once."""
    step = max(1, GATHERED_VALUES // (found.shape[1] * queries.shape[1]))
    parts = []
    for i in range(0, len(queries), step):
        difference = rows[found[i : i + step]] - queries[i : i + step, None].astype(np.float64)
        parts.append(np.sqrt(np.einsum("ncd,ncd->nc", difference, difference)))
    distances = np.concatenate(parts)
    distances[found < 0] = np.inf  # beyond what float32 can compare
    return distances
