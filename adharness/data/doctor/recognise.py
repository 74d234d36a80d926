"""What kind of set a folder is: every installed reader is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from adharness.contracts import Dataset, DatasetSpec
from adharness.data.doctor.findings import Finding
from adharness.data.tree import Tree
from adharness.errors import AdharnessError, DataError
from adharness.suggest import closest

ENOUGH = 0.5
"""Share of a published set's classes that must be there as folders for it to be meant."""


@dataclass(frozen=True)
class Trial:
    """What came of asking one reader.

    Parameters
    ----------
    spec
        The reader.
    dataset
        As made for the folder; None where it takes more than a folder.
    images
        How many it found; None where it could not read the folder.
    refusal
        Why not.
    """

    spec: DatasetSpec
    dataset: Dataset | None = None
    images: int | None = None
    refusal: str = ""


def ask_all(specs: Iterable[DatasetSpec], root: Path) -> list[Trial]:
    """Ask each reader that reads folders."""
    return [ask(spec, root) for spec in specs if takes_root(spec)]


def takes_root(spec: DatasetSpec) -> bool:
    """Whether a reader reads a folder that it is given."""
    return "root" in spec.params.model_fields


def ask(spec: DatasetSpec, root: Path | None) -> Trial:
    """Ask one reader. A plugin that breaks is told like one that refuses."""
    try:
        given = {"root": root} if takes_root(spec) and root is not None else {}
        dataset = spec.make(spec.params.model_validate(given))
    except ValidationError as error:
        missing = ", ".join(str(e["loc"][0]) for e in error.errors() if e["loc"])
        return Trial(spec, refusal=f"needs more than a folder: {missing}")
    except Exception as error:  # noqa: BLE001  a plugin's own
        return Trial(spec, refusal=f"{type(error).__name__}: {error}")
    try:
        return Trial(spec, dataset, len(dataset.samples()))
    except AdharnessError as error:
        return Trial(spec, dataset, refusal=error.message)
    except Exception as error:  # noqa: BLE001  a plugin's own
        return Trial(spec, dataset, refusal=f"{type(error).__name__}: {error}")


def choose(trials: Sequence[Trial], root: Path, use: str | None = None) -> Trial | None:
    """Choose the reader that the set is made for; None where none fits.

    A reader of a published set that reads the folder comes before one that reads anything, then
    the one that finds most; where only general readers read it, a published set is meant whose
    classes are there, at least half of them: its copy is broken.

    Raises
    ------
    DataError
        Where `use` names no installed reader, or one that takes more than a folder.
    """
    if use is not None:
        return _named(trials, use)
    reading = [trial for trial in trials if trial.images]
    whole = [trial for trial in reading if trial.spec.expected]
    if whole:
        return max(whole, key=lambda trial: (trial.images or 0, trial.spec.name))
    meant = max(trials, key=lambda trial: share_of_classes(trial.spec, root), default=None)
    if meant is not None and meant.dataset and share_of_classes(meant.spec, root) >= ENOUGH:
        return meant
    general = [trial for trial in reading if not trial.spec.expected]
    return max(general, key=lambda trial: trial.images or 0, default=_broken(trials, root))


def share_of_classes(spec: DatasetSpec, root: Path) -> float:
    """Share of a published set's classes that are folders of the root."""
    known = spec.expected.classes if spec.expected else ()
    return sum((root / name).is_dir() for name in known) / max(len(known), 1)


def unrecognised(trials: Sequence[Trial]) -> Finding:
    """Say that no reader fits, with what each says."""
    said = "\n".join(f"{trial.spec.name}: {trial.refusal}" for trial in trials)
    cure = "name the reader that should read it with --use NAME, or arrange the files as "
    cure += "<class>/train/good, <class>/test/<defect> and <class>/ground_truth/<defect>"
    return Finding("error", "unknown-layout", "", f"no installed reader reads this: {said}", cure)


def _named(trials: Sequence[Trial], use: str) -> Trial:
    found = next((trial for trial in trials if trial.spec.name == use), None)
    if found is None:
        names = [trial.spec.name for trial in trials]
        raise DataError(f"no reader of folders is called {use!r}", hint=closest(use, names))
    if found.dataset is None:
        raise DataError(
            f"{use!r} cannot be asked: {found.refusal}",
            hint="write it in a suite and type: adharness check SUITE",
        )
    return found


def _broken(trials: Sequence[Trial], root: Path) -> Trial | None:
    """Give the general reader of folders of classes, where there are such folders."""
    marks = {"train", "test"}
    tree = Tree(root)
    try:
        top = tree.listing("").folders
        meant = bool(marks & top) or any(marks & tree.listing(name).folders for name in top)
    except DataError:  # the reader will say it, with its path
        meant = True
    return next((t for t in trials if t.spec.name == "folder"), None) if meant else None
