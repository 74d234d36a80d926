"""What an extractor promises: clauses X of docs/contracts.md, tried on made-up images."""

from __future__ import annotations

from functools import partial

import numpy as np

from adharness.arrays import AnyArray
from adharness.contracts import Batched, Choosing, FeatureGrid, LookupExtractor
from adharness.errors import ContractError, DataError
from adharness.testing.alone import require_each_image_alone
from adharness.testing.check import Check, require, require_refused
from adharness.testing.extractors.subject import NOISY, ExtractorSubject, arrays_of, pictures


def check_gives_finite_features(subject: ExtractorSubject) -> None:
    """It gives finite patches (N, h, w, D) float32, and embeddings (N, E) float32 if any."""
    count, features = len(subject.images), subject.features()
    for name, values in arrays_of(features).items():
        axes = 4 if name == "patch features" else 2
        described = f"shape {values.shape}, type {values.dtype}"
        fits = values.ndim == axes and len(values) == count and values.dtype == np.float32
        require(fits, f"of {count} images its {name} have {described}")
        require(0 not in values.shape, f"its {name} have {described}: nothing in it")
        bad = [i for i in range(count) if not np.isfinite(values[i]).all()]
        require(not bad, f"its {name} of images {bad} are not all finite; 3 is black, 4 is white")


def check_keeps_one_grid(subject: ExtractorSubject) -> None:
    """Grid and lengths are the same whatever the images are, and however many."""
    expected = {name: values.shape[1:] for name, values in arrays_of(subject.features()).items()}
    for images in (pictures(subject.images.shape[1:3], seed=1), subject.images[:1]):
        found = {n: v.shape[1:] for n, v in arrays_of(subject.features(images)).items()}
        require(found == expected, f"it gives {found} an image, and {expected} of others")


def check_tells_images_apart(subject: ExtractorSubject) -> None:
    """Images that differ have features that differ."""
    patches = subject.features().patches
    for i in range(1, NOISY):
        require(
            not np.array_equal(patches[0], patches[i]),
            f"images 0 and {i} of noise around different colours have the same features",
        )


def check_refuses_other_images(subject: ExtractorSubject) -> None:
    """Images of another size or type than it asks for raise ContractError."""
    images = subject.images
    wrong = {
        "images of one row more": np.concatenate([images, images[:, :1]], axis=1),
        "images without an axis of colours": images[..., 0],
        "grey images of one channel": images[..., :1],
        "images of floats": images.astype(np.float32) / 255,
    }
    for what, given in wrong.items():
        require_refused(partial(subject.features, given), what)


def check_copes_with_no_image(subject: ExtractorSubject) -> None:
    """Of no image it gives no feature, or it raises ContractError."""
    try:
        found = arrays_of(subject.features(subject.images[:0]))
    except (ContractError, DataError):
        return
    for name, values in found.items():
        require(len(values) == 0, f"of no image it gives {name} of shape {values.shape}")


def check_extracts_each_image_alone(subject: ExtractorSubject) -> None:
    """An image has the same features alone, in a batch, and wherever it stands in it."""

    def given_of(images: list[int]) -> dict[str, AnyArray]:
        found = arrays_of(subject.features(subject.images[images]))
        # What is not finite is another check's affair.
        return {name: np.nan_to_num(values) for name, values in found.items()}

    require_each_image_alone(given_of, len(subject.images))


def check_fingerprint_stays(subject: ExtractorSubject) -> None:
    """Its fingerprint is a text, the same of two of the same parameters, and after use."""
    one, other = subject.make(), subject.make()
    before = one.fingerprint()
    require(bool(before), f"its fingerprint is {before!r}")
    one.extract(subject.images[:1])
    for what, found in (("after use", one.fingerprint()), ("of another", other.fingerprint())):
        require(found == before, f"its fingerprint {what} is {found!r}, and was {before!r}")


def check_is_told_no_name(subject: ExtractorSubject) -> None:
    """One whose record does not say `imported` has no `look_up`."""
    told = isinstance(subject.extractor, LookupExtractor)
    require(not told, "it has `look_up`, and its record does not say `imported`")


def check_gives_its_input(subject: ExtractorSubject) -> None:
    """If its record says `gives="pixels"`, patches are the input, and all are whole numbers."""
    features: FeatureGrid = subject.features()
    same = np.array_equal(features.patches, subject.images.astype(np.float32))
    require(same, "its patches are not the pixels that it was given")
    embeddings = features.embeddings
    if embeddings is not None:
        whole = bool(((embeddings == np.rint(embeddings)) & (abs(embeddings - 127.5) < 128)).all())
        require(whole, "its embeddings are not whole numbers from 0 to 255")


def check_makes_its_choice_known(subject: ExtractorSubject) -> None:
    """If it chooses: `chosen` are parameters of its own, and make an extractor that is the same."""
    extractor = subject.extractor
    assert isinstance(extractor, Choosing)  # noqa: S101  the check is for those
    chosen, model = extractor.chosen, subject.spec.params
    require(isinstance(chosen, model), f"it chose {chosen!r}, which are no {model.__name__}")
    again = subject.spec.make(chosen)
    same = again.fingerprint() == extractor.fingerprint()
    require(same, f"made again with {chosen!r}, it has another fingerprint")


def check_computes_as_many_as_it_says(subject: ExtractorSubject) -> None:
    """If it is `Batched`: images beyond `together` change no bit of a feature of those before."""
    extractor = subject.extractor
    assert isinstance(extractor, Batched)  # noqa: S101  the check is for those
    together, at_once = extractor.together, extractor.at_once
    fits = together >= 1 and at_once >= together and at_once % together == 0
    require(fits, f"it asks for {at_once} images at once, {together} of them together")
    images = np.resize(subject.images, (2 * together, *subject.images.shape[1:]))
    alone, before = arrays_of(subject.features(images[:together])), subject.features(images)
    for name, values in arrays_of(before).items():
        same = np.array_equal(values[:together], alone[name], equal_nan=True)
        require(same, f"{name} of {together} images change where {together} others follow them")


def _is_batched(subject: ExtractorSubject) -> bool:
    return isinstance(subject.extractor, Batched)


def _chooses(subject: ExtractorSubject) -> bool:
    return isinstance(subject.extractor, Choosing)


def _gives_pixels(subject: ExtractorSubject) -> bool:
    return subject.spec.gives == "pixels"


EXTRACTOR_CHECKS: tuple[Check[ExtractorSubject], ...] = (
    Check("X1", check_gives_finite_features),
    Check("X1", check_refuses_other_images),
    Check("X2", check_extracts_each_image_alone),
    Check("X3", check_fingerprint_stays),
    Check("X4", check_is_told_no_name),
    Check("X5", check_gives_its_input, _gives_pixels),
    Check("X6", check_keeps_one_grid),
    Check("X6", check_tells_images_apart),
    Check("X6", check_copes_with_no_image),
    Check("X7", check_makes_its_choice_known, _chooses),
    Check("X8", check_computes_as_many_as_it_says, _is_batched),
)
