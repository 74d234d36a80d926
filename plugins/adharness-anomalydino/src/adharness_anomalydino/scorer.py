"""The scorer: nearest directions found by FAISS, measured in float64, the highest averaged."""

from __future__ import annotations

from dataclasses import dataclass

import faiss
import numpy as np

from adharness import FeatureGrid, Memory, Scores, check_query, check_rows
from adharness.arrays import Float32, Float64, Int64
from adharness_anomalydino import AnomalyDinoParams

CANDIDATES = 4  # float32 may swap near-ties; the nearest of these is taken in float64
QUERY_ROWS = 4096  # fixed, so that a query's sums do not depend on the batch
GATHERED_VALUES = 4 * 1024 * 1024  # 32 MiB of float64


@dataclass(frozen=True)
class AnomalyDinoScorer:
    """Cosine distance to the nearest remembered patch.

    References
    ----------
    Damm, Laszkiewicz, Lederer and Fischer, AnomalyDINO: Boosting Patch-based Few-Shot Anomaly
    Detection with DINOv2, WACV 2025, section 3.
    """

    params: AnomalyDinoParams

    def fit(self, memory: Memory, rng: np.random.Generator) -> FittedAnomalyDino:  # noqa: ARG002  nothing is drawn
        """Index the directions of the memory's rows (M, D).

        Raises
        ------
        ContractError
            Where the memory is not a bag, is empty, or is not finite.
        """
        rows = check_rows(memory, scorer="anomalydino", kinds=("bag",))
        index = faiss.IndexFlatL2(rows.shape[1])
        index.add(_unit(rows).astype(np.float32))
        return FittedAnomalyDino(self.params.top_ratio, rows, index)


@dataclass(frozen=True, eq=False)
class FittedAnomalyDino:
    """Remembered patches (M, D) and the index of their directions."""

    top_ratio: float
    rows: Float32
    index: faiss.IndexFlatL2

    def score(self, features: FeatureGrid) -> Scores:
        """Score patches (N, h, w) in [0, 2], and images (N,) by the mean of their highest.

        Notes
        -----
        Of n patches the highest `int(top_ratio * n)` are averaged, or the one highest where that
        is 0. Each image is searched on its own, so a score does not depend on the batch.

        Raises
        ------
        ContractError
            Where D differs from the memory's or a feature is not finite.
        """
        values = check_query(features, self.rows.shape[1])
        patches = np.empty(values.shape[:3], dtype=np.float32)  # (N, h, w)
        images = np.empty(len(values), dtype=np.float32)
        for image, vectors in enumerate(values):
            distances = self._nearest(vectors.reshape(-1, values.shape[-1]))
            patches[image] = distances.reshape(values.shape[1:3])
            images[image] = mean_of_highest(distances, self.top_ratio)
        return Scores(patches=patches, images=images)

    def _nearest(self, queries: Float32) -> Float64:
        blocks = range(0, len(queries), QUERY_ROWS)
        return np.concatenate([self._block(queries[i : i + QUERY_ROWS]) for i in blocks])

    def _block(self, queries: Float32) -> Float64:
        """Distances (n,) to the nearest row, gathering few candidates at once."""
        unit = _unit(queries)  # (n, D) float64
        count = min(CANDIDATES, len(self.rows))
        found: Int64 = self.index.search(unit.astype(np.float32), count)[1]  # (n, c)
        step = max(1, GATHERED_VALUES // (count * unit.shape[1]))
        parts = [
            _between(unit[i : i + step], _unit(self.rows[found[i : i + step]])).min(axis=1)
            for i in range(0, len(unit), step)
        ]
        return np.concatenate(parts)


def mean_of_highest(distances: Float64, ratio: float) -> float:
    """Mean of the highest `int(ratio * n)` of n >= 1 distances, of the one highest where it is 0.

    Ties at the border are equal, so it does not matter which of them enters.
    """
    count = max(1, int(ratio * len(distances)))
    return float(np.partition(distances, -count)[-count:].mean())


def _between(queries: Float64, rows: Float64) -> Float64:
    """Half the squared distances (n, c) of unit vectors (n, D) to theirs (n, c, D): 1 - cosine."""
    difference = rows - queries[:, None]
    halves: Float64 = np.einsum("ncd,ncd->nc", difference, difference) / 2
    return halves


def _unit(vectors: Float32) -> Float64:
    """Unit-length vectors in float64; a zero vector stays zero."""
    wide = vectors.astype(np.float64)
    length = np.linalg.norm(wide, axis=-1, keepdims=True)
    unit: Float64 = np.divide(wide, length, out=np.zeros_like(wide), where=length > 0)
    return unit
