"""The book of file hashes on disk, so that 100,000 files are read once and not in every run.

The first line of an index holds its schema and the SHA-256 of the second, which maps each path to
`[[size, mtime_ns, ctime_ns], sha256]`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from adharness.data.hashes import HashBook, Stamp, remembering
from adharness.errors import StoreError
from adharness.store.files import atomic, explained

SCHEMA = 1


@contextmanager
def remembered(index: Path) -> Iterator[HashBook]:
    """Let files be known again by an index while the block runs, and note the new ones in it.

    Parameters
    ----------
    index
        The file, made where there is none. One that is damaged, or of another version, counts as
        empty. What the block hashed is kept also where it ends with an error.

    Raises
    ------
    StoreError
        The index cannot be written.

    Notes
    -----
    Two runs may share an index: each adds to what it finds when it ends. Files that are gone are
    forgotten then.
    """
    book = HashBook(_read(index))
    try:
        with remembering(book):
            yield book
    except BaseException:
        with suppress(StoreError):  # the first error is the one to tell
            _merge(index, book)
        raise
    _merge(index, book)


def _merge(index: Path, book: HashBook) -> None:
    if not book.added:
        return
    with explained(index):
        index.parent.mkdir(parents=True, exist_ok=True)
    with explained(index), FileLock(f"{index}.lock"):
        known = {path: entry for path, entry in _read(index).items() if Path(path).exists()}
        _write(index, known | book.added)


def _read(index: Path) -> dict[str, tuple[Stamp, str]]:
    try:
        head, _, body = index.read_bytes().partition(b"\n")
        if json.loads(head) != _head(body):
            return {}
        return {path: (tuple(stamp), sha) for path, (stamp, sha) in json.loads(body).items()}
    except (OSError, ValueError, RecursionError):
        return {}


def _write(index: Path, entries: dict[str, tuple[Stamp, str]]) -> None:
    body = json.dumps(entries, separators=(",", ":")).encode()
    with atomic(index) as file:
        file.write(json.dumps(_head(body)).encode() + b"\n" + body)


def _head(body: bytes) -> dict[str, object]:
    return {"schema": SCHEMA, "sha256": hashlib.sha256(body).hexdigest()}
