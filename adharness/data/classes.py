"""Which folders of a root are classes."""

from __future__ import annotations

from collections.abc import Sequence

from adharness.data.patterns import Pattern
from adharness.data.source import Wanted
from adharness.data.tree import Tree
from adharness.errors import DataError


def class_folders(
    tree: Tree, patterns: Sequence[Pattern], wanted: Wanted, drawing: str
) -> dict[str, str]:
    """Give the place of each class by its name; a root that is one class itself is that class.

    A folder is a class where the set's owners name it so, or, where nobody named the classes, where
    it has a folder that a pattern starts with. An empty folder is a copy that stopped: it counts.

    Raises
    ------
    DataError
        Where there is none; the hint names the folder that may have been meant.
    """
    top = tree.listing("")
    if _is_one_class(tree, patterns):
        return {tree.root.resolve().name: ""}
    known = None if wanted.complete is None else set(wanted.complete)
    names = sorted(top.folders if known is None else top.folders & known)
    found = [name for name in names if known or _is_class(tree, name, patterns)]
    if found:
        return {name: name for name in found}
    inner = [name for name in sorted(top.folders) if _holds_classes(tree, name, patterns, known)]
    marks = " or ".join(f"{mark}/" for mark in _marks(patterns))
    raise DataError(
        f"the root of data set {wanted.name!r} holds no class: no folder in {tree.root} "
        + (f"has a {marks} folder" if known is None else f"is one of {', '.join(sorted(known))}"),
        hint=f"did you mean {tree.root / inner[0]}?" if inner else f"the layout:\n{drawing}",
        where=str(tree.root),
    )


def has_marks(tree: Tree, place: str, patterns: Sequence[Pattern]) -> bool:
    """Whether a folder has one of the folders that the patterns start with."""
    return bool(_marks(patterns) & tree.listing(place).folders)


def _marks(patterns: Sequence[Pattern]) -> set[str]:
    return {pattern.mark for pattern in patterns if pattern.mark}


def _is_one_class(tree: Tree, patterns: Sequence[Pattern]) -> bool:
    # The first pattern is of training images, the last of anomalies: both must be there.
    ends = {patterns[0].mark, patterns[-1].mark}
    return None not in ends and ends <= tree.listing("").folders


def _is_class(tree: Tree, name: str, patterns: Sequence[Pattern]) -> bool:
    inside = tree.listing(name)
    return has_marks(tree, name, patterns) or not (inside.folders or inside.files)


def _holds_classes(
    tree: Tree, name: str, patterns: Sequence[Pattern], known: set[str] | None
) -> bool:
    inner = tree.listing(name).folders
    return any(
        child in known if known else has_marks(tree, f"{name}/{child}", patterns) for child in inner
    )
