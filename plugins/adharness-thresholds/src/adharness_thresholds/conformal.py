"""A threshold from normal images alone, with a guarantee that holds for small samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from adharness import Calibration, Threshold
from adharness.arrays import Float32
from adharness_thresholds.maps import require_maps
from adharness_thresholds.normals import normal_scores
from adharness_thresholds.order import lowest_covering


@dataclass(frozen=True)
class ConformalQuantile:
    """The ceil((n + 1) q)-th smallest of n normal scores, and its counterpart for pixels.

    Notes
    -----
    If the calibration images and a new normal image are exchangeable, the new one scores above the
    threshold with probability at most 1 - q, averaged over calibration sets; ties only lower it.
    The plain q-quantile promises this for large n only.

    Pixels of one image are not exchangeable with those of another, but whole images are: with
    L_i(t) the share of the pixels of image i above t, the smallest t with
    (L_1 + ... + L_n + 1) / (n + 1) <= 1 - q leaves on average at most 1 - q of the pixels of a new
    normal image above it, however they depend on each other. With one pixel an image this is the
    rule for scores.

    With fewer than q / (1 - q) images no finite threshold has the guarantee: the maximum is used,
    which flags at most 1 / (n + 1) on average, and the note says so.

    References
    ----------
    Bates, Candes, Lei, Romano, Sesia, Testing for outliers with conformal p-values, Annals of
    Statistics 51(1), 2023, section 1.2. Of pixels: Angelopoulos, Bates, Fisch, Lei, Schuster,
    Conformal risk control, ICLR 2024, theorem 1.
    """

    q: float

    def threshold(self, calibration: Calibration) -> Threshold:
        """Choose from the normal images of a calibration set; anomalous ones are left out.

        Raises
        ------
        DataError
            If there is no normal image, or a score is not finite.
        """
        scores = normal_scores(calibration)
        count = len(scores)
        rank = math.ceil((count + 1) * self._level)
        value = float(np.sort(scores)[min(rank, count) - 1])
        promised = max(1 - self._level, Fraction(1, count + 1))
        note = self._note(count, "false positives")
        return Threshold(value, count, 0, note, promised_fpr=float(promised))

    def pixel_threshold(self, maps: Sequence[Float32]) -> Threshold:
        """Choose from the maps of held-out normal images, each of the same weight.

        Raises
        ------
        DataError
            If there is no map, or a pixel is not finite.
        """
        count = len(maps)
        share = (count + 1) * self._level
        value = lowest_covering(lambda: require_maps(maps), min(share, Fraction(count)))
        return Threshold(value, count, 0, self._note(count, "pixels above it"))

    @property
    def _level(self) -> Fraction:
        return Fraction(str(self.q))  # as typed: 100 * 0.07 in floats is above 7, and ceil makes 8

    def _note(self, count: int, what: str) -> str | None:
        needed = math.ceil(self._level / (1 - self._level))
        if count >= needed:
            return None
        return (
            f"the maximum of {count} normal images: level {self.q:g} needs {needed}; "
            f"expect up to {1 / (count + 1):.1%} {what}"
        )
