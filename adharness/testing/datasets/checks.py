"""What a data set promises: clauses D of docs/contracts.md, tried on a few of its samples."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath

import numpy as np

from adharness.contracts import Headed
from adharness.errors import DataError
from adharness.testing.check import Check, ConformanceError, require
from adharness.testing.datasets.pixels import PIXEL_CHECKS
from adharness.testing.datasets.subject import DatasetSubject

MISSING = "there-is-no/such-image.png"


def check_lists_samples_in_a_fixed_order(subject: DatasetSubject) -> None:
    """It lists at least one sample, and the same ones in the same order each time."""
    first = list(subject.samples)
    require(bool(first), "it has no sample")
    for what, dataset in (("the second time", subject.dataset), ("of another", subject.make())):
        again = list(dataset.samples())
        same = again == first
        require(same, f"{what} it lists {len(again)} samples, others than the {len(first)} before")


def check_names_each_sample_once(subject: DatasetSubject) -> None:
    """Paths are unique, relative, and with forward slashes."""
    counts = Counter(sample.path for sample in subject.samples)
    repeated = [path for path, count in counts.items() if count > 1]
    require(not repeated, f"{len(repeated)} paths are there twice, such as {repeated[:1]}")
    wrong = [p for p in counts if "\\" in p or PurePosixPath(p).is_absolute() or ".." in p]
    require(not wrong, f"{wrong[:1]} is no path below a root with forward slashes")


def check_trains_on_normal_images(subject: DatasetSubject) -> None:
    """Images of `train` and `validation` are normal; normal ones have the defect `good`."""
    for sample in subject.samples:
        said = f"{sample.path} ({sample.portion})"
        require(sample.label in (0, 1), f"{said} has the label {sample.label!r}")
        require(sample.portion in ("train", "validation", "test"), f"{said} is in no portion")
        require(not sample.label or sample.portion == "test", f"{said} is anomalous")
        good = sample.defect == "good"
        kind = "anomalous" if sample.label else "normal"
        require(good != bool(sample.label), f"{said} is {kind}, its defect '{sample.defect}'")


def check_names_what_it_cannot_read(subject: DatasetSubject) -> None:
    """An image that is not there raises DataError naming it."""
    missing = replace(subject.some[0], path=MISSING)
    dataset = subject.dataset
    calls = {"image": dataset.image, "fingerprint": dataset.fingerprint}
    if isinstance(dataset, Headed):
        calls["image_size"] = dataset.image_size
    for name, call in calls.items():
        said = _refusal(name, partial(call, missing))
        require("such-image" in said, f"`{name}` of {MISSING} does not name it: {said}")


def _refusal(name: str, call: partial[object]) -> str:
    try:
        call()
    except DataError as error:
        return str(error)
    except Exception as error:
        said = f"`{name}` of {MISSING} raises {type(error).__name__} ({error}), expected DataError"
        raise ConformanceError(said) from error
    raise ConformanceError(f"`{name}` gives something of {MISSING}, which is not there")


def check_says_what_may_be_done(subject: DatasetSubject) -> None:
    """It names its licence, and says whether a page may show its pictures."""
    licence = subject.dataset.licence
    require(bool(licence.name.strip()), "its licence has no name")
    told = isinstance(licence.show_pixels, bool)
    require(told, f"`show_pixels` is {licence.show_pixels!r}, expected True or False")


def check_holds_the_classes_of_its_record(subject: DatasetSubject) -> None:
    """All its classes are among those that its record says a complete copy holds."""
    expected = subject.spec.expected
    found = {sample.class_name for sample in subject.samples}
    if expected is not None:
        more = sorted(found - set(expected.classes))
        require(not more, f"it has classes that its record does not know: {', '.join(more)}")


def check_sizes_are_those_of_images(subject: DatasetSubject) -> None:
    """If it tells the size of an image, it is the size that the image has."""
    dataset = subject.dataset
    if not isinstance(dataset, Headed):
        return
    for sample in subject.some:
        told, shape = tuple(dataset.image_size(sample)), dataset.image(sample).shape[:2]
        require(told == shape, f"{sample.path} is {shape}, and its size is told as {told}")


def check_fingerprints_tell_contents(subject: DatasetSubject) -> None:
    """Fingerprints stay the same, differ where pixels do, and have a mask's where there is one."""
    dataset, other = subject.dataset, subject.make()
    seen: dict[str, tuple[str, bytes]] = {}
    for sample in subject.some:
        found, again = dataset.fingerprint(sample), other.fingerprint(sample)
        require(found == again, f"the fingerprint of {sample.path} is another the second time")
        require(bool(found.image), f"the fingerprint of {sample.path} is empty")
        told, masked = found.mask is not None, dataset.mask(sample) is not None
        require(told == masked, f"{sample.path}: mask {masked}, fingerprint of it {told}")
        pixels = dataset.image(sample)
        content = str(pixels.shape).encode() + np.ascontiguousarray(pixels).tobytes()
        twin, held = seen.setdefault(found.image, (sample.path, content))
        require(held == content, f"{sample.path} and {twin} differ, and have one fingerprint")


DATASET_CHECKS: tuple[Check[DatasetSubject], ...] = (
    Check("D1", check_lists_samples_in_a_fixed_order),
    Check("D1", check_names_each_sample_once),
    Check("D2", check_trains_on_normal_images),
    *PIXEL_CHECKS,
    Check("D4", check_fingerprints_tell_contents),
    Check("D5", check_names_what_it_cannot_read),
    Check("D6", check_says_what_may_be_done),
    Check("D7", check_holds_the_classes_of_its_record),
    Check("D8", check_sizes_are_those_of_images),
)
