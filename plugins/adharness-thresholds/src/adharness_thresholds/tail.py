"""Peaks over threshold: a generalised Pareto tail fitted to the highest normal scores."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np

from adharness import Calibration, Threshold
from adharness.arrays import Float64
from adharness_thresholds.normals import normal_scores

MIN_EXCESSES = 10
"""Fewer say nothing of the tail's shape: it is taken as exponential (shape 0)."""
LOWEST_SHAPE = -0.5
"""Below it maximum likelihood is not regular (Smith 1985), and below -1 it is unbounded."""


@dataclass(frozen=True)
class PeaksOverThreshold:
    """The score that a share `risk` of normal images passes, if their tail is generalised Pareto.

    With u the ceil(level n)-th smallest of n normal scores, N of them above u, and shape x and
    scale b fitted to their excesses over u by maximum likelihood, the threshold is
    u + (b / x) ((risk n / N)^-x - 1), and u - b log(risk n / N) where x is 0.

    Notes
    -----
    An extrapolation, not a guarantee: it holds as far as the tail is of this form. With fewer than
    10 excesses, and where the fit fails, the tail is exponential with their mean as scale. A shape
    below -1/2 means that the scores end a little above the highest one: that is then the threshold.
    Where no score is above u (equal scores at the top), the threshold is u. The note tells each of
    these. Where x < 0 the tail ends at u - b / x, and no threshold is beyond.

    References
    ----------
    Siffer, Fouque, Termier, Largouet, Anomaly Detection in Streams with Extreme Value Theory, KDD
    2017, equation 1; it takes level 0.98 and risk 1e-3 to 1e-5 of streams that begin with 1000
    values.
    """

    level: float
    risk: float

    def threshold(self, calibration: Calibration) -> Threshold:
        """Choose from the normal images of a calibration set.

        Raises
        ------
        DataError
            If there is no normal image, or a score is not finite.
        """
        scores = np.sort(normal_scores(calibration))
        start = float(scores[max(math.ceil(len(scores) * self.level), 1) - 1])
        excesses = scores[scores > start] - start
        if not len(excesses):
            note = f"no score is above the {self.level:g}-quantile: it is the threshold"
            return Threshold(start, len(scores), 0, note)
        above, note = self._reach(excesses, self.risk * len(scores) / len(excesses))
        return Threshold(start + above, len(scores), 0, note)

    def _reach(self, excesses: Float64, share: float) -> tuple[float, str]:
        """Give the excess that this share of all excesses passes, and what is to be said of it."""
        count, mean = len(excesses), float(excesses.mean())
        exponential = -mean * math.log(min(share, 1.0))
        if count < MIN_EXCESSES:
            few = f"exponential tail: its shape needs {MIN_EXCESSES} scores in it, it has {count}"
            return exponential, few
        fit = _fitted(excesses / mean)  # so that the unit of the scores changes nothing
        if fit is None:
            return exponential, f"exponential tail: no shape could be fitted to {count} scores"
        shape, scale = fit
        if shape < LOWEST_SHAPE:
            end = f"the highest score: the tail of {count} scores ends there (shape {shape:.2f})"
            return float(excesses.max()), end
        told = f"generalised Pareto tail of {count} scores, shape {shape:.2f}"
        return mean * _quantile(shape, scale, min(share, 1.0)), told


def _quantile(shape: float, scale: float, share: float) -> float:
    if abs(shape) < 1e-9:
        return -scale * math.log(share)
    return scale * math.expm1(-shape * math.log(share)) / shape


def _fitted(excesses: Float64) -> tuple[float, float] | None:
    """Shape and scale of largest likelihood; None where the search fails."""
    from scipy import stats

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the search steps out of the domain
        try:
            shape, _, scale = stats.genpareto.fit(excesses, 0.1, loc=0.0, scale=1.0, floc=0.0)
        except (stats.FitError, ValueError, FloatingPointError):
            return None
    good = math.isfinite(shape) and math.isfinite(scale) and scale > 0
    return (float(shape), float(scale)) if good else None
