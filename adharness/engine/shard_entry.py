"""A shard: one class's features on disk, its arrays mapped only while being read.

A shard's folder holds `patches.npy` (n, h, w, D), `embeddings.npy` (n, E), and `entry.json`,
written last. Where the arrays were pruned the entry stays and says so: all that a finished run
needs to know of its features is there, and the arrays are extracted again if somebody reads them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict

from adharness.arrays import AnyArray
from adharness.contracts import Margins
from adharness.errors import StoreError
from adharness.store.files import read_json, sha256_of

Tick: TypeAlias = Callable[[int, bool], None]
"""Told of images that are done, and whether they were before."""


class ShardEntry(BaseModel):
    """`entry.json` of a shard."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int
    grid: tuple[int, int]
    dim: int
    embedding_dim: int | None
    sizes: list[tuple[int, int]]
    """Native (height, width) of each image."""
    input_size: tuple[int, int]
    """(height, width) in pixels that the patches cover: of all tiles together."""
    margins: Margins = (0, 0, 0, 0)
    """What a crop cut off the resized images; none in entries of before crops."""
    pad: bool = False
    """Whether images kept their shape and were padded; none did in entries of before."""
    skipped: dict[int, str]
    """Position -> why the image could not be read; its features are zeros and never used."""
    extract_ms: float
    """Mean milliseconds an image: decode, resize and network together, which overlap."""
    decode_ms: float | None = None
    """Milliseconds an image to decode and resize it: median over batches without the first one."""
    network_ms: float | None = None
    """The same of the extractor. None in entries of before, and where features were looked up."""
    bytes: dict[str, int]
    """Size of each array file: a truncated one is found before it is used."""
    sha256: dict[str, str] = {}
    """Of each array file, taken while it was written; none in entries of before there were any."""
    identity: dict[str, Any]
    pruned: bool = False
    """The arrays were removed to make room; all else is as it was."""

    def serves(self, on_error: str) -> bool:
        """Whether it may be used: one with images left out only where that is wanted (`skip`)."""
        return on_error == "skip" or not self.skipped

    def without_arrays(self) -> dict[str, Any]:
        """Give the entry as JSON, its arrays pruned."""
        return self.model_copy(update={"pruned": True}).model_dump(mode="json")


@dataclass
class Shard:
    """One class's features; its arrays are verified before the first of them is read.

    Parameters
    ----------
    secure
        Verifies the arrays, extracts them where they are damaged or gone, and gives the entry that
        is true then. None where they need no look, or cannot be extracted from here.
    """

    folder: Path
    entry: ShardEntry
    secure: Callable[[Tick | None], ShardEntry] | None = field(
        default=None, compare=False, repr=False
    )

    @property
    def is_ready(self) -> bool:
        """Whether the arrays are there, and known to be sound."""
        return self.secure is None and not self.entry.pruned

    def make_sure(self, tick: Tick | None = None) -> None:
        """Have the arrays on disk and sound; `tick` is told of images that are extracted for it.

        Raises
        ------
        StoreError
            They were pruned, and cannot be extracted from here.
        AdharnessError
            As `ensure_shard`.
        """
        if self.secure is not None:
            self.entry, self.secure = self.secure(tick), None
        if self.entry.pruned:
            use = self.entry.identity.get("use", "an extractor")
            raise StoreError(
                f"features of {self.entry.count} images by '{use}' were pruned from the cache",
                hint="adharness run SUITE extracts them again",
                where=str(self.folder),
            )

    def patches(self) -> AnyArray:
        """Map the patches, (n, h, w, D), of the type that they are stored as, read-only."""
        return self._map("patches.npy")

    def embeddings(self) -> AnyArray:
        """Map the embeddings, (n, E), of the type that they are stored as, read-only."""
        return self._map("embeddings.npy")

    def _map(self, name: str) -> AnyArray:
        self.make_sure()
        mapped: AnyArray = np.load(self.folder / name, mmap_mode="r", allow_pickle=False)
        return mapped


def open_shard(folder: Path) -> Shard | None:
    """Open a stored shard; None where there is none, or where it is not whole.

    One that was pruned is whole: it is known what was there.
    """
    try:
        entry = ShardEntry.model_validate(read_json(folder / "entry.json"))
        whole = entry.pruned or all(
            (folder / n).stat().st_size == size for n, size in entry.bytes.items()
        )
    except (StoreError, OSError, ValueError):
        return None
    return Shard(folder, entry) if whole else None


def damage_of(shard: Shard) -> str | None:
    """Read a shard whole and name the file whose bytes are not those that were written; or None.

    Of one that was pruned there is nothing to read.
    """
    if shard.entry.pruned:
        return None
    for name, expected in shard.entry.sha256.items():
        try:
            found = sha256_of(shard.folder / name)
        except OSError as error:
            return f"{name} cannot be read: {error.strerror or error}"
        if found != expected:
            return f"{name} is not what was written"
    return None
