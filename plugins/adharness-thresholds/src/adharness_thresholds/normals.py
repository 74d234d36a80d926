"""The scores of the normal images of a calibration set, checked."""

from __future__ import annotations

import numpy as np

from adharness import Calibration, DataError
from adharness.arrays import Float64, require_finite


def normal_scores(calibration: Calibration) -> Float64:
    """Scores (n,) float64 of the normal images, at least one; anomalous ones are left out.

    Raises
    ------
    DataError
        If there is no normal image, or a score is not finite.
    """
    scores = calibration.scores.astype(np.float64)
    if calibration.labels is not None:
        scores = scores[calibration.labels == 0]
    require_finite(scores, name="calibration scores", error=DataError)
    if not len(scores):
        raise DataError(
            "calibration has no normal image", hint="split: {calibration: {normal: 0.2}}"
        )
    return scores
