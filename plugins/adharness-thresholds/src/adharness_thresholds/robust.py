"""The median of normal scores and some robust deviations on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adharness import Calibration, Threshold
from adharness.arrays import Float32
from adharness_thresholds.maps import require_maps
from adharness_thresholds.normals import normal_scores
from adharness_thresholds.order import pixel_median

TO_SIGMA = 1.4826
"""1 / the 3/4 quantile of the standard normal: makes the MAD of normal data its deviation."""


@dataclass(frozen=True)
class MedianMad:
    """Median + k * 1.4826 * MAD of n normal scores, or of all their pixels.

    The MAD is the median of the absolute differences from the median. Up to half of the scores may
    be outliers before it breaks.

    Notes
    -----
    Promises no rate of false alarms. Where more than half of the scores are equal the MAD is 0 and
    the threshold is the median; the note says so. Of an even number the median is the mean of the
    two in the middle. Of pixels, differences are taken in float32.

    References
    ----------
    Hampel, The influence curve and its role in robust estimation, JASA 69, 1974.
    """

    k: float

    def threshold(self, calibration: Calibration) -> Threshold:
        """Choose from the normal images of a calibration set.

        Raises
        ------
        DataError
            If there is no normal image, or a score is not finite.
        """
        scores = normal_scores(calibration)
        median = float(np.median(scores))
        return self._above(median, float(np.median(np.abs(scores - median))), len(scores))

    def pixel_threshold(self, maps: Sequence[Float32]) -> Threshold:
        """Choose from the maps of held-out normal images; one with more pixels weighs more.

        Raises
        ------
        DataError
            If there is no map, or a pixel is not finite.
        """
        median = pixel_median(lambda: require_maps(maps))
        single = np.float32(median)
        spread = pixel_median(lambda: (np.abs(one - single) for one in require_maps(maps)))
        return self._above(median, spread, len(maps))

    def _above(self, median: float, mad: float, images: int) -> Threshold:
        note = "the median: half of the scores or more are equal to it, the MAD is 0"
        return Threshold(median + self.k * TO_SIGMA * mad, images, 0, None if mad else note)
