"""The loop: survey, extract, fit and score, judge. An exception becomes a record, never the end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adharness.engine.asked import asked, distributions
from adharness.engine.division import split_path
from adharness.engine.events import Event, Listener, Loaded
from adharness.engine.extraction import RunContext
from adharness.engine.fits import refuse_what_does_not_fit
from adharness.engine.gallery import write_gallery
from adharness.engine.options import RunOptions
from adharness.engine.recorded import put_begun, weights_used
from adharness.engine.stages import Stages
from adharness.engine.survey import Survey
from adharness.engine.surveys import survey_all
from adharness.engine.views import write_views
from adharness.engine.work.bench import Bench
from adharness.engine.work.inline import Executor, Inline
from adharness.errors import StoreError
from adharness.plan import Cell, Plan
from adharness.store.folder import RunFolder
from adharness.store.provenance import Installed, environment, git_state, provenance
from adharness.store.records import CellRecord
from adharness.store.run_record import GalleryImage, RunRecord, SkippedImage
from adharness.suite.split import SplitSettings


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass
class _Progress:
    """What a run has made so far."""

    begun: float = field(default_factory=time.perf_counter)
    started: str = field(default_factory=_now)
    git: dict[str, Any] = field(default_factory=lambda: git_state(Path.cwd()))
    installed: Installed = field(default_factory=Installed)
    libraries: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=environment)
    stages_s: dict[str, float] = field(default_factory=dict)
    cells: list[CellRecord] = field(default_factory=list)
    skipped: list[SkippedImage] = field(default_factory=list)
    gallery: list[GalleryImage] = field(default_factory=list)
    views: list[str] = field(default_factory=list)

    def heard(self, listener: Listener) -> Listener:
        """Keep what working processes say of their libraries; pass on all else."""

        def told(event: Event) -> None:
            if isinstance(event, Loaded):
                self.libraries |= event.libraries
            else:
                listener(event)

        return told

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the block's wall time to a stage."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - begun
            self.stages_s[stage] = self.stages_s.get(stage, 0.0) + spent


def run_plan(
    plan: Plan, options: RunOptions, listener: Listener, executor: Executor | None = None
) -> tuple[RunRecord, list[CellRecord]]:
    """Run every cell of a plan and store what comes of it.

    Parameters
    ----------
    executor
        Who works on it; this process, if not given.

    Returns
    -------
    The record of the run, also stored as `run.json`, and the records of its cells in plan order.

    Raises
    ------
    DataError
        A data set is missing or cannot be split: found before anything is computed.
    StoreError
        Results or features cannot be written: where the disk is too small for the features, before
        anything is extracted. What was stored before is intact.
    """
    executor = executor or Inline()
    folder = RunFolder(options.out)
    folder.check_writable()
    progress = _Progress()
    listener = progress.heard(listener)
    with progress.timed("survey"):
        surveys = survey_all(plan, options.limit, options.cache, listener)
        if isinstance(executor, Inline):  # elsewhere it is others who load extractors, and may die
            refuse_what_does_not_fit(plan, surveys, options.cache, options.out)
    _put_splits(plan.suite.split, surveys, folder)
    put_begun(folder, _record(plan, options, surveys, progress, finished=False))
    context = RunContext(options.cache, plan.suite.on_error, progress.installed, listener)
    try:
        for number, family in enumerate(plan.by_models()):
            stages = Stages(plan.suite, number, family, context, executor)
            _run_family(stages, surveys, options, progress)
        _sort(plan, progress.cells)
        for one in surveys.values():
            if one.clean is None:  # the page shows a shift's numbers, not its pictures
                its = [cell for cell in progress.cells if cell.dataset == one.name]
                progress.gallery += write_gallery(one, folder, its)
    except BaseException:
        with suppress(StoreError):  # on a full disk the first error is the one to tell
            folder.put_run(_record(plan, options, surveys, progress, finished=False))
        raise
    record = _record(plan, options, surveys, progress, finished=True)
    folder.put_run(record)
    return record, progress.cells


def _record(
    plan: Plan,
    options: RunOptions,
    surveys: Mapping[str, Survey],
    progress: _Progress,
    *,
    finished: bool,
) -> RunRecord:
    _sort(plan, progress.cells)
    return RunRecord(
        **asked(plan, options.command),
        started=progress.started,
        finished=_now() if finished else None,
        seconds=time.perf_counter() - progress.begun,
        stages_s=progress.stages_s,
        datasets=[s.record() for s in surveys.values()],
        cells=[c.id for c in progress.cells],
        limit=options.limit,
        given=options.given,
        environment=progress.environment,
        skipped=progress.skipped,
        gallery=progress.gallery,
        views=progress.views,
        provenance=provenance(
            progress.installed.versions(["adharness", *distributions(plan)]),
            progress.git,
            progress.libraries,
        ),
        weights=weights_used(RunFolder(options.out), progress.cells),
    )


def _sort(plan: Plan, cells: list[CellRecord]) -> None:
    order = {key: i for i, key in enumerate(map(_key, plan.cells))}
    cells.sort(key=lambda record: order[_record_key(record)])


def _put_splits(rule: SplitSettings, surveys: Mapping[str, Survey], folder: RunFolder) -> None:
    for one in surveys.values():
        name = one.bound.clean.name  # a shift leaves the split as it is
        source = None if rule.path is None else split_path(rule.path, name)
        # A split that is read from here stays as it is: with a limit, less would be written back.
        if source is None or source.resolve() != folder.split(name).resolve():
            folder.put_split(name, one.split_document(rule.told()))


def _run_family(
    stages: Stages, surveys: dict[str, Survey], options: RunOptions, progress: _Progress
) -> None:
    """Run the cells of a data set and of its shifts, which share their models."""
    suite = stages.suite
    with progress.timed("extract"):
        groups, request = stages.extract(surveys, RunFolder(options.out), options.reuse)
    for group in groups:
        surveys[group.survey.name] = group.survey
        progress.skipped += [s for s in group.skipped if s not in progress.skipped]
    bench = Bench(suite, groups, RunFolder(options.out), options.reuse, options.cache)
    with progress.timed("fit and score"):
        outcomes = stages.fit(bench, request)
    with progress.timed("judge"):
        progress.cells += stages.judge(bench, request, outcomes)
    if suite.views.projections:
        with progress.timed("views"):
            told = stages.context.listener
            progress.views += write_views(groups[0], suite.views, bench.folder, told)


def _key(cell: Cell) -> tuple[object, ...]:
    return (
        cell.dataset.name,
        cell.protocol,
        cell.method.name,
        cell.normalizer.name,
        cell.thresholder.name,
        cell.seed,
    )


def _record_key(record: CellRecord) -> tuple[object, ...]:
    return (
        record.dataset,
        record.protocol,
        record.method,
        record.normalizer,
        record.thresholder,
        record.seed,
    )
