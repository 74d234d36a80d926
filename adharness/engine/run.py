"""The loop: survey, extract, fit and score, judge. An exception becomes a record, never the end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from adharness.engine.asked import asked, distributions
from adharness.engine.cells import CellWorker
from adharness.engine.division import split_path
from adharness.engine.events import Listener, StageStarted, StepDone, StepStarted, relayed
from adharness.engine.gallery import write_gallery
from adharness.engine.group import FeatureGroup, RunContext, open_group
from adharness.engine.judge import Referee
from adharness.engine.parts import count_of
from adharness.engine.refill import refilled
from adharness.engine.score import Reuse
from adharness.engine.survey import Survey, survey
from adharness.engine.tasks import run_models
from adharness.engine.verdicts import Outcomes, judge_group
from adharness.engine.views import write_views
from adharness.errors import StoreError
from adharness.plan import Cell, Plan
from adharness.store.files import explained
from adharness.store.folder import RunFolder
from adharness.store.provenance import Installed, provenance
from adharness.store.records import CellRecord
from adharness.store.run_record import GalleryImage, RunRecord, SkippedImage
from adharness.suite.split import SplitSettings


@dataclass(frozen=True)
class RunOptions:
    """Where a run writes and reads, and what it may reuse."""

    out: Path
    cache: Path
    command: str
    limit: int | None = None
    reuse: Reuse = field(default_factory=Reuse)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass
class _Progress:
    """What a run has made so far."""

    begun: float = field(default_factory=time.perf_counter)
    started: str = field(default_factory=_now)
    installed: Installed = field(default_factory=Installed)
    stages_s: dict[str, float] = field(default_factory=dict)
    cells: list[CellRecord] = field(default_factory=list)
    skipped: list[SkippedImage] = field(default_factory=list)
    gallery: list[GalleryImage] = field(default_factory=list)
    views: list[str] = field(default_factory=list)

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
    plan: Plan, options: RunOptions, listener: Listener
) -> tuple[RunRecord, list[CellRecord]]:
    """Run every cell of a plan and store what comes of it.

    Returns
    -------
    The record of the run, also stored as `run.json`, and the records of its cells in plan order.

    Raises
    ------
    DataError
        A data set is missing or cannot be split: found before anything is computed.
    StoreError
        Results or features cannot be written. What was stored before is intact.
    """
    folder = RunFolder(options.out)
    folder.check_writable()
    progress = _Progress()
    surveys = _survey_all(plan, options, listener, progress)
    _put_splits(plan.suite.split, surveys, folder)
    try:
        for family in plan.by_models():
            _run_family(plan, surveys, family, options, listener, progress)
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
        skipped=progress.skipped,
        gallery=progress.gallery,
        views=progress.views,
        provenance=provenance(progress.installed.versions(["adharness", *distributions(plan)])),
    )


def _sort(plan: Plan, cells: list[CellRecord]) -> None:
    order = {key: i for i, key in enumerate(map(_key, plan.cells))}
    cells.sort(key=lambda record: order[_record_key(record)])


def _survey_all(
    plan: Plan, options: RunOptions, listener: Listener, progress: _Progress
) -> dict[str, Survey]:
    data = list({cell.dataset.name: cell.dataset for cell in plan.cells}.values())
    listener(StageStarted("survey", len(data), "data sets"))
    surveys: dict[str, Survey] = {}
    clean: dict[str, Survey] = {}
    with progress.timed("survey"):
        for bound in data:
            listener(StepStarted("survey", bound.name))
            name = bound.clean.name
            if name not in clean:
                clean[name] = survey(
                    plan.suite, bound.clean, limit=options.limit, cache=options.cache
                )
            here = clean[name]
            surveys[bound.name] = here.shifted(bound, bound.shift) if bound.shift else here
            listener(StepDone("survey"))
    return surveys


def _put_splits(rule: SplitSettings, surveys: Mapping[str, Survey], folder: RunFolder) -> None:
    for one in surveys.values():
        name = one.bound.clean.name  # a shift leaves the split as it is
        source = None if rule.path is None else split_path(rule.path, name)
        # A split that is read from here stays as it is: with a limit, less would be written back.
        if source is None or source.resolve() != folder.split(name).resolve():
            folder.put_split(name, one.split_document(rule.told()))


def _run_family(
    plan: Plan,
    surveys: dict[str, Survey],
    family: Sequence[tuple[Cell, ...]],
    options: RunOptions,
    listener: Listener,
    progress: _Progress,
) -> None:
    """Run the cells of a data set and of its shifts, which share their models."""
    groups: list[FeatureGroup] = []
    context = RunContext(options.cache, plan.suite.on_error, progress.installed, listener)
    with progress.timed("extract"):
        for cells in family:
            here = surveys[cells[0].dataset.name]
            listener(StageStarted("extract", count_of(here), "images"))
            clean = groups[0] if groups and not groups[0].survey.clean else None
            groups.append(open_group(here, cells, context, clean))
        groups = refilled(groups, RunFolder(options.out), options.reuse, context)
    for group in groups:
        surveys[group.survey.name] = group.survey
        progress.skipped += [s for s in group.skipped if s not in progress.skipped]
    with progress.timed("fit and score"):
        outcomes = run_models(groups, RunFolder(options.out), options.reuse, listener)
    with progress.timed("judge"):
        for group, its in zip(groups, outcomes, strict=True):
            progress.cells += _judge(plan, group, its, options, listener)
    if plan.suite.views.projections:
        with progress.timed("views"):
            folder = RunFolder(options.out)
            progress.views += write_views(groups[0], plan.suite.views, folder, listener)


def _judge(
    plan: Plan, group: FeatureGroup, outcomes: Outcomes, options: RunOptions, listener: Listener
) -> list[CellRecord]:
    suite, folder = plan.suite, RunFolder(options.out)
    referee = Referee(
        group.survey,
        group.truth,
        suite.metrics,
        suite.statistics,
        _spill_folder(options.cache),
        suite.deployment,
    )
    worker = CellWorker(suite, group, referee, folder, options.reuse)
    with relayed(listener, "judge"):  # a normalizer may read features that were pruned
        return judge_group(worker, outcomes, listener)


def _spill_folder(cache: Path) -> Path:
    """Where pixels are sorted that don't fit in memory: on the disk meant for large files."""
    folder = cache / "sorting"
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


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
