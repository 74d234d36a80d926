"""The scorer: distance to the nearest bank row; the image score re-weighted by equation 7."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adharness import ContractError, FeatureGrid, Memory, Scores, check_query, check_rows
from adharness.arrays import Float32, Float64
from adharness_patchcore import PatchcoreParams
from adharness_patchcore.nearest import NearestRows


@dataclass(frozen=True)
class PatchcoreScorer:
    """Distance of each patch to the nearest row of a bag.

    References
    ----------
    Roth et al., Towards Total Recall in Industrial Anomaly Detection, CVPR 2022, section 3.3. The
    paper's code has no re-weighting: `reweight: false` is what its published numbers used.
    """

    params: PatchcoreParams

    def fit(self, memory: Memory, rng: np.random.Generator) -> FittedPatchcore:  # noqa: ARG002
        """Prepare the search; nothing is drawn from `rng`.

        Raises
        ------
        ContractError
            Where the memory is no bag, is empty, is not finite, or has fewer rows than equation 7
            asks neighbours of.
        """
        rows = check_rows(memory, scorer="patchcore", kinds=("bag",))
        if self.params.reweight and self.params.neighbours > len(rows):
            raise ContractError(
                f"neighbours = {self.params.neighbours} asked of a bank with {len(rows)} row(s)",
                hint=f"set neighbours to at most {len(rows)}, keep more rows, or reweight: false",
            )
        return FittedPatchcore(self.params, NearestRows.of(rows))


@dataclass(frozen=True, eq=False)
class FittedPatchcore:
    """A bank that is ready to be searched."""

    params: PatchcoreParams
    bank: NearestRows

    def score(self, features: FeatureGrid) -> Scores:
        """Score patches (N, h, w) and images (N,).

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
        images = np.empty(len(values), dtype=np.float32)
        for image, vectors in enumerate(values):
            queries = vectors.reshape(-1, values.shape[-1])
            distance, nearest = self.bank.nearest(queries)
            patches[image] = distance.reshape(values.shape[1:3])
            worst = int(distance.argmax())
            images[image] = distance[worst] * self._weight(queries[worst], int(nearest[worst]))
        return Scores(patches=patches, images=images)

    def _weight(self, query: Float32, nearest: int) -> float:
        if not self.params.reweight:
            return 1.0
        around = self.bank.around(nearest, self.params.neighbours)  # its own row is the first
        difference = self.bank.rows[around].astype(np.float64) - query
        return equation_7(np.sqrt(np.einsum("bd,bd->b", difference, difference)))


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
