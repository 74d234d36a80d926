"""k folds over the training normals: for sets too small to lose a share of them for good."""

from __future__ import annotations

from collections.abc import Sequence

from adharness.contracts import Sample
from adharness.data.draws import shuffled
from adharness.data.partition import Member, Split, checked_classes, with_held_out
from adharness.data.splits import held_anomalies
from adharness.errors import DataError, SuiteError


def fold_split(
    samples: Sequence[Sample], *, folds: int = 5, fold: int = 0, anomalous: float = 0.3, seed: int
) -> Split:
    """Hold one fold of each class's training normals out for calibration; train on the others.

    Parameters
    ----------
    samples
        Of one data set, in any order.
    folds
        Parts that a class's training images are cut into, at least 2.
    fold
        The part that calibrates, 0 to `folds` - 1.
    anomalous
        Share of a class's test anomalies moved to calibration, in [0, 1). They are those that
        `make_split` takes for `holdout` with this seed, the same for every fold: all folds are
        judged on the same test images.
    seed
        Draws the folds and the anomalies.

    Returns
    -------
    Split
        Every sample is in exactly one portion. Over all folds, each training image calibrates once.

    Raises
    ------
    DataError
        As `make_split`; or a class has fewer training images, or groups of them, than folds.
    SuiteError
        Where a number is out of its range.

    Notes
    -----
    Images with one `group` are in one fold. Folds differ by at most one image or group in size. As
    with `holdout`, `validation` images calibrate in every fold.
    """
    _check_settings(folds, fold, anomalous)
    held: set[int] = set()
    for class_name, members in checked_classes(samples).items():
        held.update(m.position for m in members if m.sample.portion == "validation")
        held.update(_fold(class_name, members, (folds, fold), seed))
        held.update(held_anomalies(class_name, members, anomalous, seed))
    return with_held_out(samples, held)


def _fold(
    class_name: str, members: Sequence[Member], numbers: tuple[int, int], seed: int
) -> list[int]:
    folds, fold = numbers
    units = {m.unit for m in members if m.sample.portion == "train"}
    if len(units) < folds:
        raise DataError(
            f"class {class_name!r} has {len(units)} training image(s) or group(s), "
            f"fewer than the {folds} folds they are cut into",
            hint="lower split.folds, or leave this class out",
        )
    drawn = set(shuffled(units, "fold", seed, class_name)[fold::folds])
    return [m.position for m in members if m.unit in drawn]


def _check_settings(folds: int, fold: int, anomalous: float) -> None:
    if folds < 2 or not 0 <= fold < folds:
        raise SuiteError(
            f"split.fold is {fold} of {folds} folds",
            hint="split.folds is at least 2, and split.fold counts from 0",
        )
    if not 0 <= anomalous < 1:
        raise SuiteError(
            f"split.calibration.anomalous is {anomalous:g}, "
            "expected a share of at least 0 and below 1"
        )
