"""What a normalizer promises: clauses N of docs/contracts.md, tried on three small classes."""

from __future__ import annotations

import numpy as np

from adharness.arrays import Float64
from adharness.contracts import FittedNormalizer
from adharness.testing.check import Check, require
from adharness.testing.normalizers.refusals import REFUSALS
from adharness.testing.normalizers.subject import EACH, NormalizerSubject, Scaled, scaled

FAR = 1e6
"""How far from the calibration scores a score may lie."""
ALONE = 1e-9


def check_refits_are_independent(subject: NormalizerSubject) -> None:
    """Fitting gives a new object; one fitted before rescales as it did."""
    normalizer = subject.make()
    first = normalizer.fit(subject.calibration(subject.world))
    before = _applied(subject, first)
    second = normalizer.fit(subject.calibration(scaled(7, factor=3.0)))
    _applied(subject, second)
    require(
        bool(np.array_equal(_applied(subject, first), before)), "a second fit changes the first"
    )
    again = _applied(subject, normalizer.fit(subject.calibration(subject.world)))
    require(bool(np.array_equal(again, before)), "a fit depends on what was fitted before")


def _applied(subject: NormalizerSubject, fitted: FittedNormalizer) -> Float64:
    tested = subject.tested
    return np.asarray(fitted.apply(tested.scores, subject.context(tested)))


def check_keeps_shapes(subject: NormalizerSubject) -> None:
    """It gives numbers of the shape that it was given, finite, of image scores and of maps."""
    fitted, tested = subject.fitted, subject.tested
    for images in (range(len(tested.scores)), range(1), range(0)):
        some = tested.some(images)
        for values in (some.scores, some.maps):
            found = np.asarray(fitted.apply(values, subject.context(some)))
            _require_like(found, values)


def _require_like(found: Float64, values: Float64) -> None:
    require(found.shape == values.shape, f"of shape {values.shape} it makes {found.shape}")
    require(bool(np.isfinite(found).all()), f"of shape {values.shape} not all is finite")


def check_higher_stays_higher(subject: NormalizerSubject) -> None:
    """Within an image it is strictly increasing, also far from all calibration scores."""
    fitted, tested = subject.fitted, subject.tested
    near = np.linspace(-20.0, 150.0, 341)
    far = np.array([-FAR, -FAR / 1000, FAR / 1000, FAR])
    for i in range(0, len(tested.scores), EACH // 2):
        for values in (near, far):
            found = _of_image(subject, fitted, i, values)
            require(bool(np.isfinite(found).all()), f"from {values[0]:g} on not all is finite")
            rises = np.diff(found)
            first = int(np.argmin(rises > 0))
            fell = f"{found[first]:.9g} and {found[first + 1]:.9g}"
            require(
                bool((rises > 0).all()),
                f"of an image, {values[first]:g} and {values[first + 1]:g} become {fell}",
            )


def check_equal_stays_equal(subject: NormalizerSubject) -> None:
    """Equal pixels of an image stay equal, and equal what its image score becomes."""
    fitted, tested = subject.fitted, subject.tested
    for i in range(0, len(tested.scores), EACH):
        value = float(tested.scores[i])
        found = _of_image(subject, fitted, i, np.full(9, value))
        one = tested.some([i])
        alone = float(np.asarray(fitted.apply(one.scores, subject.context(one)))[0])
        _require_close(found, np.full(9, alone), f"pixels of {value:.6g}, an image's score too,")


def _of_image(
    subject: NormalizerSubject, fitted: FittedNormalizer, i: int, values: Float64
) -> Float64:
    """Rescale values (k,) as pixels of image i of those that are tested."""
    context = subject.context(subject.tested.some([i]))
    return np.asarray(fitted.apply(values.reshape(1, 1, -1), context)).ravel()


def check_keeps_the_order_of_a_class(subject: NormalizerSubject) -> None:
    """If its record says so, all images of a class go through one transform."""
    fitted, tested = subject.fitted, subject.tested
    values = np.linspace(0.0, 120.0, 7)
    for first in range(0, len(tested.scores), EACH):
        expected = _of_image(subject, fitted, first, values)
        for i in range(first + 1, first + EACH):
            found = _of_image(subject, fitted, i, values)
            _require_close(found, expected, "two images of a class with equal scores")


def check_rescales_each_image_alone(subject: NormalizerSubject) -> None:
    """An image gets the same alone, with others, and wherever it stands among them."""
    fitted, tested = subject.fitted, subject.tested
    count = len(tested.scores)
    together = _both(subject, fitted, tested)
    turned = _both(subject, fitted, tested.some(range(count)[::-1]))
    _require_close(turned[::-1], together, "images in another order")
    each = [_both(subject, fitted, tested.some([i])) for i in range(count)]
    _require_close(np.concatenate(each), together, "images alone")


def _both(subject: NormalizerSubject, fitted: FittedNormalizer, world: Scaled) -> Float64:
    """Give the rescaled score and map of each image, (n, 13)."""
    context = subject.context(world)
    scores = np.asarray(fitted.apply(world.scores, context))
    maps = np.asarray(fitted.apply(world.maps, context))
    return np.column_stack([scores, maps.reshape(len(scores), -1)])


def _require_close(found: Float64, expected: Float64, what: str) -> None:
    scale = max(1.0, float(np.abs(expected).max()))
    apart = float(np.abs(found - expected).max())
    require(apart <= ALONE * scale, f"{what} differ by {apart:.3g} when rescaled")


def check_order_of_images_changes_nothing(subject: NormalizerSubject) -> None:
    """Whatever order the calibration images come in, it learns the same, within 1e-6."""
    expected = _applied(subject, subject.fitted)
    order = np.random.default_rng(0).permutation(len(subject.world.scores)).tolist()
    found = _applied(subject, subject.fit(subject.world.some(order)))
    apart = float(np.abs(found - expected).max())
    scale = max(1.0, float(np.abs(expected).max()))
    require(apart <= 1e-6 * scale, f"calibration in another order moves scores by {apart:.3g}")


def _keeps_order(subject: NormalizerSubject) -> bool:
    return subject.spec.keeps_class_order


NORMALIZER_CHECKS: tuple[Check[NormalizerSubject], ...] = (
    Check("N1", check_refits_are_independent),
    Check("N1", check_order_of_images_changes_nothing),
    Check("N2", check_keeps_shapes),
    Check("N2", check_higher_stays_higher),
    Check("N2", check_equal_stays_equal),
    Check("N4", check_keeps_the_order_of_a_class, _keeps_order),
    Check("N5", check_rescales_each_image_alone),
    *REFUSALS,
)
