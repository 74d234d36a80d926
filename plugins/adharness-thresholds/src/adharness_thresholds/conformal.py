"""A threshold from normal images alone, with a guarantee that holds for small samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from adharness import Calibration, DataError, Threshold
from adharness.arrays import require_finite


@dataclass(frozen=True)
class ConformalQuantile:
    """The ceil((n + 1) q)-th smallest of n normal scores.

    Notes
    -----
    If the calibration images and a new normal image are exchangeable, the new one scores above the
    threshold with probability at most 1 - q, averaged over calibration sets; ties only lower it.
    The plain q-quantile promises this for large n only.

    With fewer than q / (1 - q) images the rank passes n, and no finite threshold has the guarantee:
    the maximum is used, which flags at most 1 / (n + 1) on average, and the note says so.

    References
    ----------
    Bates, Candes, Lei, Romano, Sesia, Testing for outliers with conformal p-values, Annals of
    Statistics 51(1), 2023, section 1.2.
    """

    q: float

    def threshold(self, calibration: Calibration) -> Threshold:
        """Choose from the normal images of a calibration set; anomalous ones are left out.

        Raises
        ------
        DataError
            If there is no normal image, or a score is not finite.
        """
        scores = calibration.scores.astype(np.float64)
        if calibration.labels is not None:
            scores = scores[calibration.labels == 0]
        require_finite(scores, name="calibration scores", error=DataError)
        count = len(scores)
        if count == 0:
            raise DataError(
                "calibration has no normal image", hint="split: {calibration: {normal: 0.2}}"
            )
        q = Fraction(str(self.q))  # as typed: 100 * 0.07 in floats is above 7, and ceil makes it 8
        rank = math.ceil((count + 1) * q)
        value = float(np.sort(scores)[min(rank, count) - 1])
        return Threshold(value, count, 0, None if rank <= count else _note(count, q))


def _note(count: int, q: Fraction) -> str:
    needed = math.ceil(q / (1 - q))
    return (
        f"the maximum of {count} normal images: level {float(q):g} needs {needed}; "
        f"expect up to {1 / (count + 1):.1%} false positives"
    )
