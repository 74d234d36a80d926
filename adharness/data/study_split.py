"""The split of the study that this project grew from, file for file."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from adharness.contracts import Sample
from adharness.data.partition import Member, Split, checked_classes, with_held_out
from adharness.errors import DataError

_TRAIN_SHARE = 0.8
_ANOMALOUS_SHARE = 0.3


def study_split(samples: Sequence[Sample], *, seed: int = 42) -> Split:
    """Split each class as the study did: 0.8 of the normals train, 0.3 of the anomalies calibrate.

    The training images of a class, sorted by name, are shuffled; the first `int(0.8 n)` train and
    the others calibrate. Then its test anomalies, sorted by folder and name, are shuffled by the
    same stream; the first `int(0.3 n)` calibrate and the others are tested. All normal test images
    are tested.

    Parameters
    ----------
    samples
        Of one data set, in any order.
    seed
        Starts the stream anew for every class; the study's is 42.

    Returns
    -------
    Split
        Every sample is in exactly one portion.

    Raises
    ------
    DataError
        As `make_split`; a class with one training image would keep none.

    Notes
    -----
    Both counts are cut, not rounded. The stream is Python's Mersenne Twister, as `random.seed` and
    `random.shuffle` use it: names and their number decide which images are drawn, so a set with one
    image more is split wholly otherwise. What the study did not have follows `holdout`: images with
    one `group` are drawn as one, at the place of their first name, and `validation` images
    calibrate.

    References
    ----------
    `clean_splits.json` of the repository IvanNece/Detection-of-Anomalies-with-Localization.
    """
    held: set[int] = set()
    for class_name, members in checked_classes(samples).items():
        held.update(m.position for m in members if m.sample.portion == "validation")
        held.update(_held(class_name, members, random.Random(seed)))  # noqa: S311 - their stream
    return with_held_out(samples, held)


def _held(class_name: str, members: list[Member], stream: random.Random) -> list[int]:
    normals = _units(m for m in members if m.sample.portion == "train")
    stream.shuffle(normals)
    count = int(_TRAIN_SHARE * len(normals))
    if count == 0:
        raise DataError(
            f"class {class_name!r} has {len(normals)} training image(s) or group(s), of which "
            "the study's rule would leave none to train on",
            hint="leave this class out, or use split.policy: k-fold",
        )
    anomalies = _units(m for m in members if m.sample.label == 1)
    stream.shuffle(anomalies)
    held = {*normals[count:], *anomalies[: int(_ANOMALOUS_SHARE * len(anomalies))]}
    return [m.position for m in members if m.unit in held]


def _units(members: Iterable[Member]) -> list[str]:
    """List what is drawn, in the order of the folder and name of each one's first image."""
    # By part, as folders are listed: in whole paths 'cut-2/0.png' would come before 'cut/0.png'.
    ordered = sorted(members, key=lambda m: m.sample.path.split("/"))
    return list(dict.fromkeys(m.unit for m in ordered))
