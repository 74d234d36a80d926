"""What outputs made elsewhere promise: clauses X4 and S8 of docs/contracts.md."""

from __future__ import annotations

import numpy as np

from adharness.contracts import ImageName, LookupExtractor, LookupScorer
from adharness.errors import DataError
from adharness.testing.check import Check, require
from adharness.testing.lookups.subject import LookupSubject, arrays_of

NOBODY = ImageName("nobody/has/this/image-4711.png", "nobody")


def check_is_what_its_record_says(subject: LookupSubject) -> None:
    """One whose record says `imported` has `fingerprint` and `look_up`, and no `fit`."""
    lookup = subject.make()
    role = LookupExtractor if subject.spec.kind == "extractor" else LookupScorer
    require(isinstance(lookup, role), "its record says `imported`, and it has no `look_up`")
    other = next((name for name in ("extract", "fit") if hasattr(lookup, name)), None)
    require(other is None, f"its record says `imported`, and it has `{other}`")


def check_has_what_is_finite(subject: LookupSubject) -> None:
    """Of one image it gives arrays for one image, of the types of the contract, all finite."""
    lookup = subject.make()
    axes = {"patch features": 4, "embedding": 2, "map": 3, "score": 1}
    for image in subject.known:
        found = arrays_of(lookup.look_up(image))
        require(bool(found), f"of {image.path} it gives nothing")
        for name, array in found.items():
            described = f"of {image.path} the {name} is {array.shape} {array.dtype}"
            require(array.ndim == axes[name] and len(array) == 1, f"{described}: not one image")
            types = ("float32", "float64") if name == "score" else ("float32",)
            require(array.dtype.name in types, f"{described}, expected {' or '.join(types)}")
            require(bool(np.isfinite(array).all()), f"of {image.path} the {name} is not finite")


def check_has_the_same_shape_of_all(subject: LookupSubject) -> None:
    """Features of all images are of one grid and length."""
    lookup = subject.make()
    shapes = {
        tuple((name, array.shape) for name, array in arrays_of(lookup.look_up(image)).items())
        for image in subject.known
    }
    require(len(shapes) == 1, f"images have features of different shapes: {sorted(shapes)}")


def check_has_what_it_hashed(subject: LookupSubject) -> None:
    """Its fingerprint is a text, the same before and after it looked images up."""
    lookup = subject.make()
    before = subject.fingerprint(lookup)
    require(bool(before), f"its fingerprint is {before!r}")
    for image in subject.known:
        lookup.look_up(image)
    for what, found in (("after use", lookup), ("of another", subject.make())):
        after = subject.fingerprint(found)
        require(after == before, f"its fingerprint {what} is {after!r}, and was {before!r}")


def check_looks_up_in_any_order(subject: LookupSubject) -> None:
    """It gives the same of an image whatever was looked up before."""
    lookup, images = subject.make(), subject.known
    first = {image: arrays_of(lookup.look_up(image)) for image in images}
    for image in reversed(images):
        for name, array in arrays_of(lookup.look_up(image)).items():
            same = np.array_equal(array, first[image][name])
            require(same, f"the {name} of {image.path} is another the second time")


def check_invents_nothing(subject: LookupSubject) -> None:
    """Of an image that it has nothing of, it gives None (a scorer) or raises DataError."""
    lookup = subject.make()
    subject.known  # noqa: B018  it must have something of others
    try:
        found = lookup.look_up(NOBODY)
    except DataError:
        return
    require(found is None, f"it gives something of {NOBODY.path}, which nobody has")


LOOKUP_EXTRACTOR_CHECKS: tuple[Check[LookupSubject], ...] = (
    Check("X4", check_is_what_its_record_says),
    Check("X4", check_has_what_is_finite),
    Check("X4", check_has_the_same_shape_of_all),
    Check("X4", check_has_what_it_hashed),
    Check("X4", check_looks_up_in_any_order),
    Check("X4", check_invents_nothing),
)
LOOKUP_SCORER_CHECKS: tuple[Check[LookupSubject], ...] = (
    Check("S8", check_is_what_its_record_says),
    Check("S8", check_has_what_is_finite),
    Check("S8", check_has_what_it_hashed),
    Check("S8", check_looks_up_in_any_order),
    Check("S8", check_invents_nothing),
)
