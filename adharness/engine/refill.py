"""Pruned features come back where a model has still to be fitted, and before it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from adharness.engine.events import Failed, StageStarted, StepStarted
from adharness.engine.failures import failure_of
from adharness.engine.group import FeatureGroup, RunContext, ticker
from adharness.engine.parts import parts_of
from adharness.engine.score import Reuse, ScoringTask, task_identity, task_versions, tasks_of
from adharness.errors import StoreError
from adharness.plan import PROTOCOLS
from adharness.store.folder import RunFolder
from adharness.store.identity import digest
from adharness.store.records import Failure


def refilled(
    groups: Sequence[FeatureGroup], folder: RunFolder, reuse: Reuse, context: RunContext
) -> list[FeatureGroup]:
    """Have the features of a family of groups verified and on disk if any of them will be read.

    Where all scorings are stored nothing is read, verified or extracted. A class that cannot be
    extracted becomes a failure of its group.

    Raises
    ------
    StoreError
        The cache cannot be written.
    """
    return [
        _refill(group, context) if _will_be_read(group, folder, reuse) else group
        for group in groups
    ]


def _will_be_read(group: FeatureGroup, folder: RunFolder, reuse: Reuse) -> bool:
    """Whether a scoring is missing, or the images have still to be routed to find that out."""
    if any(PROTOCOLS[cell.protocol].routed for cell in group.cells):
        return True
    tasks = dict.fromkeys(task for cell in group.cells for task in tasks_of(cell, group))
    return not all(_is_stored(task, group, folder, reuse) for task in tasks)


def _is_stored(task: ScoringTask, group: FeatureGroup, folder: RunFolder, reuse: Reuse) -> bool:
    """Whether a model need not be fitted; its arrays are compared when the scoring is used."""
    if task.trained_on in group.failures:
        return True
    try:
        identity = task_identity(task, group)
    except Exception:  # noqa: BLE001 - told where the task is run; nothing is fitted for it
        return True
    stored = folder.scoring_record(digest(identity))
    versions = task_versions(task.method, group)
    return stored is not None and reuse.allows(stored.versions, versions)


def _refill(group: FeatureGroup, context: RunContext) -> FeatureGroup:
    gone = sum(s.entry.count for s in group.shards.values() if s.entry.pruned)
    if gone:
        context.listener(StageStarted("extract", gone, "images"))
    failures = _secure(group, context)
    return replace(group, failures={**group.failures, **failures}) if failures else group


def _secure(group: FeatureGroup, context: RunContext) -> Mapping[str, Failure]:
    listener = context.listener
    failures: dict[str, Failure] = {}
    for part in parts_of(group.survey):
        shard = group.shards.get(part.key)
        if shard is None:
            continue
        if shard.entry.pruned:
            listener(StepStarted("extract", part.label))
        try:
            shard.make_sure(ticker(listener) if shard.entry.pruned else _silent)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - a bad image or extractor fails this class only
            failures[part.class_name] = failure_of("extract", error)
            listener(Failed(part.label, failures[part.class_name]))
    return failures


def _silent(images: int, reused: bool) -> None:
    """Say nothing of features that are verified: they were told of when they were opened."""
