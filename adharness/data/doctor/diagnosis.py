"""The whole examination of a data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adharness.arrays import UInt8
from adharness.contracts import Dataset, DatasetSpec
from adharness.data.doctor.copies import exact_copies, near_copies
from adharness.data.doctor.counts import (
    ClassCounts,
    check_counts,
    check_kinds,
    check_masks,
    count,
)
from adharness.data.doctor.declared import check_regions
from adharness.data.doctor.findings import Finding, in_order
from adharness.data.doctor.looks import look_at_all
from adharness.data.doctor.recognise import Trial, ask, ask_all, choose, takes_root, unrecognised
from adharness.data.doctor.roster import Item, Roster, pictures_or_nothing, take_stock
from adharness.data.doctor.strays import check_strays
from adharness.data.images import read_image
from adharness.data.tree import Tree
from adharness.errors import DataError


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor found.

    Parameters
    ----------
    subject
        The folder, or the name of the set.
    reader
        The reader that the set is made for; None where none fits.
    trials
        What each reader said of a folder.
    classes
        Counts, by class.
    images
        How many images and masks were looked at.
    findings
        By severity, check and path.
    """

    subject: str
    reader: DatasetSpec | None
    trials: tuple[Trial, ...]
    classes: tuple[ClassCounts, ...]
    images: int
    findings: tuple[Finding, ...]

    @property
    def broken(self) -> bool:
        """Whether there is an error."""
        return any(finding.severity == "error" for finding in self.findings)


def examine_folder(
    root: Path, specs: Sequence[DatasetSpec], *, use: str | None = None
) -> Diagnosis:
    """Find out what kind of set a folder is, and what is wrong with it.

    Parameters
    ----------
    root
        An existing folder.
    specs
        The readers that are installed.
    use
        The reader to take, whatever the others say.

    Raises
    ------
    DataError
        Where `root` is no folder, or `use` no reader of folders.
    """
    if not root.is_dir():
        fact = "is not a folder" if root.exists() else "does not exist"
        raise DataError(f"{root} {fact}", hint="give the folder that holds the classes")
    trials = tuple(ask_all(specs, root))
    chosen = choose(trials, root, use)
    if chosen is None or chosen.dataset is None:
        tree = Tree(root)
        roster = Roster(None, tree, loose=list(pictures_or_nothing(tree)))
        roster.findings.append(unrecognised(trials))
        return _examine(str(root), None, trials, roster)
    return _examine(str(root), chosen.spec, trials, take_stock(chosen.dataset, root))


def examine_set(spec: DatasetSpec, root: Path | None) -> Diagnosis:
    """Examine a set by its name; `root` is for one that lies in a folder.

    Raises
    ------
    DataError
        Where the set cannot be made, or needs a folder and was given none.
    """
    trial = ask(spec, root)
    if trial.dataset is None:
        raise DataError(
            f"{spec.name!r} cannot be asked by its name: {trial.refusal}",
            hint=f"adharness components dataset {spec.name}",
        )
    if not takes_root(spec):
        return _examine(spec.name, spec, (trial,), take_stock(trial.dataset, None))
    if root is None:
        trial.dataset.samples()  # raises, and says what to type
    return _examine(str(root), spec, (trial,), take_stock(trial.dataset, root))


def _examine(
    subject: str, spec: DatasetSpec | None, trials: tuple[Trial, ...], roster: Roster
) -> Diagnosis:
    expected = spec.expected if spec else None
    looks = look_at_all(roster)
    items, own = roster.items, looks[: len(roster.items)]
    classes = count(items, expected)
    findings = [
        *roster.findings,
        *(finding for look in looks for finding in look.findings),
        *check_masks(roster, classes),
        *(check_counts(classes, expected) if items else ()),
        *check_regions(roster),
        *check_kinds(items, own),
        *check_strays(roster),
        *exact_copies(items, own),
        *near_copies(items, own, lambda item: _pixels(roster, item)),
    ]
    return Diagnosis(subject, spec, trials, classes, len(looks), in_order(findings))


def _pixels(roster: Roster, item: Item) -> UInt8:
    if roster.tree is not None:
        return read_image(roster.tree.root / item.sample.path)
    dataset: Dataset | None = roster.dataset
    assert dataset is not None  # noqa: S101  a set without a folder is a data set
    return dataset.image(item.sample)
