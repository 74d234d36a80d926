"""Mean, covariance and Ledoit-Wolf shrinkage of many rows, read in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from adharness.arrays import Float32, Float64

BLOCK_VALUES = 4 * 1024 * 1024  # 32 MiB of float64


@dataclass(frozen=True, eq=False)
class Moments:
    """What a Gaussian fit needs of M rows.

    Parameters
    ----------
    mean : (D,) float64
    covariance : (D, D) float64
        Divided by M, as Ledoit and Wolf and scikit-learn do.
    fourth
        Sum over the rows of the fourth power of their distance to the mean.
    count
        M.
    """

    mean: Float64
    covariance: Float64
    fourth: float
    count: int

    def ledoit_wolf(self) -> float:
        """Share of the scaled identity, in [0, 1], that minimises the expected squared error.

        Notes
        -----
        Equal to `sklearn.covariance.ledoit_wolf_shrinkage`, which holds all rows twice in memory;
        this needs one pass. 0 where the covariance already is a multiple of the identity.

        References
        ----------
        Ledoit and Wolf, A well-conditioned estimator for large-dimensional covariance matrices,
        Journal of Multivariate Analysis 88, 2004, equations 14 and lemmas 3.2 to 3.4.
        """
        scale = np.trace(self.covariance) / len(self.mean)
        frobenius = float((self.covariance**2).sum())
        spread = frobenius - len(self.mean) * scale**2
        noise = min((self.fourth / self.count - frobenius) / self.count, spread)
        return float(noise / spread) if noise > 0 else 0.0

    def shrunk(self, share: float) -> Float64:
        """Mix (D, D): `(1 - share) * covariance + share * mean variance * identity`."""
        covariance = (1.0 - share) * self.covariance
        scale = np.trace(self.covariance) / len(self.mean)
        covariance[np.diag_indices_from(covariance)] += share * scale
        return covariance


def measure(rows: Float32) -> Moments:
    """Moments of rows (M, D), M >= 1, accumulated in float64 around the mean."""
    mean = rows.mean(axis=0, dtype=np.float64)
    scatter = np.zeros((rows.shape[1], rows.shape[1]))
    fourth = 0.0
    for block in _blocks(rows):
        centred = block - mean
        scatter += centred.T @ centred
        squares = np.einsum("md,md->m", centred, centred)
        fourth += float(squares @ squares)
    return Moments(mean, scatter / len(rows), fourth, len(rows))


def _blocks(rows: Float32) -> Iterator[Float64]:
    step = max(1, BLOCK_VALUES // rows.shape[1])
    for start in range(0, len(rows), step):
        yield rows[start : start + step].astype(np.float64)
