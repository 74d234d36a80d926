"""Hashes of files, and a book of those that were hashed before.

A data set's reader hashes its files whenever it is asked. Where somebody keeps a book while it
does, a file whose size and times are as they were is not read again; the reader need not know.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

Stamp: TypeAlias = tuple[int, int, int]
"""Size in bytes; times of modification and of change of status, in nanoseconds."""

GRANULE_NS = 2_000_000_000
"""The coarsest step of a file system's times: 2 s, on FAT."""


@dataclass
class HashBook:
    """What files held, by absolute path: size, both times, SHA-256 in hexadecimal.

    `known` is what was read, `added` what was hashed since. The time of the last change of status
    is kept too, where the system has it, for tools that copy a file with its modification time.

    Notes
    -----
    A file that changed within `GRANULE_NS` before it was hashed is not added: it could change once
    more and keep its times, as in git's "racy" entries. So is one that changed while it was read,
    or whose times lie in the future. All are hashed again the next time. The clock is this
    machine's: where a file server's is more than 2 s behind, the first rule is lost.
    """

    known: dict[str, tuple[Stamp, str]]
    added: dict[str, tuple[Stamp, str]] = field(default_factory=dict)

    def find(self, path: Path) -> str | None:
        """Give the hash of a file that is as it was; None where it must be hashed."""
        entry = self.known.get(str(path.absolute()))
        return entry[1] if entry and entry[0] == _stamp(path.stat()) else None

    def add(self, path: Path, stamp: Stamp, sha256: str, begun_ns: int) -> None:
        """Note a hash; `begun_ns` is the time when its reading began, from `time.time_ns`."""
        if max(stamp[1:]) + GRANULE_NS < begun_ns:
            self.added[str(path.absolute())] = (stamp, sha256)


_BOOK: ContextVar[HashBook | None] = ContextVar("adharness_hashes", default=None)


@contextmanager
def remembering(book: HashBook) -> Iterator[None]:
    """Have `file_sha256` look files up in the book, and note new ones, while the block runs."""
    token = _BOOK.set(book)
    try:
        yield
    finally:
        _BOOK.reset(token)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal. Raises OSError where it cannot be read."""
    book = _BOOK.get()
    found = book.find(path) if book else None
    if found is not None:
        return found
    with path.open("rb") as stream:
        begun_ns, before = time.time_ns(), _stamp(os.fstat(stream.fileno()))
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        unchanged = before == _stamp(os.fstat(stream.fileno()))
    if book and unchanged:
        book.add(path, before, sha256, begun_ns)
    return sha256


def _stamp(found: os.stat_result) -> Stamp:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns
