"""Judging stored scores again: nothing is extracted, fitted or scored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from adharness.engine.events import Listener, StepDone
from adharness.engine.extraction import Extracted, Extraction, stored_shard
from adharness.engine.kept import kept_id, read_kept
from adharness.engine.looked_up import named
from adharness.engine.options import RunOptions
from adharness.engine.parts import Part, parts_of
from adharness.engine.refill import reads_vectors
from adharness.engine.run import run_plan
from adharness.engine.score import ScoringOutcome, ScoringTask
from adharness.engine.shard_entry import Shard, ShardEntry, damage_of
from adharness.engine.tasks import find_outcomes
from adharness.engine.work.bench import Bench, Done
from adharness.engine.work.inline import Place
from adharness.engine.work.units import BenchRequest, Fit, Judge, Limited
from adharness.errors import StoreError
from adharness.plan import Cell, Plan
from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord, Failure
from adharness.store.run_record import RunRecord

AGAIN = "adharness run SUITE makes what is missing, and reuses the rest"


def rescore(
    plan: Plan, options: RunOptions, listener: Listener
) -> tuple[RunRecord, list[CellRecord]]:
    """Judge the stored scores of a run under a plan, and store what comes of it.

    Returns
    -------
    As `run_plan`, whose records these are to the last bit, times aside.

    Raises
    ------
    StoreError
        A scoring is missing, or features that nothing but the cache has, and it has not: the
        record of the run is then as it was.
    DataError
        A data set is missing.
    """
    folder = RunFolder(options.out)
    before = folder.run()
    try:
        return run_plan(plan, options, listener, Stored(folder))
    except BaseException:
        with suppress(StoreError):  # on a full disk the first error is the one to tell
            folder.put_run(before)
        raise


@dataclass(frozen=True)
class Stored:
    """An executor that only judges: all else must be in the run's folder."""

    folder: RunFolder

    def extract(self, place: Place, extraction: Extraction) -> Extracted:  # noqa: ARG002
        """Open a group from what the run kept; raises StoreError where it kept nothing."""
        here, bound, context = extraction.survey, extraction.bound, extraction.context
        kept = read_kept(self.folder, kept_id(here, bound, context.on_error))
        if kept is None:
            raise StoreError(
                f"{self.folder.path} keeps nothing of '{here.name}' as '{bound.name}' sees it: "
                "images or extractor are others, or an earlier version ran it",
                hint=AGAIN,
            )
        entries = {(p.class_name, p.shifted): p.entry for p in kept.record.parts}
        shards = {
            part.key: _shard(part, entries[part.key], kept.record.identity, extraction)
            for part in parts_of(here)
            if part.key in entries
        }
        for part in parts_of(here):
            context.listener(StepDone("extract", len(part.positions), reused=True))
        return Extracted(shards, kept.record.failures, kept.record.identity, None)

    def refill(
        self,
        place: Place,  # noqa: ARG002
        extraction: Extraction,  # noqa: ARG002
        found: Extracted,
    ) -> Extracted:
        """Leave it: whoever reads what is not there is told so."""
        return found

    def work(
        self,
        bench: Bench,
        request: BenchRequest,  # noqa: ARG002
        units: Sequence[Limited],
        listener: Listener,
    ) -> Iterator[tuple[Limited, Done]]:
        """Judge; of models that were not stored, give the failure that the run stored."""
        fits = [unit for unit in units if isinstance(unit, Fit)]
        yield from zip(fits, self._failed(bench, fits), strict=True)
        for unit in units:
            if isinstance(unit, Judge):
                self._check_vectors(bench, unit)
                yield unit, bench.do(unit, listener)

    def _failed(self, bench: Bench, fits: Sequence[Fit]) -> list[Done]:
        done: list[Done] = []
        missing: dict[str, None] = {}  # by name, each once
        for unit in fits:
            its = find_outcomes(bench.tasks(unit), bench.groups, self.folder, bench.reuse)
            told = [{t: self._known(t, o) for t, o in one.items()} for one in its]
            missing |= dict.fromkeys(t.label for one in told for t, o in one.items() if o.awaited)
            done.append(told)
        if missing:
            raise StoreError(
                f"the scores of {len(missing)} model(s) are not in {self.folder.path} as suite, "
                f"data and installed versions ask for them: {named(list(missing))}",
                hint=f"{AGAIN}; --keep-stale takes those of other versions",
            )
        return done

    def _known(self, task: ScoringTask, outcome: ScoringOutcome) -> ScoringOutcome:
        """Put the failure in the place of a model that failed in the run."""
        failure = self._failures.get((outcome.id, task.trained_on)) if outcome.awaited else None
        return replace(outcome, failure=failure, awaited=None) if failure else outcome

    @cached_property
    def _failures(self) -> Mapping[tuple[str, str | None], Failure]:
        """Failures of the run's models, by scoring and class."""
        found: dict[tuple[str, str | None], Failure] = {}
        for cell in map(self.folder.cell_record, self.folder.run().cells):
            for row in cell.rows if cell else ():
                if cell and row.failure and row.failure.stage == "fit and score":
                    for scoring in cell.scorings:
                        found.setdefault((scoring, row.class_name), row.failure)
                        found.setdefault((scoring, None), row.failure)
        return found

    def _check_vectors(self, bench: Bench, unit: Judge) -> None:
        group = bench.groups[unit.group]
        if group.knows_vectors or not any(reads_vectors(group.cells[i]) for i in unit.cells):
            return
        for shard in group.shards.values():
            shard.make_sure()


def _shard(
    part: Part, entry: dict[str, Any], identity: dict[str, Any], extraction: Extraction
) -> Shard:
    """Open the shard of a part: as the cache has it, else pruned, as the run remembers it."""
    context = extraction.context
    found = stored_shard(context.cache, identity, part, context.on_error)
    if found is None:
        return Shard(context.cache / "features", ShardEntry.model_validate(entry))
    return Shard(found.folder, found.entry, lambda _: _verified(found))


def _verified(shard: Shard) -> ShardEntry:
    damage = damage_of(shard)
    if damage:
        raise StoreError(
            f"features in the cache are damaged: {damage}", hint=AGAIN, where=str(shard.folder)
        )
    return shard.entry


def rescored_plan(plan: Plan, before: Plan, cells: Sequence[CellRecord]) -> Plan:
    """Leave out of a plan what the run left out of its own, such as by `--only`.

    Parameters
    ----------
    before
        What the run's own suite plans.
    cells
        What it ran of that.
    """
    ran = {(c.dataset, c.protocol, c.method, c.seed) for c in cells}
    left_out = {_model(cell) for cell in before.cells} - ran
    return Plan(plan.suite, tuple(c for c in plan.cells if _model(c) not in left_out))


def _model(cell: Cell) -> tuple[str, str, str, int]:
    return cell.dataset.name, cell.protocol, cell.method.name, cell.seed
