"""What a thresholder must refuse: clause T4 of docs/contracts.md."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from adharness.arrays import AnyArray
from adharness.errors import ContractError, DataError
from adharness.testing.check import Check, require, require_refused
from adharness.testing.thresholders.calibrations import Scored
from adharness.testing.thresholders.subject import ThresholderSubject

EITHER = (DataError, ContractError)


def check_refuses_no_image(subject: ThresholderSubject) -> None:
    """Without a calibration image it raises DataError."""
    require_refused(partial(subject.choose, subject.world.first(0)), "no image", DataError)


def check_refuses_what_is_not_finite(subject: ThresholderSubject) -> None:
    """A NaN or an infinity among the calibration scores, or in a map, raises DataError."""
    for bad in (np.nan, np.inf):
        given = _spoilt(subject.world, bad)
        what = f"calibration that holds a {bad}"
        require_refused(partial(subject.choose, given), what, *EITHER)


def _spoilt(world: Scored, bad: float) -> Scored:
    maps = (_with(world.maps[0], bad), *world.maps[1:])
    return replace(world, scores=_with(world.scores, bad), maps=maps)


def _with(array: AnyArray, bad: float) -> AnyArray:
    spoilt = array.copy()
    spoilt.flat[0] = bad  # the first score is of a normal image
    return spoilt


def check_says_where_images_are_few(subject: ThresholderSubject) -> None:
    """Of one image it raises DataError, or decides; of scores it says in `note` how few."""
    try:
        chosen = subject.choose(subject.world.first(1, 1))
    except EITHER:
        return
    require(bool(np.isfinite(chosen.value)), f"of one image its threshold is {chosen.value}")
    said = (chosen.note or "").strip()
    enough = subject.level == "pixel" or subject.spec.needs_labels  # many pixels, or two images
    require(bool(said) or enough, "of one score it decides without a note")


REFUSALS: tuple[Check[ThresholderSubject], ...] = (
    Check("T4", check_refuses_no_image),
    Check("T4", check_refuses_what_is_not_finite),
    Check("T4", check_says_where_images_are_few),
)
