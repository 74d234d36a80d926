"""Images that are there twice: the same pixels, or nearly the same ones in training and in test."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from adharness.arrays import UInt8
from adharness.data.doctor.findings import Finding, Severity
from adharness.data.doctor.likeness import near_pairs, residual, thumbnail
from adharness.data.doctor.looks import Look
from adharness.data.doctor.roster import Item
from adharness.errors import DataError
from adharness.progress import tell

MOST_FROM_AFAR = 0.08
"""Residual of a candidate at 16 x 16; see `residual`. 47 pairs of different cells of ELPV have
less, and so have 95 % of the changed copies below (at most 0.044)."""
MOST_RESIDUAL = 0.05
"""Of a candidate's contrast that may be left when the two thumbnails are subtracted.

Measured on the 2,624 cells of ELPV: of 3.4 million pairs of different cells the two most alike
leave 0.062; of 44 cells made JPEG of quality 50, half as large, or noisy (5 grey levels), 95 %
leave less than 0.041, 0.031 and 0.038. A copy that was shifted by pixels or cropped is not found.
"""
MOST_TWINS = 0.2
"""Share of a class's test images with a twin above which the class is told, not each image."""
MOST_CANDIDATES = 2000
"""Pairs of a class that are decoded once more; the closest first."""

Pair = tuple[int, int, float]
Read = Callable[[Item], UInt8]


def exact_copies(items: Sequence[Item], looks: Sequence[Look]) -> Iterator[Finding]:
    """One finding for each group of images with the same pixels.

    An error where the copies are in training and in test, or are said to be normal and anomalous; a
    warning otherwise: an image counts twice.
    """
    groups: defaultdict[bytes, list[Item]] = defaultdict(list)
    for item, look in zip(items, looks, strict=True):
        if look.digest:
            groups[look.digest].append(item)
    for group in groups.values():
        if len(group) > 1:
            yield _copies(sorted(group, key=_test_first))


def near_copies(items: Sequence[Item], looks: Sequence[Look], read: Read) -> Iterator[Finding]:
    """Test images that are nearly the same as one that trains, class by class.

    Notes
    -----
    Candidates are alike from afar, at 16 x 16 pixels: `MOST_FROM_AFAR`. They are decoded once more,
    the closest `MOST_CANDIDATES` of a class at most, and count where at 64 x 64 pixels no more than
    `MOST_RESIDUAL` of their contrast is left after subtraction.
    """
    for pairs, train, test in _candidates(items, looks):
        closest = sorted(pairs, key=lambda pair: pair[2])[:MOST_CANDIDATES]
        if len(closest) < len(pairs):
            yield _unsettled(items[test[0]], len(pairs))
        told = list(_near_of_class([items[i] for i in train], [items[j] for j in test], closest,
                                   read))  # fmt: skip
        yield from _all_alike(told, len(test)) if len(told) > MOST_TWINS * len(test) + 5 else told


def _near_of_class(
    train: Sequence[Item], test: Sequence[Item], pairs: Sequence[Pair], read: Read
) -> Iterator[Finding]:
    """Tell of each test image the training image that is nearest, where it is near enough."""
    small = _Thumbnails(read)
    twins: dict[int, tuple[float, int]] = {}
    for number, (left, right, _) in enumerate(pairs, 1):
        tell(number, len(pairs), "pairs")
        left_over = residual(small.of(train[left]), small.of(test[right]))
        if left_over <= MOST_RESIDUAL:
            twins[right] = min((left_over, left), twins.get(right, (1.0, 0)))
    for right, (left_over, left) in twins.items():
        yield _near(train[left], test[right], left_over)


class _Thumbnails:
    """Each image of a class that is compared is decoded once more, and only once: 4 kB each."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._kept: dict[str, UInt8] = {}

    def of(self, item: Item) -> UInt8:
        """64 x 64 grey; black where it cannot be read."""
        name = item.sample.path
        if name not in self._kept:
            self._kept[name] = self._made(item)
        return self._kept[name]

    def _made(self, item: Item) -> UInt8:
        try:
            return thumbnail(self._read(item))
        except DataError:  # it could be read a moment ago
            return np.zeros((64, 64), np.uint8)


def _test_first(item: Item) -> tuple[str, str]:
    return item.sample.portion, item.sample.path


def _copies(group: Sequence[Item]) -> Finding:
    severity, check, fact, cure = _verdict([item.sample.portion for item in group], group)
    first, *rest = (item.sample.path for item in group)
    return Finding(severity, check, first, fact, cure, tuple(rest))


def _verdict(portions: list[str], group: Sequence[Item]) -> tuple[Severity, str, str, str]:
    count = len(group)
    if len({item.sample.label for item in group}) > 1:
        fact = f"the same pixels in {count} files, called normal and anomalous"
        return "error", "label-conflict", fact, "find out which it is, and remove the other"
    if "test" in portions and len(set(portions)) > 1:
        fact = f"the same pixels in {count} files, in training and in test: the test is leaked"
        return "error", "leaked-copy", fact, "remove the copies from train/"
    fact = f"the same pixels in {count} files: the image counts {count} times"
    return "warning", "copy", fact, "keep one of them"


def _candidates(
    items: Sequence[Item], looks: Sequence[Look]
) -> Iterator[tuple[list[Pair], list[int], list[int]]]:
    """For each class: candidate pairs, and the positions of its training and its test images."""
    for train, test in _by_class(items, looks).values():
        seen = [[looks[i].likeness or b"" for i in side] for side in (train, test)]
        pairs = [
            (i, j, far)
            for i, j, far in near_pairs(seen[0], seen[1], most=MOST_FROM_AFAR)
            if looks[train[i]].digest != looks[test[j]].digest
        ]
        if pairs:
            yield pairs, train, test


def _by_class(
    items: Sequence[Item], looks: Sequence[Look]
) -> Mapping[str, tuple[list[int], list[int]]]:
    sides: defaultdict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for position, (item, look) in enumerate(zip(items, looks, strict=True)):
        if look.likeness is not None:
            sides[item.sample.class_name][item.sample.portion == "test"].append(position)
    return sides


def _near(train: Item, test: Item, left_over: float) -> Finding:
    return Finding(
        "warning",
        "near-copy",
        test.sample.path,
        f"nearly the same picture trains: they differ by {left_over:.1%} of their contrast",
        "look at both; where one is a copy, remove the training image",
        (train.sample.path,),
    )


def _all_alike(told: Sequence[Finding], count: int) -> Iterator[Finding]:
    """Say once of a class what would be said of most of its images."""
    first = min(told, key=lambda finding: finding.path)
    yield Finding(
        "warning",
        "near-copy",
        first.path,
        f"{len(told)} of the {count} test images of this class, this one first, have nearly the "
        "same picture in training",
        "look at some: either the set was split carelessly, or the camera sees no difference",
        first.also,
    )


def _unsettled(item: Item, count: int) -> Finding:
    return Finding(
        "note",
        "near-copy-limit",
        item.sample.class_name,
        f"{count} pairs of class {item.sample.class_name!r} look alike from afar; "
        f"the closest {MOST_CANDIDATES} were compared",
        "nothing: images of one product, all taken alike, do this",
    )
