"""Decisions over a batch of images, with the share of false ones among the alarms held down."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from adharness import Calibration, Threshold
from adharness.arrays import Float64, Int64, require_finite
from adharness_thresholds.normals import normal_scores


def p_values(calibration: Float64, scores: Float64) -> Float64:
    """Conformal p-values (m,) of scores against n scores of normal images.

    p_j = (1 + #{i: s_i >= s_j}) / (n + 1): for a normal image that is exchangeable with those of
    calibration, p_j <= a has probability at most a, ties included.
    """
    return (1 + _at_least(calibration, scores)) / (len(calibration) + 1)


@dataclass(frozen=True)
class ConformalBH:
    """Benjamini-Hochberg on conformal p-values, at a false-discovery rate of at most `alpha`.

    Notes
    -----
    Of m images decided together, those with the k smallest p-values are flagged, with the largest k
    for which the k-th smallest is at most alpha k / m. If the normal images among them are
    exchangeable with those of calibration, the expected share of false ones among the alarms is at
    most alpha times the share of normal images: the p-values share one calibration set, which makes
    them positively dependent (PRDS), and there the procedure holds. No alarm counts as a share 0.

    **A batch decision.** Whether an image is flagged depends on which others are decided with it:
    the rule sees their scores, never a label. It is fitted on calibration alone.

    A p-value falls in steps as the score rises, at the calibration scores. So the images flagged
    are those above one of them, and that is the threshold given: the (r + 1)-th largest, if up to
    r calibration scores may lie at or above a flagged one. Where nothing is flagged it is the
    highest score there is.

    References
    ----------
    Bates, Candes, Lei, Romano, Sesia, Testing for outliers with conformal p-values, Annals of
    Statistics 51(1), 2023, theorem 2. Benjamini and Hochberg, JRSS B 57(1), 1995.
    """

    alpha: float

    def rule(self, calibration: Calibration) -> FittedBH:
        """Fit on the normal images of a calibration set.

        Raises
        ------
        DataError
            If there is no normal image, or a score is not finite.
        """
        return FittedBH(normal_scores(calibration), Fraction(str(self.alpha)))


@dataclass(frozen=True, eq=False)
class FittedBH:
    """The scores (n,) of the normal calibration images, and the rate as typed."""

    calibration: Float64
    alpha: Fraction

    def decide(self, scores: Float64) -> Threshold:
        """Give the threshold of a batch (m,); with no image, the highest calibration score.

        Raises
        ------
        ContractError
            If a score is not finite.
        """
        require_finite(scores, name="scores of the batch")
        count, batch = len(self.calibration), len(scores)
        allowed = self._allowed(scores)
        flagged = allowed is not None
        value = np.sort(self.calibration)[count - 1 - (allowed or 0)]
        if not flagged:
            value = max([value, *scores])
        return Threshold(float(value), count, 0, self._note(batch, flagged=flagged), batch)

    def _allowed(self, scores: Float64) -> int | None:
        """How many calibration scores may lie at or above a flagged one; None: nothing flagged.

        In whole numbers: 1 + r <= alpha k (n + 1) / m, exact for ties of both sides.
        """
        count, batch = len(self.calibration), len(scores)
        reached = np.sort(1 + _at_least(self.calibration, scores))  # p-values times n + 1
        for k in range(batch, 0, -1):
            most = math.floor(self.alpha * k * (count + 1) / batch)
            if reached[k - 1] <= most:
                return most - 1
        return None

    def _note(self, batch: int, *, flagged: bool) -> str:
        level = f"false-discovery rate {float(self.alpha):g}"
        depends = f"{level}, decided over a batch of {batch} test images: it depends on all of them"
        count = len(self.calibration)
        needed = math.ceil(1 / self.alpha) - 1
        if count < needed:
            return f"{depends}; {count} normal images can never flag: even all alarms need {needed}"
        alone = math.ceil(batch / self.alpha) - 1
        if not flagged and count < alone:
            return f"{depends}; nothing flagged: with {count} normal images " + _least(
                self.alpha, count, batch
            )
        return depends


def _least(alpha: Fraction, count: int, batch: int) -> str:
    """Say how many images must beat all of calibration before any of them is flagged."""
    return f"at least {math.ceil(batch / (alpha * (count + 1)))} must score above all of them"


def _at_least(calibration: Float64, scores: Float64) -> Int64:
    ordered = np.sort(calibration)
    return len(ordered) - np.searchsorted(ordered, scores, side="left")
