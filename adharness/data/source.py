"""What is known of a data set of files before it is read, and what a reader of one gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from adharness.contracts import Licence, Sample
from adharness.data.choice import choose_classes
from adharness.data.tree import Tree
from adharness.errors import DataError


class Found(NamedTuple):
    """A sample and the files of its truth, by name relative to the root.

    Parameters
    ----------
    sample
        Its path is the image's file.
    masks
        Files whose union is the mask; none for an image without one.
    saturations
        The file that makes of each mask a declared region, or None.
    """

    sample: Sample
    masks: tuple[str, ...] = ()
    saturations: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which classes of the set called `name` are read; see `choose_classes`."""

    name: str
    classes: tuple[str, ...] | None = None
    complete: tuple[str, ...] | None = None

    def choose(self, present: Iterable[str], root: Path) -> list[str]:
        """Give the classes to read, sorted. Raises DataError where one is missing."""
        return choose_classes(
            self.name, list(present), wanted=self.classes, complete=self.complete, where=root
        )


class Reader(Protocol):
    """Finds the samples below a root."""

    @property
    def drawing(self) -> str:
        """The tree it expects, drawn for a person."""

    def read(self, tree: Tree, wanted: Wanted) -> Iterable[Found]:
        """Find the samples, class by class, without decoding a picture. Raises DataError."""

    def orphans(self, tree: Tree, wanted: Wanted) -> Iterable[str]:
        """Find the masks that belong to no image; none where a list names each mask."""


@dataclass(frozen=True, slots=True)
class FolderSource:
    """What is known of a data set of files before it is read.

    Parameters
    ----------
    name
        The data set's name, for messages.
    licence
        What may be done with its pictures.
    reader
        Finds its samples.
    folder
        What the root folder is usually called.
    origin
        Where the data comes from, as a sentence.
    classes
        The classes of the complete set; None where any class counts.
    """

    name: str
    licence: Licence
    reader: Reader
    folder: str = "a folder of classes"
    origin: str = ""
    classes: tuple[str, ...] | None = None


def existing_root(root: Path | None, source: FolderSource) -> Path:
    """Return the root; a DataError says what was expected, its layout and where to get it."""
    drawn = f"give --data-root DIR, set ADHARNESS_DATA, or write `root:` below `use: {source.name}`"
    drawn += f"; the layout:\n{source.reader.drawing}"
    drawn += f"\n{source.origin}" if source.origin else ""
    if root is None:
        raise DataError(
            f"data set {source.name!r} needs its root folder ({source.folder}), and none was given",
            hint=drawn,
        )
    root = root.expanduser()
    if not root.is_dir():
        fact = "is not a folder" if root.exists() else "does not exist"
        raise DataError(
            f"the root of data set {source.name!r} ({source.folder}) {fact}: {root}",
            hint=drawn,
            where=str(root),
        )
    return root
