"""Normalize and threshold, as a protocol allows: one group a class, or one group for all.

A group is what shares one normalizer and one threshold. Where the protocol hides the class, the
group's context holds none, so that nothing below can use it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from adharness.arrays import AnyArray, Float64, Int64, require_finite, require_shape
from adharness.contracts import Calibration, FittedNormalizer, ImageContext, Threshold
from adharness.contracts.specs import ThresholderSpec
from adharness.errors import ContractError, DataError
from adharness.suite.bind import Bound


@dataclass(frozen=True, eq=False)
class Held:
    """Raw scores of some images and what may be known of them."""

    scores: Float64
    context: ImageContext

    def where(self, chosen: AnyArray) -> Held:
        """Keep the chosen images (a mask or positions)."""
        classes, embeddings = self.context.classes, self.context.embeddings
        return Held(
            self.scores[chosen],
            ImageContext(
                classes=None if classes is None else list(np.asarray(classes)[chosen]),
                embeddings=None if embeddings is None else embeddings[chosen],
            ),
        )


@dataclass(frozen=True, eq=False)
class Normalized:
    """A group's scores on the normalizer's scale, and the transform itself, for its maps."""

    calibration: Float64
    calibration_labels: Int64
    test: Float64
    fitted: FittedNormalizer


def normalize(
    normalizer: Bound,
    calibration: Held,
    calibration_labels: Int64,
    test: Held,
    *,
    told_at_fit: Sequence[str] | None = None,
    uncalibrated: bool = False,
) -> Normalized:
    """Fit on the held-out normals of the group, then rescale calibration and test scores.

    Parameters
    ----------
    told_at_fit
        Classes of the calibration images, for a normalizer that is told them when it is fitted and
        not when it is applied; None where the contexts say all that it may know.
    uncalibrated
        There is no calibration, and that is known: a normalizer that needs none goes on.

    Raises
    ------
    DataError
        The group has no held-out normal image, or the normalizer cannot decide from those it has.
    ContractError
        The normalizer changed the shape or gave a value that is not finite.
    """
    normal = calibration_labels == 0
    if not normal.any() and not uncalibrated:
        raise DataError(
            "no normal image is held out for calibration",
            hint="raise split.calibration.normal in the suite",
        )
    normals = calibration.where(normal)
    context = normals.context
    if told_at_fit is not None:
        context = replace(context, classes=list(np.asarray(told_at_fit)[normal]))
    fitted = normalizer.make().fit(Calibration(normals.scores, None, context))
    return Normalized(
        calibration=_apply(fitted, calibration, normalizer.name),
        calibration_labels=calibration_labels,
        test=_apply(fitted, test, normalizer.name),
        fitted=fitted,
    )


def choose_threshold(thresholder: Bound, group: Normalized) -> Threshold:
    """Choose a group's threshold from its calibration scores.

    A thresholder that does not declare `needs_labels` is given the normal images only. No test
    score is passed on, but to the rule that a batch thresholder has fitted: it decides over the
    group's test images together, and is shown no label.

    Raises
    ------
    ContractError
        The thresholder gave no Threshold, or one that is not finite.
    """
    spec = thresholder.component.spec
    labelled = isinstance(spec, ThresholderSpec) and spec.needs_labels
    if labelled:
        calibration = Calibration(group.calibration, group.calibration_labels)
    else:
        calibration = Calibration(group.calibration[group.calibration_labels == 0])
    made = thresholder.make()
    if isinstance(spec, ThresholderSpec) and spec.batch:
        return checked_threshold(
            made.rule(calibration).decide(group.test), thresholder.name, batch=len(group.test)
        )
    return checked_threshold(made.threshold(calibration), thresholder.name)


def checked_threshold(chosen: object, name: str, *, batch: int = 0) -> Threshold:
    """Give what a thresholder chose, if its contract allows it.

    Raises
    ------
    ContractError
        It is no Threshold, is not finite, or counts another batch than it was given.
    """
    if not isinstance(chosen, Threshold):
        given = type(chosen).__name__
        raise ContractError(f"thresholder '{name}' gave a {given}, not a Threshold")
    if not np.isfinite(chosen.value):
        raise ContractError(f"thresholder '{name}' gave the threshold {chosen.value}")
    if chosen.batch != batch:
        raise ContractError(f"thresholder '{name}' counts a batch of {chosen.batch}, not {batch}")
    return chosen


def _apply(fitted: FittedNormalizer, held: Held, name: str) -> Float64:
    """Rescale image by image, so that no score can depend on which others are in the set."""
    values = np.empty(len(held.scores), dtype=np.float64)
    for i, score in enumerate(held.scores):
        one = np.asarray(fitted.apply(np.array([score]), held.context.single(i)))
        require_shape(one, (1,), name=f"scores of normalizer '{name}'")
        values[i] = one[0]
    require_finite(values, name=f"scores of normalizer '{name}'")
    return values
