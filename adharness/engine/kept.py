"""What a run's folder keeps of a group's features: judging again needs no cache.

Sizes of the images, where they were routed to, and their embeddings: all that anything after the
scoring asks of features.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from adharness.arrays import AnyArray
from adharness.engine.group import FeatureGroup, KeptFeatures
from adharness.engine.survey import Survey
from adharness.engine.told import needs_embedding
from adharness.plan import PROTOCOLS, Cell
from adharness.store.features_record import FeaturesRecord, PartRecord
from adharness.store.folder import RunFolder
from adharness.store.identity import digest
from adharness.suite.bound import Bound

_ARRAYS = ("routed_to", "positions", "vectors")


def kept_id(survey: Survey, bound: Bound, on_error: str) -> str:
    """Name what is kept of these images under this extractor, known before it is built."""
    images = survey.pixels(np.arange(len(survey.samples)))
    return digest({"extractor": bound.identity(), "images": images, "on_error": on_error})


def read_kept(folder: RunFolder, features_id: str) -> KeptFeatures | None:
    """Read what is kept; None where there is nothing whole."""
    record = folder.features(features_id)
    if record is None:
        return None
    arrays = folder.features_arrays(features_id) if record.files else {}
    given: dict[str, Any] = {name: arrays.get(name) for name in _ARRAYS}
    return KeptFeatures(record, **given)


def recalled(group: FeatureGroup, folder: RunFolder, on_error: str) -> FeatureGroup:
    """Give the group what its folder keeps of its features, if the same extractor made it."""
    bound = group.cells[0].method.extractor
    kept = read_kept(folder, kept_id(group.survey, bound, on_error))
    usable = kept is not None and kept.record.identity == group.identity
    return replace(group, kept=kept) if usable else group


def keep(group: FeatureGroup, folder: RunFolder, on_error: str) -> FeatureGroup:
    """Keep what is known of the group's features; no array is verified or extracted for it.

    Raises
    ------
    StoreError
        The folder cannot be written.
    """
    arrays, kept = _arrays(group), group.kept
    record = FeaturesRecord(
        id=kept_id(group.survey, group.cells[0].method.extractor, on_error),
        dataset=group.survey.name,
        extractor=group.cells[0].method.extractor_name,
        identity=group.identity,
        failures=dict(group.failures),
        parts=[
            PartRecord(class_name=name, shifted=shifted, entry=shard.entry.without_arrays())
            for (name, shifted), shard in group.shards.items()
        ],
        routed_for=group.routing if "routed_to" in arrays else None,
    )
    if kept is not None and kept.arrays() == set(arrays) and _equal(kept.record, record):
        return group
    folder.put_features(record, arrays)
    return recalled(group, folder, on_error)


def _equal(stored: FeaturesRecord, record: FeaturesRecord) -> bool:
    return stored.model_copy(update={"files": {}}) == record


def _arrays(group: FeatureGroup) -> dict[str, AnyArray]:
    """Give what was kept and still holds, and what can be known now."""
    shards = group.shards.values()
    ready = bool(shards) and all(shard.is_ready for shard in shards) and not group.failures
    arrays: dict[str, AnyArray] = {}
    if group.knows_routes or (ready and any(map(_is_routed, group.cells))):
        arrays["routed_to"] = group.routed_to
    if group.knows_vectors or (ready and (group.features.embedding_dim or _is_asked(group))):
        arrays["positions"] = group.judged
        arrays["vectors"] = group.image_vectors(group.judged)
    return arrays


def _is_asked(group: FeatureGroup) -> bool:
    """Whether a mean of patches, which is read from all of them, is worth it."""
    return any(_is_routed(cell) or needs_embedding(cell.normalizer) for cell in group.cells)


def _is_routed(cell: Cell) -> bool:
    return PROTOCOLS[cell.protocol].routed
