"""Files that lie in a set and are read by nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from adharness.data.doctor.findings import Finding
from adharness.data.doctor.roster import Roster, all_pictures
from adharness.data.images import ENDINGS, is_picture
from adharness.data.tree import Tree
from adharness.errors import DataError


def check_strays(roster: Roster) -> Iterator[Finding]:
    """Pictures that nothing reads, and pictures among the images whose ending hides them."""
    if roster.tree is None or not roster.items:
        return
    try:
        yield from _unread(roster, roster.tree)
        yield from _hidden_by_ending(roster, roster.tree)
    except DataError as error:
        cure = error.hint or "remove it"
        yield Finding("error", "unreadable-folder", "", error.message, cure)


def _unread(roster: Roster, tree: Tree) -> Iterator[Finding]:
    """One finding for all folders of one name: a set has the same ones in each class."""
    known = roster.known
    unread = Counter(_folder(name) for name in all_pictures(tree) if name not in known)
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for folder in sorted(unread):
        alike[folder.rpartition("/")[2]].append(folder)
    for first, *others in alike.values():
        count = unread[first] + sum(unread[other] for other in others)
        where = f" in {1 + len(others)} folders of this name" if others else ""
        fact = f"{count} picture(s){where} that the reader does not look at"
        cure = "nothing, if they are no part of the set; else move them to where it looks"
        yield Finding("note", "unread-folder", first, fact, cure, tuple(others))


def _hidden_by_ending(roster: Roster, tree: Tree) -> Iterator[Finding]:
    """Say so where a file among images is a picture, but its name does not say so."""
    for folder in sorted({_folder(item.sample.path) for item in roster.items}):
        for name in sorted(tree.listing(folder).files):
            if Path(name).suffix.lower() in ENDINGS:
                continue
            path = f"{folder}/{name}".lstrip("/")
            if is_picture(tree.root / path):
                fact = "a picture whose ending is not one of a picture: it is not read"
                cure = f"rename it to end in one of {', '.join(sorted(ENDINGS))}"
                yield Finding("warning", "wrong-ending", path, fact, cure)


def _folder(name: str) -> str:
    return name.rpartition("/")[0]
