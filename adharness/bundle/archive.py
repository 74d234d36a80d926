"""The file itself: members stored one after the other, in one form only.

There is one file for given members: sorted, stored without compression, dated 1980. A bundle that
is not byte for byte that file is refused, so nothing can hide between its members, and what another
reader of zip files would see is what was checked.
"""

from __future__ import annotations

import hashlib
import os
import struct
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO

from adharness.bundle import layout
from adharness.bundle.member_names import check_names
from adharness.errors import StoreError

BLOCK = 2**20
_END = struct.Struct("<4s4H2LH")
"""The last 22 bytes of a zip file: its mark, how many members, and where their list lies."""


@dataclass(frozen=True, eq=False)
class Archive:
    """An open bundle whose outer form has been checked."""

    file: BufferedReader
    path: Path
    zip: zipfile.ZipFile

    @property
    def names(self) -> list[str]:
        """Names of the members, sorted."""
        return self.zip.namelist()

    def read(self, name: str) -> bytes:
        """Read a member. Raises StoreError where its bytes are not what the file says of them."""
        try:
            return self.zip.read(name)
        except (zipfile.BadZipFile, OSError, EOFError) as error:
            raise StoreError(f"cannot read {name}: {error}", where=str(self.path)) from error

    def sha256(self) -> str:
        """Hex SHA-256 of the whole file."""
        self.file.seek(0)
        return hashlib.file_digest(self.file, "sha256").hexdigest()


def write_archive(file: IO[bytes], members: Iterable[tuple[str, bytes]]) -> None:
    """Write the one file that these members have; give them sorted by name."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=False) as archive:
        for name, content in members:
            archive.writestr(_info(name), content)


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.create_system, info.external_attr = 3, 0o100644 << 16  # a plain file, made anywhere
    return info


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open a bundle and check everything that can be told without reading a member's content.

    Raises
    ------
    StoreError
        The file is missing, too large or no bundle; or it has too many members, one of a name, a
        kind or a size that is not allowed, or anything besides them.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise StoreError(
            f"cannot open the bundle: {error.strerror}",
            where=str(path),
            hint="name the file that `adharness bundle RUN` wrote",
        ) from error
    with file:
        try:
            _check_end(file)
            with _opened(file) as archive:
                check_names(archive.infolist())
                _check_form(file, archive)
                yield Archive(file, path, archive)
        except StoreError as error:
            if error.where is None:
                error.where = str(path)
            raise


def _check_end(file: IO[bytes]) -> None:
    """Refuse by the last bytes alone what could not be read in bounded memory."""
    size = os.fstat(file.fileno()).st_size
    if size > layout.BUNDLE_BYTES:
        raise StoreError(
            f"the bundle has {size} bytes, expected at most {layout.BUNDLE_BYTES}",
            hint="submit without --maps",
        )
    file.seek(max(size - _END.size, 0))
    end = file.read()
    if len(end) != _END.size or end[:4] != b"PK\5\6":
        raise StoreError("this is no bundle: no zip file ends at its end", hint=_WHOLE)
    _, _, _, here, members, length, start, comment = _END.unpack(end)
    if members > layout.MEMBERS:
        raise StoreError(f"the bundle has {members} members, expected at most {layout.MEMBERS}")
    if length > layout.DIRECTORY_BYTES:
        raise StoreError(f"the bundle's list of members has {length} bytes: too many")
    if comment or here != members or start + length + _END.size != size:
        raise StoreError("the bundle's list of members does not end the file", hint=_WHOLE)


_WHOLE = "make it again with `adharness bundle RUN`, or fetch it again: it is damaged or forged"


def _opened(file: IO[bytes]) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise StoreError(
            f"the bundle's list of members is damaged: {error}", hint=_WHOLE
        ) from error


def _check_form(file: IO[bytes], archive: zipfile.ZipFile) -> None:
    """Write the bundle again from its members: it must come out byte for byte."""
    claimed = sum(member.file_size for member in archive.infolist())
    if claimed > os.fstat(file.fileno()).st_size:
        raise StoreError(f"the members claim {claimed} bytes, more than the bundle has")
    with tempfile.TemporaryFile() as again:
        try:
            write_archive(again, ((i.filename, archive.read(i)) for i in archive.infolist()))
        except (zipfile.BadZipFile, OSError, EOFError, RuntimeError) as error:
            raise StoreError(f"a member is damaged: {error}", hint=_WHOLE) from error
        except zipfile.LargeZipFile as error:
            raise StoreError(f"the bundle is too large: {error}") from error
        if not _same(file, again):
            raise StoreError(
                "the bundle is not in the form that `adharness bundle` writes: it holds bytes "
                "besides its members, or says of them what is not so",
                hint=_WHOLE,
            )


def _same(first: IO[bytes], second: IO[bytes]) -> bool:
    first.seek(0)
    second.seek(0)
    while True:
        blocks = first.read(BLOCK), second.read(BLOCK)
        if blocks[0] != blocks[1]:
            return False
        if not blocks[0]:
            return True
