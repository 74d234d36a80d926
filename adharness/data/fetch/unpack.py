"""Unpack an archive into a folder of its own: whole, or not at all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import IO

from adharness.data.fetch.members import Limits, Member, damage_told, members
from adharness.errors import DataError
from adharness.progress import tell

_CHUNK = 1 << 20


def unpack(archive: Path, target: Path, *, limits: Limits | None = None) -> Path:
    """Unpack a ZIP or tar file as the folder `target`.

    All members are checked before the first is written (see `members`). They are written to a
    temporary folder beside `target`, which is renamed at the end; a single folder that holds all
    others becomes `target` itself. Owners, modes and dates of the archive are not taken over.

    Raises
    ------
    DataError
        Where `target` exists, the archive is refused, the disk is too small, or a member holds more
        bytes than it said. Then nothing is left behind.
    """
    limits = limits or Limits()
    if target.exists():
        raise DataError(f"{target} is already there", hint=f"adharness data doctor {target}")
    sizes = [member.size for member in members(archive, limits)]
    _check(archive, target, len(sizes), sum(sizes))
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as folder:
        place = Path(folder) / "unpacked"
        for number, member in enumerate(members(archive, limits), 1):
            _write(member, place, archive)
            tell(number, len(sizes), "files")
        _top(place).rename(target)
    return target


def _check(archive: Path, target: Path, count: int, size: int) -> None:
    if not count:
        raise DataError(f"archive {archive.name!r} holds no file", where=str(archive))
    free = shutil.disk_usage(target.parent).free
    if size > free:
        raise DataError(
            f"{archive.name!r} unpacks to {size / 1e9:.1f} GB, and {target.parent} has "
            f"{free / 1e9:.1f} GB",
            hint="give another folder with --out DIR",
            where=str(target.parent),
        )


def _write(member: Member, place: Path, archive: Path) -> None:
    path = place / member.name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with damage_told(archive):
            source = member.open()
        with source, path.open("xb") as file:
            written = _copy(source, file, member.size, archive)
    except (FileExistsError, NotADirectoryError) as error:
        raise DataError(
            f"archive {archive.name!r} holds {member.name!r} as a file and as a folder",
            where=str(archive),
        ) from error
    if written != member.size:
        raise DataError(
            f"{member.name!r} of archive {archive.name!r} is not the {member.size} bytes it said",
            hint="the archive is damaged: download it again",
            where=str(archive),
        )


def _copy(source: IO[bytes], file: IO[bytes], size: int, archive: Path) -> int:
    """Copy at most one byte more than `size`, so that a member that lies cannot fill the disk."""
    written = 0
    while written <= size:
        with damage_told(archive):
            chunk = source.read(min(_CHUNK, size + 1 - written))
        if not chunk:
            break
        written += file.write(chunk)
    return written


def _top(place: Path) -> Path:
    inside = list(place.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else place
