"""Class-wise z-scores: the upper bound for normalizers that must guess the class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from adharness import Calibration, ContractError, DataError, FittedNormalizer, ImageContext
from adharness.arrays import AnyArray, Bool, Float64, require_finite
from adharness_normalizers.normals import MORE


class ZscoreNormalizer:
    """Learns the mean and the standard deviation of each class's normal scores.

    Notes
    -----
    The standard deviation divides by n - 1, since calibration sets are small and n would understate
    the scale. There is no floor: a class whose scores do not vary has no scale, and an invented
    one would decide that class's false positives, so it is an error.
    """

    def fit(self, calibration: Calibration) -> FittedNormalizer:
        """Learn from the normal images of a calibration set.

        Raises
        ------
        ContractError
            If the classes are not given.
        DataError
            If there is no normal image, if a score is not finite, if a class has fewer than two
            normal images, or if all its scores are equal.
        """
        classes = np.asarray(_classes(calibration.context, len(calibration.scores)))
        scores = calibration.scores.astype(np.float64)
        if calibration.labels is not None:
            normal = calibration.labels == 0
            _require_normals(classes, normal)
            classes, scores = classes[normal], scores[normal]
        require_finite(scores, name="calibration scores", error=DataError)
        if not len(scores):
            raise DataError("zscore needs normal images of every class, and has none", hint=MORE)
        return _ClassScales(
            {c: center(f"class {c!r}", scores[classes == c]) for c in sorted(set(classes.tolist()))}
        )


@dataclass(frozen=True)
class _ClassScales:
    scales: Mapping[str, tuple[float, float]]

    def apply(self, values: Float64, context: ImageContext) -> Float64:
        """Rescale image scores (n,), or maps (n, H, W), each by the scale of its image's class.

        Raises
        ------
        ContractError
            If the classes are not given for these n images.
        DataError
            If a class was not among the calibration images.
        """
        classes = _classes(context, len(values))
        unseen = sorted(set(classes) - set(self.scales))
        if unseen:
            raise DataError(
                f"no calibration image of class {', '.join(map(repr, unseen))}",
                hint=f"zscore was fitted on {', '.join(map(repr, sorted(self.scales)))}",
            )
        pairs = np.array([self.scales[name] for name in classes], dtype=np.float64).reshape(-1, 2)
        mean, deviation = pairs.T.reshape(2, -1, *[1] * (values.ndim - 1))
        scaled: Float64 = (np.asarray(values, dtype=np.float64) - mean) / deviation
        return scaled


def _classes(context: ImageContext, count: int) -> Sequence[str]:
    if context.classes is None:
        raise ContractError(
            "zscore needs the class of every image, and the protocol gives none",
            hint="normalizers: [{use: raw}], or a protocol with labels at evaluation",
        )
    if len(context.classes) != count:
        raise ContractError(f"{count} images, but {len(context.classes)} classes")
    return context.classes


def _require_normals(classes: AnyArray, normal: Bool) -> None:
    without = sorted(set(classes.tolist()) - set(classes[normal].tolist()))
    if without:
        raise DataError(f"no normal calibration image of class {', '.join(map(repr, without))}")


def center(of: str, scores: Float64) -> tuple[float, float]:
    """Give mean and sample deviation of a group's scores (n,); `of` names it in errors.

    Raises
    ------
    DataError
        There are fewer than two scores, or all are equal.
    """
    hint = "give the calibration split more normal images of it, or use: raw"
    if len(scores) < 2:
        raise DataError(
            f"{of} has {len(scores)} normal calibration image, a z-score needs 2", hint=hint
        )
    deviation = float(scores.std(ddof=1))
    # Equal scores can have a deviation of a rounding error instead of 0.
    if scores.min() == scores.max() or deviation == 0:
        raise DataError(
            f"all {len(scores)} normal calibration scores of {of} are {scores[0]:g}, "
            "so they have no scale",
            hint=hint,
        )
    return float(scores.mean()), deviation
