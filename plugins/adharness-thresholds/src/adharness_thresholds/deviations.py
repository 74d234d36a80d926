"""The mean of normal scores and some standard deviations on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adharness import Calibration, Threshold, pixel_moments
from adharness.arrays import Float32
from adharness_thresholds.maps import require_maps
from adharness_thresholds.normals import normal_scores


@dataclass(frozen=True)
class MeanStd:
    """Mean + k standard deviations (the population's) of n normal scores, or of all their pixels.

    Notes
    -----
    Promises no rate of false alarms: scores of normal images have long right tails, and the two
    moments are moved by a single outlier. One image, or equal scores, give the score itself.

    References
    ----------
    Heckler-Kram et al., The MVTec AD 2 Dataset, 2025, section 4: k = 3 over validation pixels.
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
        centre = float(scores.min())  # so that equal scores give exactly their value
        from_there = scores - centre
        value = centre + float(from_there.mean() + self.k * from_there.std())
        return Threshold(value, len(scores), 0, _note(len(scores)))

    def pixel_threshold(self, maps: Sequence[Float32]) -> Threshold:
        """Choose from the maps of held-out normal images; one with more pixels weighs more.

        Raises
        ------
        DataError
            If there is no map, or a pixel is not finite.
        """
        found = pixel_moments(require_maps(maps))
        return Threshold(found.mean + self.k * found.deviation, found.images, 0)


def _note(count: int) -> str | None:
    return "one normal image: its score has no spread" if count == 1 else None
