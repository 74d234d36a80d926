"""How a run is done, beside what its plan says."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from adharness.engine.score import Reuse
from adharness.store.run_record import GivenRecord


@dataclass(frozen=True)
class RunOptions:
    """Where a run writes and reads, and what it may reuse."""

    out: Path
    cache: Path
    command: str
    limit: int | None = None
    reuse: Reuse = field(default_factory=Reuse)
    given: GivenRecord = field(default_factory=GivenRecord)
