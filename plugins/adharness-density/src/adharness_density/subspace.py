"""Principal components of the sample, and the likelihood of what they leave out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adharness.arrays import Float64

ROUNDING = 1e-20  # of the squared features: less variance than one float32 step in 50,000 rows


@dataclass(frozen=True, eq=False)
class Subspace:
    """The d directions in which the sample varies most.

    Parameters
    ----------
    mean : (D,) float64
    axes : (d, D) float64
        Orthonormal.
    scale
        Root of the mean variance along the axes; coordinates are divided by it.
    left_out
        Variance along each of the other D - d directions, taken to be equal.
    """

    mean: Float64
    axes: Float64
    scale: float
    left_out: float

    def coordinates(self, rows: Float64) -> Float64:
        """Coordinates (n, d) of vectors (n, D), of mean variance 1 over the sample."""
        scaled: Float64 = (rows - self.mean) @ self.axes.T / self.scale
        return scaled

    def log_volume(self) -> float:
        """Subtract this from a log-density of coordinates to have that of the projected vectors."""
        return len(self.axes) * float(np.log(self.scale))

    def residual_log_density(self, rows: Float64) -> Float64:
        """Log-density (n,) of the parts of vectors (n, D) that are orthogonal to the axes.

        Zero where nothing was left out.
        """
        missing = self.axes.shape[1] - len(self.axes)
        if not missing:
            return np.zeros(len(rows))
        centred = rows - self.mean
        rest = centred - (centred @ self.axes.T) @ self.axes
        squares: Float64 = np.einsum("nd,nd->n", rest, rest)
        density: Float64 = squares / self.left_out + missing * np.log(2 * np.pi * self.left_out)
        return -0.5 * density


def fit_subspace(rows: Float64, dims: int, epsilon: float) -> Subspace:
    """Find the first `dims` principal components of n >= 2 rows (n, D).

    Notes
    -----
    The variance left out is at least `epsilon` mean variances kept. Where the rows do not vary
    beyond rounding, the mean variance is taken for 1: constant features have a density too.
    """
    covariance = np.cov(rows, rowvar=False).reshape(rows.shape[1], rows.shape[1])
    variances, vectors = np.linalg.eigh(covariance)  # ascending
    split = rows.shape[1] - dims
    mean_variance = float(variances[split:].mean())
    kept = mean_variance if mean_variance > ROUNDING * float(np.mean(rows**2)) else 1.0
    rest = float(variances[:split].mean()) if split else 0.0
    axes = np.ascontiguousarray(vectors[:, split:].T[::-1])
    return Subspace(rows.mean(axis=0), axes, kept**0.5, max(rest, epsilon * kept))
