"""Location and scale of normal scores, predicted from the image's embedding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adharness import Calibration, DataError, FittedNormalizer, ImageContext
from adharness.arrays import Float64
from adharness_normalizers import RegressedParams
from adharness_normalizers.normals import MORE, each_image, normals_of, place_of

NAME = "regressed"
AT_LEAST = 10
"""Images without which leaving one out says nothing of how well a line predicts."""
PENALTIES = (*(10.0**power for power in range(-4, 3)), np.inf)
"""Of a unit of the embeddings' mean squared length; the infinite one predicts the mean."""


class RegressedNormalizer:
    """Predicts mean and deviation of normal scores as ridge regressions on the embedding.

    `score -> (score - m(x)) / d(x)`. The mean m is linear in the embedding. The deviation d is the
    exponential of a linear function, fitted to the logarithms of |score - m(x)|, each with its own
    image left out of m, and multiplied by the constant that makes the mean of ((score - m) / d)^2
    one: it is positive whatever the embedding. Both are kept within the range that they have on
    the calibration images, as a line knows nothing of what lies outside.

    The penalty of each is that of `PENALTIES` with the least squared error of images left out, one
    by one, in closed form; the intercept is not penalised.

    References
    ----------
    After Guo et al., arXiv 2404.00724 (CADA), whose regression head predicts statistics of normal
    scores from the image; the two ridge regressions are ours.
    """

    def __init__(self, params: RegressedParams) -> None:
        self.params = params

    def fit(self, calibration: Calibration) -> FittedNormalizer:
        """Learn from the normal images of a calibration set.

        Raises
        ------
        ContractError
            Embeddings are not given.
        DataError
            A number is not finite, there are fewer than 10 images, or a score is predicted exactly,
            so that its deviation has no logarithm.
        """
        normals = normals_of(calibration, NAME, at_least=AT_LEAST)
        design = _Design.of(normals.places(NAME))
        mean = design.ridge(normals.scores)
        off = np.abs(mean.left_out)
        if not off.all():
            exact = f"{np.count_nonzero(off == 0)} of {len(off)} calibration scores"
            raise DataError(f"{exact} are predicted exactly, so they have no scale", hint=MORE)
        deviation = design.ridge(np.log(off))
        unit = 0.5 * np.log(np.mean(np.square(off) / np.exp(2 * deviation.fitted)))
        return _Predicted(design, mean, deviation, float(unit))


@dataclass(frozen=True, eq=False)
class _Line:
    """A fitted line, and what it says of the calibration images."""

    intercept: float
    slopes: Float64
    """(E,)"""
    fitted: Float64
    """(n,)"""
    left_out: Float64
    """(n,) target minus prediction, the image itself left out."""

    def at(self, row: Float64) -> float:
        """Predict from a row (E,), within the range of what was fitted."""
        value = self.intercept + float(row @ self.slopes)
        return min(max(value, float(self.fitted.min())), float(self.fitted.max()))


@dataclass(frozen=True, eq=False)
class _Design:
    """Embeddings about their mean, in units of their root mean squared length, decomposed."""

    center: Float64
    unit: float
    left: Float64
    """(n, r)"""
    values: Float64
    """(r,)"""
    right: Float64
    """(r, E)"""

    @classmethod
    def of(cls, places: Float64) -> _Design:
        center = places.mean(axis=0)
        away = places - center
        length = float(np.sqrt(np.square(away).sum(axis=1).mean()))
        unit = length if length > 0 else 1.0  # all in one place: then every slope is 0
        left, values, right = np.linalg.svd(away / unit, full_matrices=False)
        return cls(center, unit, left, values, right)

    def row(self, place: Float64) -> Float64:
        """Bring an embedding (E,) to the units of the design."""
        scaled: Float64 = (place - self.center) / self.unit
        return scaled

    def ridge(self, target: Float64) -> _Line:
        """Fit a target (n,) with the penalty that predicts images left out best."""
        lines = [self._line(target, penalty * len(target)) for penalty in PENALTIES]
        return min(lines, key=lambda line: float(np.square(line.left_out).sum()))

    def _line(self, target: Float64, penalty: float) -> _Line:
        mean = float(target.mean())
        kept = np.square(self.values) / (np.square(self.values) + penalty)
        fitted = mean + self.left @ (kept * (self.left.T @ (target - mean)))
        leverage = 1 / len(target) + np.square(self.left) @ kept
        shrunk = self.values / (np.square(self.values) + penalty)
        slopes = self.right.T @ (shrunk * (self.left.T @ (target - mean)))
        return _Line(mean, slopes, fitted, (target - fitted) / (1 - leverage))


@dataclass(frozen=True, eq=False)
class _Predicted:
    design: _Design
    mean: _Line
    deviation: _Line
    unit: float
    """Logarithm of the constant that makes calibration deviations 1."""

    def apply(self, values: Float64, context: ImageContext) -> Float64:
        """Rescale image scores (n,), or maps (n, H, W), each by what its embedding predicts.

        Raises ContractError where the embeddings are not given for these n images.
        """
        return each_image(values, context, self._standard)

    def _standard(self, one: Float64, context: ImageContext) -> Float64:
        row = self.design.row(place_of(context, NAME, len(self.design.center)))
        deviation = np.exp(self.unit + self.deviation.at(row))
        standard: Float64 = (one - self.mean.at(row)) / deviation
        return standard
