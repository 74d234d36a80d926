"""What a thresholder promises: clauses T of docs/contracts.md, tried on small calibration sets."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from adharness.errors import ContractError, DataError
from adharness.testing.check import Check, require, require_refused
from adharness.testing.subject import as_given
from adharness.testing.thresholders.calibrations import BATCH, DrawnMaps, scored
from adharness.testing.thresholders.refusals import REFUSALS
from adharness.testing.thresholders.subject import ThresholderSubject

SCALES = ((3.0, 0.0), (1.0, -40.0), (0.05, 7.0))
"""Factors and shifts of all scores."""
DRAWS, KEPT_WITHIN = 400, 0.08
"""Calibration sets that a promise is tried on: four standard errors of a share of a half."""


def check_order_of_images_changes_nothing(subject: ThresholderSubject) -> None:
    """Whatever order the images come in, it chooses the same threshold, within 1e-9."""
    expected = subject.choose().value
    for seed in range(3):
        other = subject.world.shuffled(np.random.default_rng(seed))
        found = subject.choose(other).value
        same = np.isclose(found, expected, rtol=1e-9, atol=1e-9)
        require(bool(same), f"the threshold is {found:.9g} in another order, not {expected:.9g}")


def check_decides_over_the_whole_batch(subject: ThresholderSubject) -> None:
    """Its rule takes a batch of any size, and counts it."""
    for size in (0, 1, 2, BATCH):
        world = replace(subject.world, batch=subject.world.batch[:size])
        counted = subject.choose(world).batch
        require(counted == size, f"of a batch of {size} images it counts {counted}")


def check_choices_are_independent(subject: ThresholderSubject) -> None:
    """What it chooses does not depend on what it chose from before."""
    thresholder = subject.make()
    before = subject.choose(thresholder=thresholder).value
    subject.choose(scored(1).moved(5.0, 3.0), thresholder=thresholder)
    after = subject.choose(thresholder=thresholder).value
    require(before == after, f"the threshold was {before:.9g}, and is {after:.9g} the second time")


def check_uses_the_labels_it_asks_for(subject: ThresholderSubject) -> None:
    """One that asks for anomalous images chooses otherwise where other images are anomalous."""
    world = subject.world
    ranks = np.argsort(np.argsort(world.scores))
    chosen = {
        subject.choose(replace(world, labels=(ranks >= cut).astype(np.int64))).value
        for cut in (len(ranks) // 4, len(ranks) // 2, 3 * len(ranks) // 4)
    }
    require(len(chosen) > 1, f"it chooses {chosen.pop():.6g} whichever images are anomalous")


def check_moves_with_the_scores(subject: ThresholderSubject) -> None:
    """Shifting and scaling all scores shifts and scales the threshold."""
    world = subject.world
    here = subject.choose().value
    spread = float(np.std(world.scores))
    for factor, shift in SCALES:
        expected = factor * here + shift
        found = subject.choose(world.moved(factor, shift)).value
        require(
            abs(found - expected) <= 1e-3 * factor * spread,
            f"of scores times {factor:g} plus {shift:g} it chooses {found:.6g}, not {expected:.6g}",
        )


def check_lets_most_normal_images_pass(subject: ThresholderSubject) -> None:
    """At least half of the normal images, or of their pixels, do not score above the threshold."""
    world = subject.world
    value = subject.choose().value
    pixels = np.concatenate([one.ravel() for one in world.maps])
    given = pixels if subject.level == "pixel" else world.normals
    share = float((given <= value).mean())
    require(share >= 0.5, f"only {share:.0%} of what is normal lies at or below {value:.6g}")


def check_gives_a_finite_threshold(subject: ThresholderSubject) -> None:
    """It gives a Threshold whose value is a finite number."""
    value = subject.choose().value
    require(bool(np.isfinite(value)), f"its threshold is {value}")


def check_counts_its_images(subject: ThresholderSubject) -> None:
    """It counts the normal and the anomalous images that it was given, and the batch."""
    for given in (subject.world, subject.world.first(25, 7)):
        found = subject.choose(given)
        normals = len(given.maps) if subject.level == "pixel" else len(given.normals)
        anomalies = int(given.labels.sum()) if subject.spec.needs_labels else 0
        batch = len(given.batch) if subject.spec.batch and subject.level == "image" else 0
        expected = normals, anomalies, batch
        counted = found.normals, found.anomalies, found.batch
        require(
            counted == expected,
            "of {} normal images, {} anomalous ones and a batch of {} it counts {}, {}, {}".format(
                *expected, *counted
            ),
        )


def check_keeps_its_promise(subject: ThresholderSubject) -> None:
    """Of new normal images no more are flagged than it promises, whatever the calibration set."""
    rng = np.random.default_rng(0)
    for count in (5, 30):
        promised, flagged = 1.0, 0
        for _ in range(DRAWS):
            images = replace(
                subject.world.first(count), scores=rng.gamma(4.0, 1.0, count), batch=np.zeros(0)
            )
            try:
                chosen = subject.choose(images)
            except (ContractError, DataError):
                return  # it decides with more images, or other ones
            if chosen.promised_fpr is None:
                return
            promised = chosen.promised_fpr
            require(0 < promised <= 1, f"it promises that a share of {promised} is flagged")
            flagged += int(rng.gamma(4.0, 1.0) > chosen.value)
        share = flagged / DRAWS
        require(
            share <= promised + KEPT_WITHIN,
            f"it promises {promised:.1%} of false alarms with {count} images, and has {share:.1%}",
        )


def check_holds_one_map_at_a_time(subject: ThresholderSubject) -> None:
    """It reads maps that are drawn when they are asked for, and never holds many at once."""
    maps = DrawnMaps(scored(0, maps=12).maps, as_given)
    subject.make().pixel_threshold(maps)
    require(maps.most <= 4, f"it holds {maps.most} of {len(maps)} maps at once")


def check_refuses_one_kind_only(subject: ThresholderSubject) -> None:
    """One that asks for anomalous images raises DataError where there are none, or no others."""
    for normals, anomalies in ((20, 0), (0, 20)):
        given = subject.world.first(normals, anomalies)
        what = f"{normals} normal and {anomalies} anomalous images"
        require_refused(partial(subject.choose, given), what, DataError)


def _at_images(subject: ThresholderSubject) -> bool:
    return subject.level == "image"


def _at_pixels(subject: ThresholderSubject) -> bool:
    return subject.level == "pixel"


def _in_batches(subject: ThresholderSubject) -> bool:
    return subject.spec.batch and _at_images(subject)


def _asks_for_labels(subject: ThresholderSubject) -> bool:
    return subject.spec.needs_labels and _at_images(subject)


def _may_promise(subject: ThresholderSubject) -> bool:
    return _at_images(subject) and not subject.spec.batch and not subject.spec.needs_labels


THRESHOLDER_CHECKS: tuple[Check[ThresholderSubject], ...] = (
    Check("T1", check_order_of_images_changes_nothing),
    Check("T1", check_decides_over_the_whole_batch, _in_batches),
    Check("T1", check_choices_are_independent),
    Check("T2", check_uses_the_labels_it_asks_for, _asks_for_labels),
    Check("T2", check_refuses_one_kind_only, _asks_for_labels),
    Check("T3", check_gives_a_finite_threshold),
    Check("T3", check_moves_with_the_scores),
    Check("T3", check_lets_most_normal_images_pass),
    *REFUSALS,
    Check("T5", check_holds_one_map_at_a_time, _at_pixels),
    Check("T6", check_counts_its_images),
    Check("T7", check_keeps_its_promise, _may_promise),
)
