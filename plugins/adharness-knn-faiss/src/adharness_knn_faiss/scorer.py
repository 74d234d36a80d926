"""The scorer: the mean of the k smallest distances to what is remembered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from adharness import ContractError, FeatureGrid, Memory, Scores, check_query, check_rows
from adharness.arrays import Float32
from adharness_knn_faiss import KnnParams
from adharness_knn_faiss.indexes import approximate_index
from adharness_knn_faiss.measures import measure_of
from adharness_knn_faiss.recall import recall_of
from adharness_knn_faiss.search import NearestRows, Search

LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class KnnScorer:
    """Mean distance to the k nearest rows of a memory.

    On a bag the scores are a patch's, on image embeddings an image's.

    References
    ----------
    Cohen and Hoshen, Sub-Image Anomaly Detection with Deep Pyramid Correspondences, 2020.
    Jegou, Douze and Schmid, Product Quantization for Nearest Neighbor Search, PAMI 2011, for `pq`.
    """

    params: KnnParams

    def fit(self, memory: Memory, rng: np.random.Generator) -> FittedKnn:
        """Index the memory. Only an approximate index draws from `rng`.

        Raises
        ------
        ContractError
            Where the memory is a grid, is empty, is not finite, has fewer than k rows, or is too
            small or of another length than the index needs.
        """
        rows = check_rows(memory, scorer="knn-faiss")
        k = self.params.k
        if k > len(rows):
            raise ContractError(
                f"k = {k} neighbours asked of a memory with {len(rows)} row(s)",
                hint=f"set k to at most {len(rows)}, or keep more rows in the bank",
            )
        on_images = memory.kind == "images"
        if self.params.index == "flat":
            search = NearestRows.of(rows, self.params.metric, self.params.search)
            return FittedKnn(k, on_images, search)
        approximate = self._approximate(rows, rng)
        return FittedKnn(k, on_images, approximate, recall_of(approximate, k, rng))

    def _approximate(self, rows: Float32, rng: np.random.Generator) -> Search:
        measure = measure_of(self.params.metric, rows)
        prepared = measure.prepare(rows)
        index = approximate_index(prepared, measure.faiss_metric, self.params, rng)
        default = 10 * self.params.k if self.params.index == "pq" else None
        return Search(rows, measure, index, self.params.candidates or default)


@dataclass(frozen=True, eq=False)
class FittedKnn:
    """An indexed memory.

    Parameters
    ----------
    k
        Neighbours averaged.
    on_images
        Whether the memory holds image embeddings.
    search
        Finds them.
    recall
        recall@k of an approximate index, measured on rows of the memory, each against the others;
        None where the search is exhaustive.
    """

    k: int
    on_images: bool
    search: NearestRows | Search
    recall: float | None = None

    def facts(self) -> Mapping[str, float]:
        """Numbers for the board: the `recall` of an approximate index, else nothing."""
        return {} if self.recall is None else {"recall": self.recall}

    def score(self, features: FeatureGrid) -> Scores:
        """Score patches (N, h, w), or images (N,) where the memory holds embeddings.

        Of patches the nearest row found is named too.

        Notes
        -----
        Each image is searched on its own and each distance comes from its two vectors alone, so a
        score does not depend on the batch, to the last bit. An approximate search gives true
        distances, to rows that may not be the nearest: never below the exact score. A score that
        does not fit into float32 is its largest value.

        Raises
        ------
        ContractError
            Where D differs from the memory's or a feature is not finite.
        """
        dim = self.search.rows.shape[1]
        values = check_query(features, dim, level="images" if self.on_images else "patches")
        scores = np.empty(values.shape[:-1], dtype=np.float32)  # (N, h, w) or (N,)
        rows = np.empty(scores.shape, dtype=np.int64)
        for image, vectors in enumerate(values):
            distances, found = self.search.nearest(vectors.reshape(-1, dim), self.k)
            rows[image] = found[:, 0].reshape(scores.shape[1:])
            scores[image] = np.minimum(distances.mean(axis=1), LARGEST).reshape(scores.shape[1:])
        return Scores(images=scores) if self.on_images else Scores(patches=scores, nearest=rows)
