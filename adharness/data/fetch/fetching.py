"""Get a data set whose owners let anybody have it: download, verify, unpack."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from adharness.contracts import DatasetSpec, Download
from adharness.data.fetch.members import Limits
from adharness.data.fetch.transfer import Patience, forget, transfer
from adharness.data.fetch.unpack import unpack
from adharness.data.images import hash_file
from adharness.errors import DataError


def fetch_set(
    spec: DatasetSpec,
    out: Path,
    *,
    accepted: bool,
    patience: Patience | None = None,
    limits: Limits | None = None,
) -> Path:
    """Download a data set's archive, verify its checksum and unpack it.

    Parameters
    ----------
    spec
        The set; its `download` says from where, and what the archive must be.
    out
        The folder of data sets; the set becomes a folder in it that `--data-root` finds.
    accepted
        Whether the user accepts the licence.
    patience, limits
        Of the download and of the archive; None for the defaults.

    Returns
    -------
    Path
        The set's root.

    Raises
    ------
    DataError
        Where the set is not one that a program may fetch (the hint says what to do by hand), its
        licence is not accepted, it is already there, the download fails, the archive is not the one
        that is known, or it is refused. An archive that has come stays until it is unpacked; one
        with a wrong checksum is removed.
    """
    record = spec.download
    if record is None:
        raise by_hand(spec, out)
    target = folder_of(spec, out)
    if target.exists():
        raise DataError(f"{target} is already there", hint=f"adharness data doctor {target}")
    if not accepted:
        raise _not_accepted(spec, record, out)
    out.mkdir(parents=True, exist_ok=True)
    part = out / f".{target.name}.part"
    with _alone(part):
        _download(record, part, patience or Patience())
        unpack(part, target, limits=limits)
        forget(part)
    return target


def folder_of(spec: DatasetSpec, out: Path) -> Path:
    """Where a set goes; `--data-root` finds it there by its name."""
    return out / spec.name.replace("-", "_")


def by_hand(spec: DatasetSpec, out: Path) -> DataError:
    """Say what a person can do where a program may not."""
    target = folder_of(spec, out)
    page = f"open {spec.url}, accept what its owners ask for, and " if spec.url else ""
    return DataError(
        f"{spec.name!r} cannot be fetched by a program: its owners want to be asked, or the "
        "checksum of its archive is not known here",
        hint=f"{page}unpack it as {target}; then:  adharness data doctor {target} "
        f"--use {spec.name}",
    )


def _not_accepted(spec: DatasetSpec, record: Download, out: Path) -> DataError:
    size = f"{record.size_bytes / 1e9:.1f} GB, " if record.size_bytes else ""
    command = f"adharness data fetch {spec.name} --out {shlex.quote(str(out))} --accept-licence"
    return DataError(
        f"{spec.name!r} is under the licence {record.licence}: {record.terms}",
        hint=f"if you accept it ({size}from {record.url}):  {command}",
    )


def _download(record: Download, part: Path, patience: Patience) -> None:
    resumed = transfer(record.url, part, size_bytes=record.size_bytes, patience=patience)
    found = hash_file(part)
    if found != record.sha256 and resumed:
        # The earlier half may be of another file, whatever the server says of it.
        forget(part)
        transfer(record.url, part, size_bytes=record.size_bytes, patience=patience)
        found = hash_file(part)
    if found != record.sha256:
        forget(part)
        raise DataError(
            f"what {record.url} sends has the SHA-256 {found}, but the archive that is known has "
            f"{record.sha256}; it was removed, and nothing was unpacked",
            hint="the owners may have changed it: look at the page of the data set",
        )


@contextmanager
def _alone(part: Path) -> Iterator[None]:
    lock = part.with_name(part.name + ".lock")
    try:
        with FileLock(lock, timeout=0):
            try:
                yield
            finally:
                lock.unlink(missing_ok=True)
    except Timeout as error:
        raise DataError(
            f"another program is fetching {part}", hint="wait for it", where=str(part.parent)
        ) from error
