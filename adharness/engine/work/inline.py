"""Units worked on one after the other, in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from adharness.engine.events import Listener
from adharness.engine.extraction import Extracted, Extraction
from adharness.engine.work.bench import Bench, Done
from adharness.engine.work.units import BenchRequest, Limited


@dataclass(frozen=True)
class Place:
    """Where in the plan a group is: the family of groups that share models, and its place there."""

    family: int
    group: int


class Executor(Protocol):
    """Who works on the units of a run."""

    def extract(self, place: Place, extraction: Extraction) -> Extracted:
        """Make sure of the features of a group; entries whose arrays were pruned will do.

        Failures are by class. Raises StoreError.
        """

    def refill(self, place: Place, extraction: Extraction, found: Extracted) -> Extracted:
        """Make sure of the arrays too, of what `extract` gave. Raises StoreError."""

    def work(
        self, bench: Bench, request: BenchRequest, units: Sequence[Limited], listener: Listener
    ) -> Iterator[tuple[Limited, Done]]:
        """Work on units; give each as it ends, in any order, some cut into several.

        Raises
        ------
        StoreError
            Results cannot be written: the run ends.
        """


class Inline:
    """Works in this process: nothing is started, and a crash is the end of the run."""

    def extract(self, place: Place, extraction: Extraction) -> Extracted:  # noqa: ARG002
        """Extract here."""
        return extraction.extracted(arrays=False)

    def refill(
        self,
        place: Place,  # noqa: ARG002
        extraction: Extraction,
        found: Extracted,
    ) -> Extracted:
        """Verify and extract here."""
        return extraction.secured(found)

    def work(
        self,
        bench: Bench,
        request: BenchRequest,  # noqa: ARG002
        units: Sequence[Limited],
        listener: Listener,
    ) -> Iterator[tuple[Limited, Done]]:
        """Work here, in order."""
        for unit in units:
            yield unit, bench.do(unit, listener)
