"""The cache of features as a whole: what is in it, whether it is sound, and making room.

A cache may be used by several runs at once: an entry is touched only while its lock is held, and
an entry that a run is writing is left alone.

Of what is pruned or damaged only the arrays go: the record stays, so that a run whose results are
all stored needs to extract nothing.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from adharness.engine.shard_entry import Shard, damage_of, open_shard
from adharness.store.files import explained, write_json

IN_USE_S = 3600.0
"""An entry that was read within the last hour may be mapped by a run that goes on: it is kept."""


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """Features of one class under one extractor.

    Parameters
    ----------
    folder
        Named by the digest of everything that can change a feature.
    size_bytes
        On disk.
    used
        Seconds since the epoch: when a run last read it.
    shard
        None where the entry is not whole.
    """

    folder: Path
    size_bytes: int
    used: float
    shard: Shard | None

    @property
    def name(self) -> str:
        """The digest."""
        return self.folder.name

    @property
    def pruned(self) -> bool:
        """Whether the record alone is left."""
        arrays = any(self.folder.glob("*.npy"))
        return self.shard is not None and self.shard.entry.pruned and not arrays


@dataclass(frozen=True, slots=True)
class FeatureCache:
    """All features in a cache folder; one that does not exist is empty."""

    folder: Path

    def entries(self) -> list[CacheEntry]:
        """Give the entries, the one used last first; half-written ones of killed runs too."""
        home = self.folder / "features"
        folders = [path for path in home.glob("*") if path.is_dir()] if home.is_dir() else []
        found = [_entry(folder) for folder in folders]
        return sorted(found, key=lambda entry: (-entry.used, entry.name))

    def verify(self) -> Iterator[tuple[CacheEntry, str | None]]:
        """Read every entry whole and say what is wrong with it; None where nothing is.

        Damaged arrays are removed: the next run that needs them extracts them again. What a run is
        writing right now is passed over, and so is what was pruned.

        Raises
        ------
        StoreError
            Something damaged cannot be removed.
        """
        for entry in self.entries():
            with _held(entry.folder) as held:
                if not held or entry.pruned:
                    continue
                wrong = "not whole" if entry.shard is None else damage_of(entry.shard)
                if wrong:
                    _remove(entry)
                yield entry, wrong

    def prune(self, keep_bytes: int, *, dry_run: bool = False) -> list[CacheEntry]:
        """Remove the arrays not used for longest until at most `keep_bytes` of arrays are left.

        Parameters
        ----------
        dry_run
            Say what would go, and remove nothing.

        Returns
        -------
        list
            What went. Entries that a run uses now, or used within the hour, are never among them,
            so more than `keep_bytes` may be left.

        Raises
        ------
        StoreError
            An entry cannot be removed.
        """
        entries = [entry for entry in self.entries() if not entry.pruned]
        left, gone = sum(entry.size_bytes for entry in entries), []
        for entry in reversed(entries):
            if left <= keep_bytes and entry.shard is not None:
                continue
            with _held(entry.folder) as held:
                if not held or (entry.shard and time.time() - entry.used < IN_USE_S):
                    continue
                if not dry_run:
                    _remove(entry)
            left -= entry.size_bytes
            gone.append(entry)
        return gone


def _entry(folder: Path) -> CacheEntry:
    files = [path.stat() for path in folder.glob("*") if path.is_file()]
    used = max((file.st_mtime for file in files), default=folder.stat().st_mtime)
    shard = None if folder.name.startswith(".") else open_shard(folder)
    return CacheEntry(folder, sum(file.st_size for file in files), used, shard)


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Hold the lock of an entry while the block runs; False where a run holds it."""
    whole = folder.name.removeprefix(".").removesuffix(".part")
    lock = FileLock(f"{folder.with_name(whole)}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _remove(entry: CacheEntry) -> None:
    """Remove the arrays of an entry, and all of one that is not whole.

    The record is marked first, so that half-removed arrays count as not there. The empty lock file
    stays: removing it while another run waits for it would let two in.
    """
    folder = entry.folder
    with explained(folder):
        if entry.shard is None:
            (folder / "entry.json").unlink(missing_ok=True)
            shutil.rmtree(folder)
            return
        marked = entry.shard.entry.model_copy(update={"pruned": True})
        write_json(folder / "entry.json", marked.model_dump(mode="json"))
        os.utime(folder / "entry.json", (entry.used, entry.used))
        for file in folder.glob("*.npy"):
            file.unlink()
