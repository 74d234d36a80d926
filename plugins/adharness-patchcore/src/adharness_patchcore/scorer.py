"""The scorer: distance to the nearest bank row; the image score re-weighted by equation 7."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adharness import ContractError, FeatureGrid, Memory, Scores, check_query, check_rows
from adharness.arrays import Float32, Float64, Int64
from adharness_knn_faiss.search import NearestRows
from adharness_patchcore import PatchcoreParams


@dataclass(frozen=True)
class PatchcoreScorer:
    """Distance of each patch to the nearest row of a bag.

    References
    ----------
    Roth et al., Towards Total Recall in Industrial Anomaly Detection, CVPR 2022, section 3.3. The
    paper's code has no re-weighting and takes squared distances: the recipe `official`.
    """

    params: PatchcoreParams

    def fit(self, memory: Memory, rng: np.random.Generator) -> FittedPatchcore:  # noqa: ARG002
        """Prepare the search; nothing is drawn from `rng`.

        Raises
        ------
        ContractError
            Where the memory is no bag, is empty, is not finite, or has fewer rows than the
            weight asks neighbours of.
        """
        rows = check_rows(memory, scorer="patchcore", kinds=("bag",))
        if self.params.reweight != "none" and self.params.neighbours > len(rows):
            raise ContractError(
                f"neighbours = {self.params.neighbours} asked of a bank with {len(rows)} row(s)",
                hint=f"set neighbours to at most {len(rows)}, keep more rows, or reweight: none",
            )
        return FittedPatchcore(self.params, NearestRows.of(rows, search=self.params.search))


@dataclass(frozen=True, eq=False)
class FittedPatchcore:
    """A bank that is ready to be searched."""

    params: PatchcoreParams
    bank: NearestRows

    def score(self, features: FeatureGrid) -> Scores:
        """Score patches (N, h, w) and images (N,), and name the nearest row of each patch.

        Notes
        -----
        Each image is searched on its own, so its scores do not depend on the batch, to the last
        bit. Of several patches with the largest score the first is the one that is re-weighted.

        Raises
        ------
        ContractError
            Where D differs from the bank's or a feature is not finite.
        """
        values = check_query(features, self.bank.rows.shape[1])
        patches = np.empty(values.shape[:3], dtype=np.float32)  # (N, h, w)
        rows = np.empty(values.shape[:3], dtype=np.int64)
        images = np.empty(len(values), dtype=np.float32)
        for image, vectors in enumerate(values):
            queries = vectors.reshape(-1, values.shape[-1])
            distance, nearest = (found[:, 0] for found in self.bank.nearest(queries))
            rows[image] = nearest.reshape(values.shape[1:3])
            if self.params.distance == "squared":
                distance *= distance
            patches[image] = distance.reshape(values.shape[1:3])
            worst = int(distance.argmax())
            images[image] = distance[worst] * self._weight(queries[worst], int(nearest[worst]))
        return Scores(patches=patches, images=images, nearest=rows)

    def _weight(self, query: Float32, nearest: int) -> float:
        if self.params.reweight == "none":
            return 1.0
        if self.params.reweight == "study":
            return study_weight(self._distances(query, self.bank.near(query, self._count)))
        # The nearest row is the first of its own neighbours.
        return equation_7(self._distances(query, self.bank.around(nearest, self._count)))

    @property
    def _count(self) -> int:
        return self.params.neighbours

    def _distances(self, query: Float32, rows: Int64) -> Float64:
        difference = self.bank.rows[rows].astype(np.float64) - query
        squared: Float64 = np.einsum("bd,bd->b", difference, difference)
        return squared if self.params.distance == "squared" else np.sqrt(squared)


def equation_7(distances: Float64) -> float:
    """Weight of the largest patch score, in [0, 1).

    Parameters
    ----------
    distances : (b,) float64
        From the test patch m_test* to the b bank rows nearest to m*, the first being m* itself.

    Returns
    -------
    float
        `1 - exp(distances[0]) / sum(exp(distances))`. 1 - 1/b where all are equal; smaller where
        m* is farther from the test patch than its neighbours are.

    Notes
    -----
    In the form of a soft-max, shifted by the largest distance: `exp` of a raw distance overflows
    beyond 709. A weight below 1e-16 is written as 0.

    References
    ----------
    Roth et al. 2022, equation 7.
    """
    shares = np.exp(distances - distances.max())
    return float(shares[1:].sum() / shares.sum())


def study_weight(distances: Float64) -> float:
    """Weight of the largest patch score as the study took it, in [0, 1].

    Parameters
    ----------
    distances : (b,) float64
        From the test patch to the b bank rows nearest to it, ascending.

    Returns
    -------
    float
        `1 - exp(-distances[0]) / sum(exp(-distances))` in float32; 1 where the sum is 0.

    Notes
    -----
    Neither the neighbours nor the sign of equation 7. On squared distances beyond about 103 every
    `exp` is 0 in float32, so the weight is 1: that is how the study's numbers came about, and it
    is why this is not written in the form that cannot underflow.
    """
    shares = np.exp(-distances.astype(np.float32))
    total = shares.sum()
    return float(1 - shares[0] / total) if total > 0 else 1.0
