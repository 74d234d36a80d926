"""The scorer: distances to the nearest directions, the highest averaged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adharness import FeatureGrid, Memory, Scores, check_query, check_rows
from adharness.arrays import mean_of_highest
from adharness_anomalydino import AnomalyDinoParams
from adharness_knn_faiss.search import NearestRows


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
        bank = NearestRows.of(rows, "direction", self.params.search)
        return FittedAnomalyDino(self.params.top_ratio, bank)


@dataclass(frozen=True, eq=False)
class FittedAnomalyDino:
    """Remembered patches (M, D), searched by their directions."""

    top_ratio: float
    bank: NearestRows

    def score(self, features: FeatureGrid) -> Scores:
        """Score patches (N, h, w) in [0, 2], and images (N,) by the mean of their highest.

        The nearest row of each patch is named too.

        Notes
        -----
        Of n patches the highest `int(top_ratio * n)` are averaged, or the one highest where that
        is 0. Each image is searched on its own, so a score does not depend on the batch.

        Raises
        ------
        ContractError
            Where D differs from the memory's or a feature is not finite.
        """
        values = check_query(features, self.bank.rows.shape[1])
        patches = np.empty(values.shape[:3], dtype=np.float32)  # (N, h, w)
        rows = np.empty(values.shape[:3], dtype=np.int64)
        images = np.empty(len(values), dtype=np.float32)
        for image, vectors in enumerate(values):
            found, positions = self.bank.nearest(vectors.reshape(-1, values.shape[-1]))
            distances = found[:, 0]
            rows[image] = positions.reshape(values.shape[1:3])
            patches[image] = distances.reshape(values.shape[1:3])
            images[image] = mean_of_highest(distances, self.top_ratio)
        return Scores(patches=patches, images=images, nearest=rows)
