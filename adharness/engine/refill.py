"""Pruned features come back where a model has still to be fitted, and before it is."""

from __future__ import annotations

from adharness.engine.group import FeatureGroup
from adharness.engine.score import Reuse, ScoringTask, task_identity, task_versions, tasks_of
from adharness.plan import PROTOCOLS
from adharness.store.folder import RunFolder
from adharness.store.identity import digest


def reads_features(group: FeatureGroup, folder: RunFolder, reuse: Reuse) -> bool:
    """Whether a scoring is missing, or the images have still to be routed to find that out.

    Where it is not so, nothing of the features is read, verified or extracted.
    """
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
