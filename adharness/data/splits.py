"""Which images train, which calibrate and which test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from adharness.contracts import Sample
from adharness.data.draws import share_of, shuffled
from adharness.data.partition import Member, Split, checked_classes, with_held_out
from adharness.errors import DataError, SuiteError

Policy: TypeAlias = Literal["holdout", "official"]
"""Who holds images out: `make_split` draws a share, or the owners of the set said."""


def make_split(
    samples: Sequence[Sample],
    *,
    policy: Policy,
    normal: float = 0.2,
    anomalous: float = 0.3,
    seed: int = 0,
) -> Split:
    """Split each class on its own; a class's split does not depend on the other classes.

    Parameters
    ----------
    samples
        Of one data set, in any order.
    policy
        `holdout`: calibration is drawn from the images, and every `validation` image joins it.
        `official`: train, validation and test as the set's owners made them; validation calibrates.
    normal
        With `holdout`, the share of a class's training images held out, in [0, 1).
    anomalous
        With `holdout`, the share of a class's test anomalies moved to calibration, in [0, 1).
    seed
        Draws the held-out images.

    Returns
    -------
    Split
        Every sample is in exactly one portion.

    Raises
    ------
    DataError
        Where a class has no training image or would keep none, a training or validation image is
        anomalous, a group's images lie in two portions of the set, or `official` meets a class
        without validation images.
    SuiteError
        Where a share is outside [0, 1) or the policy is unknown.

    Notes
    -----
    Images with one `group` (within a class) are drawn as one, and shares count groups. Shares
    round halves up; a share above 0 takes at least one normal, and always leaves one anomaly to
    be tested. Anomalies are taken by defect in proportion, by largest remainder, ties by name.
    Training images are drawn without a look at the test images. Which images are drawn follows
    from the hash of seed, class and image name, so neither order nor library version matters.
    """
    _check_settings(policy, normal, anomalous)
    classes = checked_classes(samples)
    held: set[int] = set()
    for class_name, members in classes.items():
        held.update(m.position for m in members if m.sample.portion == "validation")
        if policy == "holdout":
            held.update(_held_normals(class_name, members, normal, seed))
            held.update(held_anomalies(class_name, members, anomalous, seed))
    if policy == "official":
        _check_validation(classes)
    return with_held_out(samples, held)


def _held_normals(class_name: str, members: list[Member], share: float, seed: int) -> list[int]:
    units = {m.unit for m in members if m.sample.portion == "train"}
    count = max(share_of(len(units), share), 1) if share > 0 else 0
    if count >= len(units):
        raise DataError(
            f"class {class_name!r} has {len(units)} training image(s) or group(s), and holding "
            f"out {share:g} of them for calibration would leave none to train on",
            hint="lower split.calibration.normal, or leave this class out",
        )
    drawn = set(shuffled(units, "normal", seed, class_name)[:count])
    return [m.position for m in members if m.unit in drawn]


def held_anomalies(
    class_name: str, members: Sequence[Member], share: float, seed: int
) -> list[int]:
    """Positions of the test anomalies of a class that calibrate; the rules are `make_split`'s."""
    defects: dict[str, str] = {}  # unit -> its first defect by name
    for m in members:
        if m.sample.label == 1:
            defects[m.unit] = min(m.sample.defect, defects.get(m.unit, m.sample.defect))
    drawn: set[str] = set()
    for defect, count in _quotas(defects.values(), share).items():
        units = [unit for unit, its in defects.items() if its == defect]
        drawn.update(shuffled(units, "anomalous", seed, class_name)[:count])
    return [m.position for m in members if m.unit in drawn]


def _quotas(defects: Iterable[str], share: float) -> dict[str, int]:
    """How many of each defect to take: proportional, by largest remainder."""
    every = list(defects)
    counts = {name: every.count(name) for name in sorted(set(every))}
    total = min(share_of(len(every), share), max(len(every) - 1, 0))
    quotas = {name: int(count * share) for name, count in counts.items()}
    by_remainder = sorted(counts, key=lambda name: (quotas[name] - counts[name] * share, name))
    for name in by_remainder[: max(total - sum(quotas.values()), 0)]:
        quotas[name] += 1
    return quotas


def _check_settings(policy: str, normal: float, anomalous: float) -> None:
    if policy not in ("holdout", "official"):
        raise SuiteError(f"unknown split policy {policy!r}", hint="use 'holdout' or 'official'")
    for name, share in (("normal", normal), ("anomalous", anomalous)):
        if not 0 <= share < 1:
            raise SuiteError(
                f"split.calibration.{name} is {share:g}, expected a share of at least 0 and below 1"
            )


def _check_validation(classes: dict[str, list[Member]]) -> None:
    lacking = [
        name
        for name, members in classes.items()
        if not any(m.sample.portion == "validation" for m in members)
    ]
    if lacking:
        raise DataError(
            f"the owners of this set give no validation images for {', '.join(lacking)}",
            hint="use `split: {policy: holdout, calibration: {normal: 0.2, anomalous: 0.3}}`",
        )
