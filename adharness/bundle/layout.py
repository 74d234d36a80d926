"""What a bundle may hold, how large it may be, and its manifest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from pydantic import Field

from adharness.store.records import Record

MANIFEST, RUN = "manifest.json", "run.json"
RESULT, SCORES, REPLICATES, MAPS = "result.json", "scores.npz", "replicates.npz", "maps.npz"
CELL_FILES = (RESULT, SCORES, REPLICATES, MAPS)

MIB = 2**20
BUNDLE_BYTES = 2048 * MIB
MEMBERS = 40_000
DIRECTORY_BYTES = 8 * MIB
"""Of the list of members at the end of the file."""
MEMBER_BYTES: Mapping[str, int] = MappingProxyType(
    {
        MANIFEST: 16 * MIB,
        RUN: 16 * MIB,
        RESULT: 8 * MIB,
        SCORES: 64 * MIB,
        REPLICATES: 256 * MIB,
        MAPS: 1024 * MIB,
    }
)
"""Largest size of a member by its last name."""
IMAGES = 100_000
"""Of one cell."""
DRAWN = 40_000_000
"""Images times resamples of one cell: what judging again may hold in memory, 8 bytes each."""
WORK = 5_000_000_000
"""Images times resamples over all cells: some ten minutes of judging again."""
CHARACTERS = 120
"""Of a name that a table shows: of a method, a class, a data set, a submitter."""

CELL_ID = re.compile(r"[0-9a-f]{16}")
_CELL_FILE = re.compile(rf"cells/(?P<cell>{CELL_ID.pattern})/(?P<file>[a-z.]+)")


class FileRecord(Record):
    """A member of the bundle."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


class Manifest(Record):
    """`manifest.json`: who made the bundle, from what, and the hash of every other member."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    kind: Literal["adharness bundle"] = "adharness bundle"
    adharness: str = Field(max_length=CHARACTERS)
    submitter: str = Field(default="", max_length=CHARACTERS)
    contact: str = Field(default="", max_length=1000)
    created: str = Field(max_length=CHARACTERS)
    """When the run finished: the same run gives the same bytes."""
    files: dict[str, FileRecord]


def cell_of(name: str) -> tuple[str, str] | None:
    """Give the cell and the file that a member's name stands for; None where it is of no cell."""
    match = _CELL_FILE.fullmatch(name)
    return (match["cell"], match["file"]) if match and match["file"] in CELL_FILES else None


def is_allowed(name: str) -> bool:
    """Whether a member of this name may be in a bundle."""
    return name in {MANIFEST, RUN} or cell_of(name) is not None


def largest(name: str) -> int:
    """Give the largest size of a member, in bytes."""
    return MEMBER_BYTES[name.rsplit("/", 1)[-1]]
