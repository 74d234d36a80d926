"""Atomic files: a reader sees the old content or the new, never a half.

Arrays go to npz without pickle, records to JSON. A record is written last and holds the SHA-256 of
the arrays beside it: a folder whose arrays don't match its record counts as not written.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from adharness.arrays import AnyArray
from adharness.errors import StoreError


@contextmanager
def atomic(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file beside `path`; move it into place when the block ends without error.

    Raises
    ------
    StoreError
        Where the folder cannot be written or the disk is full; nothing is left behind.
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with explained(path):
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o644)
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the system's refusal to write into one clear StoreError."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(
            f"cannot write {path}: {reason}",
            hint="free some space, or choose another folder with --out or --cache-dir; "
            "what was stored before is intact, and the same command resumes",
        ) from error


@contextmanager
def replaced_folder(out: Path, along: Callable[[str], bool] = lambda _: False) -> Iterator[Path]:
    """Give a new folder beside `out`; put it in its place when the block ends without error.

    Parameters
    ----------
    along
        Which names of the folder that was there move into the new one; the others are removed.

    Raises
    ------
    StoreError
        A folder cannot be written; what was there is there still.
    """
    with explained(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        yield new
        with explained(out):
            new.chmod(0o755)
            _swap(new, out, along)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _swap(new: Path, out: Path, along: Callable[[str], bool]) -> None:
    old = new.with_name(f"{new.name}.old")
    if out.exists():
        out.rename(old)
    try:
        new.rename(out)
    except OSError:
        old.rename(out)
        raise
    if old.exists():
        for path in old.iterdir():
            if along(path.name):
                os.rename(path, out / path.name)  # noqa: PTH104  (a folder too)
        shutil.rmtree(old)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON with sorted keys, no NaN, and a newline at the end."""
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text."""
    with atomic(path) as file:
        file.write(text.encode())


def write_chunks(path: Path, chunks: Iterable[str]) -> None:
    """Write UTF-8 text piece by piece: it is never in memory as a whole."""
    with atomic(path) as file:
        for chunk in chunks:
            file.write(chunk.encode())


def write_arrays(path: Path, arrays: Mapping[str, AnyArray]) -> str:
    """Write an uncompressed npz and return its SHA-256. Equal arrays give equal bytes.

    Raises
    ------
    StoreError
        As `atomic`; or an array holds Python objects, which only pickle could store.
    """
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise StoreError(f"array '{name}' for {path} holds Python objects, not numbers or text")
    with atomic(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asanyarray(array), allow_pickle=False)
    return sha256_of(path)


def link_file(source: Path, target: Path) -> str:
    """Give `source` a second name, or copy it where links are not possible; return its SHA-256."""
    with explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            _link_or_copy(source, temporary)
            temporary.replace(target)
        finally:  # two names of one file: `replace` leaves both
            temporary.unlink(missing_ok=True)
    return sha256_of(target)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def read_arrays(path: Path, only: Collection[str] | None = None) -> dict[str, AnyArray]:
    """Read the arrays of an npz, or `only` those of these that it has.

    Raises
    ------
    StoreError
        It is missing or corrupt.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            names = archive.files if only is None else [n for n in archive.files if n in only]
            return {name: archive[name] for name in names}
    except Exception as error:
        raise StoreError(
            f"cannot read {path}: {error}", hint="run the suite again: the cell will be rebuilt"
        ) from error


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object. Raises StoreError where it is missing, corrupt or not an object."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(f"cannot read {path}: {error}") from error
    if not isinstance(value, dict):
        raise StoreError(f"{path} holds a {type(value).__name__}, not an object")
    return value


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
