"""Features of turned images: extracted when a bank asks for them, then kept like all others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from adharness.arrays import Int64
from adharness.engine.extraction_job import ExtractionJob
from adharness.engine.shard_entry import Shard
from adharness.engine.shards import ensure_shard
from adharness.progress import tell


@dataclass(frozen=True)
class Turner:
    """Extracts images of a survey, turned.

    Parameters
    ----------
    whole
        Gives the extraction of all images of the survey, in its order.
    """

    whole: Callable[[], ExtractionJob]
    cache: Path

    def __call__(self, positions: Int64, degrees: float) -> Shard:
        """Give the features of the images at these positions; raises as `ensure_shard`."""
        job = replace(self.whole().narrowed(positions), degrees=degrees)
        done = 0

        def tick(count: int, reused: bool) -> None:  # noqa: ARG001
            nonlocal done
            done += count
            tell(done, len(positions), f"images turned by {degrees:g} degrees")

        return ensure_shard(self.cache, job, tick)
