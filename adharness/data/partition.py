"""What every split policy shares: the three portions, and images that are kept together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adharness.contracts import Sample
from adharness.errors import DataError


@dataclass(frozen=True, slots=True)
class Split:
    """Positions of samples, ascending; no position is in two of the three.

    Parameters
    ----------
    train
        Normal images that the bank may hold.
    calibration
        Images that fit normalizers and thresholds; never in the bank, never judged.
    test
        Images that are judged.
    """

    train: tuple[int, ...]
    calibration: tuple[int, ...]
    test: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A sample of one class, by its position in the set."""

    position: int
    sample: Sample

    @property
    def unit(self) -> str:
        """What is drawn as one: a group, or the image itself. The prefix keeps the two apart."""
        group = self.sample.group
        return f"image:{self.sample.path}" if group is None else f"group:{group}"


def checked_classes(samples: Sequence[Sample]) -> dict[str, list[Member]]:
    """Members by class, where each class can be split by its owners' portions.

    Raises
    ------
    DataError
        Where a class has no training image, a training or validation image is anomalous, or a
        group's images lie in two portions of the set.
    """
    classes: dict[str, list[Member]] = {}
    for position, sample in enumerate(samples):
        classes.setdefault(sample.class_name, []).append(Member(position, sample))
    for class_name, members in classes.items():
        _check_class(class_name, members)
    return classes


def with_held_out(samples: Sequence[Sample], held: set[int]) -> Split:
    """Calibrate on the held-out positions; the others stay where the set's owners put them."""
    free = [i for i in range(len(samples)) if i not in held]
    return Split(
        train=tuple(i for i in free if samples[i].portion == "train"),
        calibration=tuple(sorted(held)),
        test=tuple(i for i in free if samples[i].portion == "test"),
    )


def check_groups(class_name: str, placed: Sequence[tuple[Member, str]]) -> None:
    """Raise DataError where two images of one group are placed in two portions."""
    homes: dict[str, str] = {}
    for member, portion in placed:
        home = homes.setdefault(member.unit, portion)
        if home != portion:
            raise DataError(
                f"group {member.sample.group!r} of class {class_name!r} has images in both "
                f"{home} and {portion}: one object would be trained and judged",
            )


def _check_class(class_name: str, members: list[Member]) -> None:
    if not any(m.sample.portion == "train" for m in members):
        raise DataError(f"class {class_name!r} has no training image")
    for m in members:
        if m.sample.label == 1 and m.sample.portion != "test":
            raise DataError(
                f"{m.sample.path!r} is anomalous, but lies in {m.sample.portion}, "
                "which holds normal images only"
            )
    check_groups(class_name, [(m, m.sample.portion) for m in members])
