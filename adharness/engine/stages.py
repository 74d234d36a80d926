"""The stages of a data set and its shifts under one extractor: extract, fit and score, judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adharness.engine.events import StageStarted, StepDone
from adharness.engine.extraction import Extracted, Extraction, RunContext
from adharness.engine.group import FeatureGroup, open_beside
from adharness.engine.kept import keep, recalled
from adharness.engine.parts import count_of
from adharness.engine.refill import reads_features
from adharness.engine.score import Reuse
from adharness.engine.survey import Survey
from adharness.engine.verdicts import Outcomes
from adharness.engine.views import misses_views
from adharness.engine.work.bench import Bench, Done
from adharness.engine.work.inline import Executor, Place
from adharness.engine.work.units import BenchRequest, Judge, Limited, Opened
from adharness.plan import Cell
from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord
from adharness.suite.bound import BoundSuite


@dataclass(frozen=True, eq=False)
class Stages:
    """One family of groups: those of a data set and of its shifts, which share their models.

    Parameters
    ----------
    number
        Of the family in the plan.
    family
        The cells of each group.
    """

    suite: BoundSuite
    number: int
    family: Sequence[tuple[Cell, ...]]
    context: RunContext
    executor: Executor

    def extract(
        self, surveys: Mapping[str, Survey], folder: RunFolder, reuse: Reuse
    ) -> tuple[list[FeatureGroup], BenchRequest]:
        """Make sure of all features that will be read, and read the masks."""
        groups: list[FeatureGroup] = []
        opened: list[Opened] = []
        for place, cells in enumerate(self.family):
            here = surveys[cells[0].dataset.name]
            self.context.listener(StageStarted("extract", count_of(here), "images"))
            extraction = Extraction(here, cells[0].method.extractor, self.context)
            found = self.executor.extract(Place(self.number, place), extraction)
            group = open_beside(groups, here, cells, found, self.context)
            group = recalled(group, folder, self.suite.on_error)
            pictured = not groups and misses_views(group, self.suite.views, folder)
            if pictured or reads_features(group, folder, reuse):
                found = self._refilled(Place(self.number, place), extraction, found)
                group = group.with_features(found)
            groups.append(keep(group, folder, self.suite.on_error))
            opened.append(Opened(identity=found.identity, failures=dict(found.failures)))
        return groups, BenchRequest(family=self.number, opened=tuple(opened))

    def _refilled(self, place: Place, extraction: Extraction, found: Extracted) -> Extracted:
        """Have the arrays verified, and extracted again where they were pruned."""
        gone = sum(shard.entry.count for shard in found.shards.values() if shard.entry.pruned)
        if gone:
            self.context.listener(StageStarted("extract", gone, "images"))
        return self.executor.refill(place, extraction, found)

    def fit(self, bench: Bench, request: BenchRequest) -> list[Outcomes]:
        """Fit every model and score with it: the outcomes of each group."""
        units = bench.fits()
        asked = sum(bench.groups_asking(unit) for unit in units)
        self.context.listener(StageStarted("fit and score", asked, "models"))
        outcomes: list[Outcomes] = [{} for _ in bench.groups]
        for done in self._done(bench, request, units):
            for its, more in zip(outcomes, done, strict=True):
                assert isinstance(more, dict)  # noqa: S101  a model gives outcomes
                its.update(more)
        return outcomes

    def judge(
        self, bench: Bench, request: BenchRequest, outcomes: Sequence[Outcomes]
    ) -> list[CellRecord]:
        """Judge every cell; the order is not the plan's."""
        records: list[CellRecord] = []
        for number, (group, its) in enumerate(zip(bench.groups, outcomes, strict=True)):
            self.context.listener(StageStarted("judge", len(group.cells), "cells"))
            for done in self._done(bench, request, list(bench.judgings(number, its))):
                records += [one for one in done if isinstance(one, CellRecord)]
        return records

    def _done(self, bench: Bench, request: BenchRequest, units: Sequence[Limited]) -> list[Done]:
        """Find what is stored, and have the rest worked on."""
        found = [(unit, bench.stored(unit)) for unit in units]
        left = [unit for unit, done in found if done is None]
        done = [one for _, one in found if one is not None]
        for unit in (unit for unit, one in found if one is not None):
            self._tell_reused(bench, unit)
        worked = self.executor.work(bench, request, left, self.context.listener) if left else ()
        return done + [one for _, one in worked]

    def _tell_reused(self, bench: Bench, unit: Limited) -> None:
        if isinstance(unit, Judge):
            self.context.listener(StepDone("judge", unit.size, reused=True))
        else:
            self.context.listener(StepDone("fit and score", bench.groups_asking(unit), reused=True))
