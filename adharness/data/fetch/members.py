"""What an archive holds, checked before a byte of it is written."""

from __future__ import annotations

import re
import stat
import tarfile
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from lzma import LZMAError
from pathlib import Path
from typing import IO
from zlib import error as ZlibError

from adharness.errors import DataError

_DRIVE = re.compile(r"[A-Za-z]:")
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, LZMAError, ZlibError, EOFError, OSError,
           ValueError, RuntimeError)  # fmt: skip
"""What the standard library raises on an archive that lies."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Beyond which an archive is refused: no data set of pictures comes near them.

    Parameters
    ----------
    members
        Files and folders.
    ratio
        Bytes unpacked for each byte of the archive. Pictures are compressed already.
    free_bytes
        Unpacked bytes that are fine whatever the ratio.
    name_length
        Characters of a member's name.
    """

    members: int = 1_000_000
    ratio: float = 50.0
    free_bytes: int = 100_000_000
    name_length: int = 1_000


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an archive: its name with forward slashes, its size, and how to read it."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]


@dataclass(frozen=True, slots=True)
class _Entry:
    """What an archive says of one thing in it; `odd` names what is neither file nor folder."""

    name: str
    size: int
    folder: bool
    odd: str | None
    open: Callable[[], IO[bytes]]


class _Archive(ABC):
    """A ZIP or a tar file, one entry at a time."""

    @abstractmethod
    def entries(self) -> Iterator[_Entry]:
        """Give the entries in the archive's order."""


class _Zip(_Archive):
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def entries(self) -> Iterator[_Entry]:
        for info in self._archive.infolist():
            yield _Entry(
                info.filename,
                info.file_size,
                info.is_dir(),
                _odd_zip(info),
                partial(self._archive.open, info),
            )


class _Tar(_Archive):
    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive

    def entries(self) -> Iterator[_Entry]:
        for info in self._archive:
            yield _Entry(
                info.name,
                info.size,
                info.isdir(),
                _odd_tar(info),
                lambda info=info: self._open(info),  # type: ignore[misc]
            )

    def _open(self, info: tarfile.TarInfo) -> IO[bytes]:
        opened = self._archive.extractfile(info)
        assert opened is not None  # noqa: S101  only files are opened
        return opened


def members(path: Path, limits: Limits) -> Iterator[Member]:
    """Give the files of a ZIP or tar file (plain, gzip, xz or bzip2), each checked first.

    A caller that writes should run through all of them once before: the last may be hostile.

    Raises
    ------
    DataError
        Where it is no such archive or is damaged; where a member's name is empty, absolute, climbs
        by '..', has a backslash, a drive or a control character, or is there twice; where a member
        is a link, a device, encrypted or sparse; or where there are more members or bytes than
        `limits` allow.
    """
    with _opened(path) as archive:
        yield from _checked(archive, path, limits)


def _checked(archive: _Archive, path: Path, limits: Limits) -> Iterator[Member]:
    room = max(limits.free_bytes, int(limits.ratio * path.stat().st_size))
    seen: set[str] = set()
    total = 0
    for number, entry in enumerate(archive.entries(), 1):
        if number > limits.members:
            raise _hostile(path, f"has more than {limits.members} members")
        total += entry.size
        if total > room:
            raise _hostile(path, f"unpacks to more than {room} bytes")
        flaw = entry.odd or _flaw(entry.name, limits)
        if flaw:
            raise _hostile(path, f"holds {entry.name[:200]!r}, {flaw}")
        if entry.folder or entry.name.startswith("__MACOSX/"):  # a Mac's notes, no data
            continue
        name = "/".join(part for part in entry.name.split("/") if part not in ("", "."))
        if name.casefold() in seen:
            raise _hostile(path, f"holds {name!r} twice")
        seen.add(name.casefold())
        yield Member(name, entry.size, entry.open)


def _flaw(name: str, limits: Limits) -> str | None:
    """Say what is wrong with a name; None where nothing is."""
    if len(name) > limits.name_length:
        return "whose name is too long"
    if name.startswith("/") or _DRIVE.match(name):
        return "whose name is absolute"
    if "\\" in name or not name.isprintable():
        return "whose name has a backslash or a control character"
    if ".." in name.split("/"):
        return "whose name climbs by '..'"
    return None if name.strip("/") else "which has no name"


def _odd_zip(info: zipfile.ZipInfo) -> str | None:
    if info.flag_bits & 1:
        return "which is encrypted"
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind in (0, stat.S_IFREG, stat.S_IFDIR):
        return None
    return "which is a link" if kind == stat.S_IFLNK else "which is a device"


def _odd_tar(info: tarfile.TarInfo) -> str | None:
    if info.issym() or info.islnk():
        return "which is a link"
    if info.issparse():
        return "which is sparse"
    return None if info.isreg() or info.isdir() else "which is a device"


def _hostile(path: Path, fact: str) -> DataError:
    return DataError(
        f"archive {path.name!r} {fact}; nothing was unpacked",
        hint="do not unpack it by hand either; tell the owners of the data set",
        where=str(path),
    )


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Turn every way in which an archive can be unreadable into a DataError."""
    try:
        yield
    except _BROKEN as error:
        raise DataError(
            f"cannot read archive {path.name!r}: {error or type(error).__name__}",
            hint="it is no ZIP or tar file, or it is damaged: download it again",
            where=str(path),
        ) from error


@contextmanager
def _opened(path: Path) -> Iterator[_Archive]:
    with damage_told(path):
        if _is_zip(path):
            with zipfile.ZipFile(path) as archive:
                yield _Zip(archive)
        else:
            with tarfile.open(path, "r:*") as archive:
                yield _Tar(archive)


def _is_zip(path: Path) -> bool:
    # `zipfile.is_zipfile` looks at the end, and so takes a tar file that ends in a ZIP for one.
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
