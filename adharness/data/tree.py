"""Lists a data set's folders: each at most once, and never outside the root."""

from __future__ import annotations

import errno
import os
import posixpath
import re
from pathlib import Path
from typing import NamedTuple

from adharness.errors import DataError

_STAY = "a data set lies in its root as a whole: copy the files there, or name a folder above both"
_DRIVE = re.compile(r"[A-Za-z]:")


class Listing(NamedTuple):
    """What a folder holds, hidden things left out.

    `links` are those of its names that are symbolic links.
    """

    folders: frozenset[str]
    files: frozenset[str]
    links: frozenset[str]


NOTHING = Listing(frozenset(), frozenset(), frozenset())


class Tree:
    """A root folder and what lies in it, by names with forward slashes relative to it.

    Every folder is listed once and no file is asked for by itself, so that a set of 150,000 files
    is read in one walk. A symbolic link is followed where it stays in the root.

    Parameters
    ----------
    root
        An existing folder; it may itself be a link.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._real = os.path.realpath(root)
        self._listed: dict[str, Listing] = {}

    def listing(self, place: str) -> Listing:
        """List a folder; nothing where there is none. The root itself is ''.

        Raises
        ------
        DataError
            Where the folder cannot be listed, holds a name that is not UTF-8, or is a link that
            leaves the root or leads back to a folder that holds it.
        """
        if place not in self._listed:
            self._listed[place] = self._scan(place) if self._enters(place) else NOTHING
        return self._listed[place]

    def file(self, name: str, *, where: str) -> str:
        """Give the tidy name of a file that a list names; `where` is the list's file and line.

        Raises
        ------
        DataError
            Where the name is empty or absolute, climbs by '..', leads out through a link, or no
            such file is there.
        """
        if not _stays(name):
            fact = f"names {name!r}, which leaves the root" if name else "names no file"
            raise DataError(
                f"an entry {fact}", hint="names are relative to the root, without '..'", where=where
            )
        tidy = posixpath.normpath(name)
        folder, _, leaf = tidy.rpartition("/")
        if leaf not in self.listing(folder).files:
            raise DataError(
                f"an entry names {name!r}, but there is no file {self.root / tidy}",
                hint="the copy is cut off, or the names are relative to another folder",
                where=where,
            )
        self.vet(folder, leaf)
        return tidy

    def vet(self, folder: str, name: str) -> None:
        """Raise DataError where this name in a listed folder is a link that may not be followed."""
        if name in self._listed[folder].links:
            self._check_link(self.root / folder / name)

    def _enters(self, place: str) -> bool:
        if place == "":
            return True
        above, _, name = place.rpartition("/")
        if name not in self.listing(above).folders:
            return False
        self.vet(above, name)
        return True

    def _scan(self, place: str) -> Listing:
        folders: set[str] = set()
        files: set[str] = set()
        links: set[str] = set()
        path = self.root / place
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_symlink():
                        links.add(entry.name)
                    (folders if _is_folder(entry) else files).add(entry.name)
        except OSError as error:
            raise DataError(f"cannot list folder {path}: {error}", where=str(path)) from error
        for name in folders | files:
            _check_name(path, name)
        return Listing(frozenset(folders), frozenset(files), frozenset(links))

    def _check_link(self, link: Path) -> None:
        try:
            target = os.path.realpath(link, strict=True)
        except OSError as error:
            fact = "runs in a loop" if error.errno == errno.ELOOP else "leads nowhere"
            raise DataError(
                f"symbolic link {link} {fact}", hint="remove it", where=str(link)
            ) from error
        if not _holds(self._real, target):
            fact = f"symbolic link {link} leaves the root: it leads to {target}"
            raise DataError(fact, hint=_STAY, where=str(link))
        # Links that lead to each other's folders: the way here may have passed the target before.
        way = [link.parent, *link.parent.parents]
        passed = way[: way.index(self.root) + 1]
        if any(_holds(target, os.path.realpath(folder)) for folder in passed):
            fact = f"symbolic link {link} runs in a loop: it leads back to {target}"
            raise DataError(fact, hint="remove it", where=str(link))


def _stays(name: str) -> bool:
    parts = re.split(r"[/\\]", name)
    return bool(parts[0]) and ".." not in parts and not _DRIVE.match(name) and "\0" not in name


def _holds(folder: str, path: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    # A link that loops makes `DirEntry.is_dir` raise; `Path.is_dir` says no.
    return Path(entry.path).is_dir() if entry.is_symlink() else entry.is_dir()


def _check_name(folder: Path, name: str) -> None:
    if name.isascii():
        return
    try:
        name.encode()
    except UnicodeEncodeError as error:
        where = repr(str(folder / name))
        raise DataError(
            f"the name of {name!r} is not UTF-8", hint="rename the file", where=where
        ) from error
