"""Principal components of a covariance, which of them are kept, and how they are shrunk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adharness.arrays import Float64


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Components of the covariance of `count` vectors, by falling variance.

    Parameters
    ----------
    variances : (k,) float64
    axes : (d, k) float64
        Orthonormal columns.
    count
        Number of vectors M; the covariance was divided by it.
    noise
        Variances up to this cannot be told from the rounding of the largest.
    """

    variances: Float64
    axes: Float64
    count: int
    noise: float

    @classmethod
    def of(cls, covariance: Float64, count: int) -> Spectrum:
        """All components of a covariance (d, d)."""
        variances, axes = np.linalg.eigh(covariance)
        variances = np.maximum(variances[::-1], 0.0)
        noise = _rounding(len(variances)) * float(variances[0])
        return cls(variances, np.ascontiguousarray(axes[:, ::-1]), count, noise)

    def leading(self, share: float) -> Spectrum:
        """Keep the fewest leading components that hold more than `share` of the variance."""
        return self._cut(slice(0, self._boundary(share) + 1))

    def trailing(self, share: float) -> Spectrum:
        """Keep the fewest trailing components that hold at least `share` of the variance.

        Notes
        -----
        Components without any variance, such as those that fewer vectors than dimensions leave, are
        dropped first: along them every distance would be infinite.
        """
        kept = self._cut(slice(0, int((self.variances > self.noise).sum())))
        return kept._cut(slice(kept._boundary(1.0 - share), None))

    def ledoit_wolf(self, fourth: float) -> float:
        """Share of the scaled identity, in [0, 1], that minimises the expected squared error.

        Parameters
        ----------
        fourth
            Sum over the vectors of the fourth power of their distance to the mean.

        Notes
        -----
        Equal to `sklearn.covariance.ledoit_wolf_shrinkage`, which holds all rows twice in memory.
        0 where the covariance already is a multiple of the identity, and of two vectors: what is
        left of them is rounding, and no two processors round alike.

        References
        ----------
        Ledoit and Wolf, A well-conditioned estimator for large-dimensional covariance matrices,
        Journal of Multivariate Analysis 88, 2004, equation 14 and lemmas 3.2 to 3.4.
        """
        frobenius = float((self.variances**2).sum())
        excess = fourth / self.count - frobenius
        if excess <= _rounding(len(self.variances)) * frobenius:
            return 0.0
        spread = self._spread()
        return min(excess / self.count / spread, 1.0) if spread > 0 else 0.0

    def oas(self) -> float:
        """Share of the scaled identity, in [0, 1], by the oracle-approximating estimator.

        Notes
        -----
        Equal to `sklearn.covariance.oas`, which like this drops a term of the paper's equation 23
        that hardly matters in many dimensions. 1 where the covariance already is a multiple of the
        identity: any share gives the same.

        References
        ----------
        Chen, Wiesel, Eldar and Hero, Shrinkage Algorithms for MMSE Covariance Estimation, IEEE
        Transactions on Signal Processing 58, 2010, equation 23.
        """
        numerator = float((self.variances**2).sum() + self.variances.sum() ** 2)
        denominator = (self.count + 1) * self._spread()
        return min(1.0, numerator / denominator) if denominator > 0 else 1.0

    def shrunk(self, share: float, ridge: float) -> Float64:
        """Variances (k,) mixed with their mean by `share`, and `ridge` added."""
        mixed: Float64 = (1.0 - share) * self.variances + share * self.variances.mean() + ridge
        return mixed

    def _spread(self) -> float:
        """Squared Frobenius distance of the covariance to the nearest multiple of the identity."""
        return float(((self.variances - self.variances.mean()) ** 2).sum())

    def _boundary(self, share: float) -> int:
        """Position of the component at which the running sum of variance passes `share`."""
        running = np.cumsum(self.variances)
        position = int(np.searchsorted(running, share * running[-1], side="right"))
        return min(position, len(running) - 1)

    def _cut(self, kept: slice) -> Spectrum:
        return Spectrum(self.variances[kept], self.axes[:, kept], self.count, self.noise)


def _rounding(dims: int) -> float:
    """Relative to the largest, how far rounding moves what is summed over so many dimensions."""
    return 4 * (dims + 1) * float(np.finfo(np.float64).eps)
