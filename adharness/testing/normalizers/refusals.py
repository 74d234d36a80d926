"""What a normalizer must refuse: clauses N3 and N6 of docs/contracts.md."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from adharness.contracts import Calibration, ImageContext
from adharness.errors import ContractError, DataError
from adharness.testing.check import Check, require, require_refused
from adharness.testing.normalizers.subject import NormalizerSubject, Scaled

EITHER = (DataError, ContractError)


def check_refuses_hidden_classes(subject: NormalizerSubject) -> None:
    """One that must be told classes raises ContractError where it is not."""
    given = subject.calibration(subject.world)
    hidden = replace(given, context=replace(given.context, classes=None))
    require_refused(partial(subject.make().fit, hidden), "calibration images of hidden classes")
    if subject.needs_class == "always":
        tested = subject.tested
        context = replace(subject.context(tested), classes=None)
        _require_not_applied(subject, context, "images of hidden classes")


def check_refuses_missing_embeddings(subject: NormalizerSubject) -> None:
    """One that reads embeddings raises ContractError without them, or of another length."""
    given, told = subject.calibration(subject.world), subject.context(subject.tested)
    bare = replace(given, context=replace(given.context, embeddings=None))
    require_refused(partial(subject.make().fit, bare), "calibration images without embeddings")
    _require_not_applied(subject, replace(told, embeddings=None), "images without embeddings")
    longer = np.repeat(subject.tested.embeddings, 2, axis=1)
    _require_not_applied(subject, replace(told, embeddings=longer), "longer embeddings")


def _require_not_applied(subject: NormalizerSubject, context: ImageContext, what: str) -> None:
    require_refused(partial(subject.fitted.apply, subject.tested.scores, context), what)


def check_refuses_an_unknown_class(subject: NormalizerSubject) -> None:
    """An image of a class that calibration had none of is refused, or its score is finite."""
    context = replace(subject.context(subject.tested), classes=["?"] * len(subject.tested.scores))
    try:
        found = np.asarray(subject.fitted.apply(subject.tested.scores, context))
    except EITHER:
        return
    require(bool(np.isfinite(found).all()), "scores of an unknown class are not finite")


def check_refuses_no_image(subject: NormalizerSubject) -> None:
    """Without a calibration image it raises DataError."""
    require_refused(partial(subject.fit, subject.world.some([])), "no image", DataError)


def check_refuses_what_is_not_finite(subject: NormalizerSubject) -> None:
    """A NaN or an infinity among the calibration scores raises DataError."""
    for bad in (np.nan, np.inf):
        given = subject.calibration(_spoilt(subject.world, bad))
        what = f"calibration scores that hold a {bad}"
        require_refused(partial(subject.make().fit, given), what, *EITHER)


def _spoilt(world: Scaled, bad: float) -> Scaled:
    scores = world.scores.copy()
    scores[3] = bad
    return replace(world, scores=scores)


def check_copes_with_few_images(subject: NormalizerSubject) -> None:
    """One image, or equal scores, are refused with DataError, or rescaled to finite scores."""
    world = subject.world
    equal = replace(world, scores=np.full_like(world.scores, 3.0))
    for what, some in (("one image", world.some([0])), ("equal scores", equal)):
        given: Calibration = subject.calibration(some)
        tested = subject.tested.some([0])
        try:
            fitted = subject.make().fit(given)
        except EITHER:
            continue
        found = np.asarray(fitted.apply(tested.scores, subject.context(tested)))
        require(bool(np.isfinite(found).all()), f"after {what} its scores are not finite")


def _is_told_classes(subject: NormalizerSubject) -> bool:
    return subject.needs_class != "never"


def _is_always_told_classes(subject: NormalizerSubject) -> bool:
    return subject.needs_class == "always"


def _reads_embeddings(subject: NormalizerSubject) -> bool:
    return subject.needs_embedding


REFUSALS: tuple[Check[NormalizerSubject], ...] = (
    Check("N3", check_refuses_hidden_classes, _is_told_classes),
    Check("N3", check_refuses_missing_embeddings, _reads_embeddings),
    Check("N6", check_refuses_an_unknown_class, _is_always_told_classes),
    Check("N6", check_refuses_no_image),
    Check("N6", check_refuses_what_is_not_finite),
    Check("N6", check_copes_with_few_images),
)
