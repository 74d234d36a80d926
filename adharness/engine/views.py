"""Image embeddings in a plane, for the eye. Labels are in sight here, and no number comes of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from adharness.arrays import Int64
from adharness.engine.events import Listener, StepStarted
from adharness.engine.group import FeatureGroup
from adharness.engine.projections import Plane, project
from adharness.engine.survey import Survey
from adharness.errors import AdharnessError, StoreError
from adharness.store.folder import RunFolder
from adharness.store.identity import digest
from adharness.store.views import ViewRecord
from adharness.suite.report_settings import ViewSettings
from adharness.suite.schema import NONE


def write_views(
    group: FeatureGroup, settings: ViewSettings, folder: RunFolder, listener: Listener
) -> list[str]:
    """Store the pictures of a group's embeddings, or find them; give their ids.

    A picture that cannot be made is a record with the reason, and the run goes on. None are made
    where scores were made elsewhere and no feature is there.
    """
    extractor, ids = group.cells[0].method.extractor_name, []
    for view_id, told in _asked(group, settings):
        if _is_missing(view_id, folder):
            projection = told["projection"]
            listener(StepStarted("judge", f"{projection} view of {group.survey.name}, {extractor}"))
            folder.put_view(_view(group, view_id, extractor, told))
        ids.append(view_id)
    return ids


def misses_views(group: FeatureGroup, settings: ViewSettings, folder: RunFolder) -> bool:
    """Whether a picture has still to be made of the group's features."""
    return any(_is_missing(view_id, folder) for view_id, _ in _asked(group, settings))


def _asked(group: FeatureGroup, settings: ViewSettings) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each picture's id and what is told of it."""
    extractor = group.cells[0].method.extractor_name
    for projection in dict.fromkeys(settings.projections) if extractor != NONE else ():
        told = {"projection": projection, "images": settings.images, "seed": settings.seed}
        yield _identity(group, extractor, told), told


def _is_missing(view_id: str, folder: RunFolder) -> bool:
    stored = folder.view(view_id)
    return stored is None or bool(stored.reason)


def _identity(group: FeatureGroup, extractor: str, told: Mapping[str, Any]) -> str:
    survey = group.survey
    truth = survey.truth(_whole(survey))
    named = [survey.name, extractor]
    return digest({"names": named, "images": truth, "extractor": group.identity, "view": told})


def _view(group: FeatureGroup, view_id: str, extractor: str, told: Mapping[str, Any]) -> ViewRecord:
    survey = group.survey
    positions = drawn(survey, int(told["images"]), int(told["seed"]))
    record = ViewRecord(
        id=view_id,
        dataset=survey.name,
        extractor=extractor,
        projection=str(told["projection"]),
        settings={"seed": told["seed"], "images": told["images"]},
        of=len(_whole(survey)),
    )
    try:
        plane = _plane(group, positions, record.projection, int(told["seed"]))
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 - a picture less, not a lost run
        reason = error.message if isinstance(error, AdharnessError) else repr(error)
        return record.model_copy(update={"reason": reason})
    return record.model_copy(
        update={
            "settings": {**record.settings, **plane.settings},
            "samples": tuple(survey.samples[i].path for i in positions),
            "classes": tuple(survey.class_names(positions)),
            "labels": tuple(survey.labels(positions).tolist()),
            "x": tuple(float(f"{value:.5g}") for value in plane.points[:, 0]),
            "y": tuple(float(f"{value:.5g}") for value in plane.points[:, 1]),
            "explained": plane.explained,
        }
    )


def _plane(group: FeatureGroup, positions: Int64, projection: str, seed: int) -> Plane:
    if group.failures:
        raise AdharnessError(f"features of {', '.join(group.failures)} are missing")
    embeddings = group.features.subset(positions).embeddings()
    if embeddings is None:
        raise AdharnessError("the extractor gives no image embedding")
    return project(projection, embeddings, seed)


def _whole(survey: Survey) -> Int64:
    """Positions of all images that the run uses, ascending."""
    portions = [survey.portion(name) for name in ("train", "calibration", "test")]
    return np.unique(np.concatenate(portions))


def drawn(survey: Survey, images: int, seed: int) -> Int64:
    """Draw images, the same number of every class and label as far as there are that many.

    Returns
    -------
    (n,) int64
        Positions, ascending; all of them where there are no more than `images`.
    """
    rng = np.random.default_rng(seed)
    groups: dict[tuple[str, int], list[int]] = defaultdict(list)
    for i in _whole(survey):
        sample = survey.samples[int(i)]
        groups[sample.class_name, sample.label].append(int(i))
    turns = [
        (turn, number, i)
        for number, key in enumerate(sorted(groups))
        for turn, i in enumerate(rng.permutation(groups[key]).tolist())
    ]
    return np.sort(np.array([i for _, _, i in sorted(turns)[:images]], dtype=np.int64))
