"""Where units are worked on in another process: the plan, the data, and the bench of the day."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from adharness.engine.asked import distributions
from adharness.engine.costs import Workplace
from adharness.engine.events import Listener
from adharness.engine.extraction import Extraction, RunContext
from adharness.engine.group import FeatureGroup, open_beside
from adharness.engine.survey import Survey
from adharness.engine.surveys import survey_all
from adharness.engine.work.bench import Bench
from adharness.engine.work.request import RunRequest
from adharness.engine.work.units import BenchRequest, Extract, Fit, Identify, Judge, Unit
from adharness.plan import Cell, Plan
from adharness.store.folder import RunFolder
from adharness.store.provenance import Installed


def _deaf(event: object) -> None:
    """Hear nothing: who asked for the run was told when it opened the same data."""


@dataclass
class Site:
    """A run as a process sees that was told of it. Opening it runs no code of a contestant."""

    request: RunRequest
    plan: Plan
    installed: Installed = field(default_factory=Installed)
    bench: Bench | None = None

    @cached_property
    def surveys(self) -> dict[str, Survey]:
        """Every data set, listed, hashed and split as the run's own process did it."""
        return survey_all(self.plan, self.request.limit, self.request.cache, _deaf)

    @cached_property
    def families(self) -> tuple[tuple[tuple[Cell, ...], ...], ...]:
        """Cells of each group, by family, in the plan's order."""
        return self.plan.by_models()

    def versions(self) -> dict[str, str]:
        """Versions of every distribution that takes part."""
        return self.installed.versions(["adharness", *distributions(self.plan)])

    def open(self, wanted: BenchRequest) -> None:
        """Lay out the data that the next units are about; features come from the cache.

        Raises
        ------
        StoreError
            The cache does not hold them.
        """
        self.bench = None
        context = self._context(_deaf)
        groups: list[FeatureGroup] = []
        for cells, opened in zip(self.families[wanted.family], wanted.opened, strict=True):
            here = self.surveys[cells[0].dataset.name]
            extraction = Extraction(here, cells[0].method.extractor, context)
            extracted = extraction.stored(opened.identity, opened.failures)
            groups.append(open_beside(groups, here, cells, extracted, context))
        suite, folder = self.plan.suite, RunFolder(self.request.out)
        where = self.request.cache, Workplace(self.request.at_once)
        self.bench = Bench(suite, groups, folder, self.request.reuse, *where)

    def warm(self, unit: Unit) -> None:
        """Make what units like this one share."""
        if isinstance(unit, Fit | Judge) and self.bench:
            self.bench.warm(unit)
        elif isinstance(unit, Extract | Identify):
            _ = self.surveys

    def do(self, unit: Unit, listener: Listener) -> Any:
        """Work on a unit and tell as JSON what came of it.

        Raises
        ------
        StoreError
            Something cannot be written, or features are not there.
        """
        if isinstance(unit, Fit | Judge):
            assert self.bench is not None  # noqa: S101  opened before its units come
            return self.bench.told(unit, self.bench.do(unit, listener))
        extraction = self._extraction(unit, listener)
        if isinstance(unit, Identify):
            return extraction.identity
        _, failures = extraction.parts(unit.parts)
        return {name: failure.model_dump(mode="json") for name, failure in failures.items()}

    def _extraction(self, unit: Identify | Extract, listener: Listener) -> Extraction:
        cells = self.families[unit.family][unit.group]
        here = self.surveys[cells[0].dataset.name]
        return Extraction(here, cells[0].method.extractor, self._context(listener))

    def _context(self, listener: Listener) -> RunContext:
        suite = self.plan.suite
        return RunContext(self.request.cache, suite.on_error, self.installed, listener)
