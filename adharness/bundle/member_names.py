"""Which members a bundle may have: names, kinds and sizes, before any content is read."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Sequence

from adharness.bundle import layout
from adharness.errors import StoreError


def check_names(members: Sequence[zipfile.ZipInfo]) -> None:
    """Refuse members that could lie outside, hide one another, or be larger than they say.

    Raises
    ------
    StoreError
        Naming the member and what is wrong with it.
    """
    names = [_plain_name(member) for member in members]
    _check_unique(names)
    for member in members:
        _check_allowed(member.filename)
        _check_kind(member)
        _check_size(member)
    for needed in (layout.MANIFEST, layout.RUN):
        if needed not in names:
            raise StoreError(f"the bundle has no {needed}")
    if names != sorted(names):
        raise StoreError("the members are not sorted by name")


def _check_unique(names: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        before = seen.get(name.casefold())
        if before == name:
            raise StoreError(f"the member {name!r} is there twice")
        if before is not None:
            raise StoreError(f"the members {before!r} and {name!r} differ in case only")
        seen[name.casefold()] = name


def _plain_name(member: zipfile.ZipInfo) -> str:
    name = member.orig_filename  # as it is in the file: zipfile cuts `filename` at a NUL
    if name != member.filename or not name.isascii() or not name.isprintable():
        raise StoreError(f"the member {name!r} has a name that is not plain text")
    if "\\" in name:
        raise StoreError(f"the member {name!r} has a backslash in its name")
    if name.startswith("/"):
        raise StoreError(f"the member {name!r} has an absolute path")
    if ".." in name.split("/"):
        raise StoreError(f"the member {name!r} leads out of its folder")
    return name


def _check_allowed(name: str) -> None:
    if not layout.is_allowed(name):
        raise StoreError(
            f"the member {name!r} is none that a bundle has",
            hint="it has manifest.json, run.json and, of each cell, cells/<id>/result.json with "
            "its scores.npz, replicates.npz and maps.npz; pictures are not taken",
        )


def _check_kind(member: zipfile.ZipInfo) -> None:
    mode = member.external_attr >> 16
    if stat.S_ISLNK(mode):
        raise StoreError(f"the member {member.filename!r} is a symbolic link")
    if mode and not stat.S_ISREG(mode):
        raise StoreError(f"the member {member.filename!r} is no plain file")
    if member.flag_bits & 1:
        raise StoreError(f"the member {member.filename!r} is encrypted")
    if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
        raise StoreError(
            f"the member {member.filename!r} is compressed: {member.compress_size} bytes that "
            f"unpack to {member.file_size}",
            hint="a bundle's members are stored as they are",
        )


def _check_size(member: zipfile.ZipInfo) -> None:
    most = layout.largest(member.filename)
    if member.file_size > most:
        raise StoreError(
            f"the member {member.filename!r} has {member.file_size} bytes, expected at most {most}"
        )
