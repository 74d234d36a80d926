"""The scorer: FAISS finds the neighbours, their distances are computed again in float64."""

from __future__ import annotations

from dataclasses import dataclass

import faiss
import numpy as np

from adharness import ContractError, FeatureGrid, Memory, Scores, check_query, check_rows
from adharness.arrays import Float32, Float64, Int64
from adharness_knn_faiss import KnnParams

# FAISS compares in float32, where |x|^2 + |y|^2 - 2xy loses digits; a few candidates more than k,
# measured again in float64, put near-ties in their true order. They cost nothing measurable.
SPARE = 3
# Fixed, so that a query meets the same FAISS code path and the same blocks whatever the batch.
QUERY_ROWS = 4096
GATHERED_VALUES = 4 * 1024 * 1024  # 32 MiB of float64


@dataclass(frozen=True)
class KnnScorer:
    """Mean distance to the k nearest rows of a memory, by exhaustive search.

    On a bag the scores are a patch's, on image embeddings an image's.

    References
    ----------
    Cohen and Hoshen, Sub-Image Anomaly Detection with Deep Pyramid Correspondences, 2020.
    """

    params: KnnParams

    def fit(self, memory: Memory, rng: np.random.Generator) -> FittedKnn:  # noqa: ARG002
        """Index the memory; it is searched as it is, so nothing is drawn from `rng`.

        Raises
        ------
        ContractError
            Where the memory is a grid, is empty, is not finite, or has fewer than k rows.
        """
        rows = check_rows(memory, scorer="knn-faiss")
        if self.params.k > len(rows):
            raise ContractError(
                f"k = {self.params.k} neighbours asked of a memory with {len(rows)} row(s)",
                hint=f"set k to at most {len(rows)}, or keep more rows in the bank",
            )
        measure = EuclideanMeasure() if self.params.metric == "euclidean" else CosineMeasure()
        return FittedKnn(
            k=self.params.k,
            on_images=memory.kind == "images",
            rows=rows,
            measure=measure,
            centre=measure.centre(rows),
            index=measure.index(rows),
        )


class EuclideanMeasure:
    """Euclidean distance, searched around the memory's mean to keep float32 digits."""

    def centre(self, rows: Float32) -> Float32:
        """Give the point (D,) that both sides are moved by before the search."""
        centre: Float32 = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        return centre

    def index(self, rows: Float32) -> faiss.Index:
        """Build the index of the centred rows."""
        index = faiss.IndexFlatL2(rows.shape[1])
        index.add(rows - self.centre(rows))
        return index

    def prepare(self, queries: Float32, centre: Float32) -> Float32:
        """Move the queries (n, D) as the rows were moved."""
        return queries - centre

    def between(self, queries: Float32, neighbours: Float32) -> Float64:
        """Distances (n, k) of queries (n, D) to their neighbours (n, k, D)."""
        difference = neighbours - queries[:, None].astype(np.float64)
        distances: Float64 = np.sqrt(np.einsum("nkd,nkd->nk", difference, difference))
        return distances


class CosineMeasure:
    """One minus the cosine, in [0, 2]; a zero vector is at distance 1 from every other."""

    def centre(self, rows: Float32) -> Float32:
        """Angles are seen from the origin: nothing is moved."""
        return np.zeros(rows.shape[1], dtype=np.float32)

    def index(self, rows: Float32) -> faiss.Index:
        """Build the index of the rows at unit length, searched by inner product."""
        index = faiss.IndexFlatIP(rows.shape[1])
        index.add(_unit(rows).astype(np.float32))
        return index

    def prepare(self, queries: Float32, centre: Float32) -> Float32:  # noqa: ARG002
        """Bring the queries (n, D) to unit length."""
        return _unit(queries).astype(np.float32)

    def between(self, queries: Float32, neighbours: Float32) -> Float64:
        """Distances (n, k) of queries (n, D) to their neighbours (n, k, D)."""
        cosine = np.einsum("nd,nkd->nk", _unit(queries), _unit(neighbours))
        distances: Float64 = np.maximum(1.0 - cosine, 0.0)
        return distances


@dataclass(frozen=True, eq=False)
class FittedKnn:
    """An indexed memory."""

    k: int
    on_images: bool
    rows: Float32
    measure: EuclideanMeasure | CosineMeasure
    centre: Float32
    index: faiss.Index

    def score(self, features: FeatureGrid) -> Scores:
        """Score patches (N, h, w), or images (N,) where the memory holds embeddings.

        Notes
        -----
        Each image is searched on its own and each distance comes from its two vectors alone, so a
        score does not depend on the batch, to the last bit.

        Raises
        ------
        ContractError
            Where D differs from the memory's or a feature is not finite.
        """
        values = check_query(
            features, self.rows.shape[1], level="images" if self.on_images else "patches"
        )
        scores = np.empty(values.shape[:-1], dtype=np.float32)  # (N, h, w) or (N,)
        for image, vectors in enumerate(values):
            distances = self._score_rows(vectors.reshape(-1, values.shape[-1]))
            scores[image] = distances.reshape(scores.shape[1:])
        return Scores(images=scores) if self.on_images else Scores(patches=scores)

    def _score_rows(self, queries: Float32) -> Float64:
        blocks = range(0, len(queries), QUERY_ROWS)
        return np.concatenate([self._score_block(queries[i : i + QUERY_ROWS]) for i in blocks])

    def _score_block(self, queries: Float32) -> Float64:
        count = min(self.k + SPARE, len(self.rows))
        _, found = self.index.search(self.measure.prepare(queries, self.centre), count)
        distances = np.sort(self._distances(queries, found), axis=1)
        means: Float64 = distances[:, : self.k].mean(axis=1)
        return means

    def _distances(self, queries: Float32, found: Int64) -> Float64:
        """Distances (n, c) to the rows found, gathering few of them at once."""
        step = max(1, GATHERED_VALUES // (found.shape[1] * queries.shape[1]))
        parts = [
            self.measure.between(queries[i : i + step], self.rows[found[i : i + step]])
            for i in range(0, len(queries), step)
        ]
        return np.concatenate(parts)


def _unit(vectors: Float32) -> Float64:
    """Unit-length vectors in float64; a zero vector stays zero."""
    wide = vectors.astype(np.float64)
    length = np.linalg.norm(wide, axis=-1, keepdims=True)
    unit: Float64 = np.divide(wide, length, out=np.zeros_like(wide), where=length > 0)
    return unit
