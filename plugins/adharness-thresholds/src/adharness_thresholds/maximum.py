"""The highest score of normal images: the threshold that no image of calibration passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adharness import Calibration, Threshold
from adharness.arrays import Float32
from adharness_thresholds.maps import require_maps
from adharness_thresholds.normals import normal_scores


@dataclass(frozen=True)
class MaxNormal:
    """The highest of n normal scores, or the highest pixel of their maps.

    Notes
    -----
    If the calibration images and a new normal image are exchangeable, the new one passes the
    highest of them with probability at most 1 / (n + 1); ties only lower it. The same holds for
    the event that any pixel of a new normal map passes the highest pixel.
    """

    def threshold(self, calibration: Calibration) -> Threshold:
        """Choose from the normal images of a calibration set.

        Raises
        ------
        DataError
            If there is no normal image, or a score is not finite.
        """
        scores = normal_scores(calibration)
        count = len(scores)
        note = _note(count, "false positives")
        return Threshold(float(scores.max()), count, 0, note, promised_fpr=1 / (count + 1))

    def pixel_threshold(self, maps: Sequence[Float32]) -> Threshold:
        """Choose from the maps of held-out normal images.

        Raises
        ------
        DataError
            If there is no map, or a pixel is not finite.
        """
        highest = max(float(np.max(one)) for one in require_maps(maps))
        return Threshold(highest, len(maps), 0, _note(len(maps), "good images with a marked pixel"))


def _note(count: int, what: str) -> str:
    return f"the maximum of {count} normal images: expect up to {1 / (count + 1):.1%} {what}"
