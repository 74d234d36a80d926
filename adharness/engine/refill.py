"""Pruned features come back where a model has still to be fitted, and before it is."""

from __future__ import annotations

from adharness.engine.family import imports_of
from adharness.engine.group import FeatureGroup
from adharness.engine.score import Reuse, ScoringTask, task_identity, task_versions, tasks_of
from adharness.engine.told import needs_embedding
from adharness.plan import PROTOCOLS, Cell
from adharness.store.folder import RunFolder
from adharness.store.identity import digest


def reads_features(group: FeatureGroup, folder: RunFolder, reuse: Reuse) -> bool:
    """Whether a scoring is missing, or something else that the run's folder does not know.

    Images may have still to be routed, or a normalizer may ask for embeddings that were not kept.
    Where it is not so, nothing of the features is read, verified or extracted.
    """
    routed = any(PROTOCOLS[cell.protocol].routed for cell in group.cells)
    embedded = any(reads_vectors(cell) for cell in group.cells)
    if (routed and not group.knows_routes) or (embedded and not group.knows_vectors):
        return True
    tasks = dict.fromkeys(task for cell in group.cells for task in tasks_of(cell, group))
    return not all(_is_stored(task, group, folder, reuse) for task in tasks)


def reads_vectors(cell: Cell) -> bool:
    """Whether the cell's normalizer is told the embeddings of images."""
    return needs_embedding(cell.normalizer) and "scores" not in imports_of(cell)


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
