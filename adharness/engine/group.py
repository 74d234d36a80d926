"""The cells that share one data set and one extractor: their features and their truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from adharness.arrays import Float32, Int64
from adharness.contracts import Margins
from adharness.engine.events import Failed, ImageSkipped
from adharness.engine.extraction import Extracted, RunContext
from adharness.engine.failures import failure_of
from adharness.engine.features import CachedFeatures
from adharness.engine.parts import PartKey, places_of
from adharness.engine.routing import route
from adharness.engine.shard_entry import Shard
from adharness.engine.survey import Survey
from adharness.engine.truth import Truth, read_truth
from adharness.plan import Cell
from adharness.store.features_record import FeaturesRecord
from adharness.store.identity import digest
from adharness.store.provenance import Installed
from adharness.store.records import Failure
from adharness.store.run_record import SkippedImage


@dataclass(frozen=True, eq=False)
class KeptFeatures:
    """What a run's folder keeps of features: see `FeaturesRecord`."""

    record: FeaturesRecord
    routed_to: Int64 | None
    positions: Int64 | None
    vectors: Float32 | None

    def arrays(self) -> set[str]:
        """Names of the arrays that are there."""
        return {
            name
            for name in ("routed_to", "positions", "vectors")
            if getattr(self, name) is not None
        }


@dataclass(frozen=True, eq=False)
class FeatureGroup:
    """A survey with its features and masks; classes that could not be read are in `failures`."""

    survey: Survey
    cells: tuple[Cell, ...]
    features: CachedFeatures
    truth: Truth
    identity: dict[str, Any]
    failures: Mapping[str, Failure]
    skipped: tuple[SkippedImage, ...]
    sizes: Mapping[int, tuple[int, int]]
    input_size: tuple[int, int]
    margins: Margins
    pad: bool
    installed: Installed
    shards: Mapping[PartKey, Shard]
    kept: KeptFeatures | None = None

    def with_features(self, extracted: Extracted) -> FeatureGroup:
        """Give the group with its features extracted again; masks stay as they were read."""
        features = CachedFeatures.over(extracted.shards, places_of(self.survey), extracted.turn)
        shards, failures = extracted.shards, extracted.failures
        return replace(self, features=features, shards=shards, failures=failures)

    def training(self, positions: Int64) -> CachedFeatures:
        """Features of training images, which know the classes; the engine tells them or not."""
        return self.features.subset(positions).labelled(self.survey.class_numbers(positions))

    @cached_property
    def judged(self) -> Int64:
        """Positions of the held-out and test images, ascending."""
        return np.union1d(self.survey.portion("calibration"), self.survey.portion("test"))

    @cached_property
    def routing(self) -> str:
        """Digest of the images that a router learns from, and of those that it routes."""
        train = self.survey.portion("train")
        told = digest(self.survey.class_names(train))
        return digest([self.survey.pixels(train), told, self.survey.pixels(self.judged)])

    @property
    def knows_routes(self) -> bool:
        """Whether the images were routed before."""
        kept = self.kept
        return kept is not None and kept.record.routed_for == self.routing

    @cached_property
    def routed_to(self) -> Int64:
        """Number of the class that each held-out and test image is taken for, (N,); -1 for others.

        Raises
        ------
        StoreError
            A class was not extracted.
        DataError
            There is no training image.
        """
        if self.kept and self.kept.routed_to is not None and self.knows_routes:
            return self.kept.routed_to
        survey = self.survey
        found = np.full(len(survey.samples), -1, dtype=np.int64)
        training = self.training(survey.portion("train"))
        found[self.judged] = route(training, self.features.subset(self.judged))
        return found

    @property
    def knows_vectors(self) -> bool:
        """Whether the vectors of all images that are judged are kept."""
        positions = None if self.kept is None else self.kept.positions
        return positions is not None and bool(np.isin(self.judged, positions).all())

    def image_vectors(self, positions: Int64) -> Float32:
        """Give a vector an image (n, E) of held-out and test images, kept or from the features.

        Raises
        ------
        StoreError
            The features cannot be read.
        """
        kept = self.kept
        if not self.knows_vectors or kept is None or kept.positions is None or kept.vectors is None:
            return self.features.subset(positions).image_vectors()
        rows = np.searchsorted(kept.positions, positions)
        return kept.vectors[rows]


def open_group(
    survey: Survey,
    cells: tuple[Cell, ...],
    extracted: Extracted,
    context: RunContext,
    clean: FeatureGroup | None = None,
) -> FeatureGroup:
    """Read the masks of a survey whose features are extracted.

    Masks that a shift leaves where they are are those of the `clean` group, where it is given.
    """
    listener, shards = context.listener, extracted.shards
    places = places_of(survey)
    sizes = {i: shards[c].entry.sizes[row] for i, (c, row) in enumerate(places) if c in shards}
    skipped = _skipped(places, shards)
    kept = survey.without(list(skipped))

    def report(path: str, message: str) -> None:
        listener(ImageSkipped(path, message))

    for i, message in skipped.items():
        report(survey.samples[i].path, message)
    readable = kept.without([i for i in range(len(places)) if i not in sizes])
    if clean and survey.bound.shift and not survey.bound.shift.kind.moves:
        truth = clean.truth
    else:
        truth = read_truth(readable, sizes, context.on_error, report)
    for name, error in truth.broken.items():
        listener(Failed(f"{survey.name}/{name}", failure_of("judge", error)))
    skipped |= truth.skipped
    return FeatureGroup(
        survey=kept.without(list(truth.skipped)),
        cells=cells,
        features=CachedFeatures.over(shards, places, extracted.turn),
        truth=truth,
        identity=extracted.identity,
        failures=extracted.failures,
        skipped=tuple(
            SkippedImage(dataset=survey.name, path=survey.samples[i].path, message=m)
            for i, m in sorted(skipped.items())
        ),
        sizes=sizes,
        input_size=next((s.entry.input_size for s in shards.values()), (1, 1)),
        margins=next((s.entry.margins for s in shards.values()), (0, 0, 0, 0)),
        pad=any(s.entry.pad for s in shards.values()),
        installed=context.installed,
        shards=shards,
    )


def open_beside(
    groups: Sequence[FeatureGroup],
    survey: Survey,
    cells: tuple[Cell, ...],
    extracted: Extracted,
    context: RunContext,
) -> FeatureGroup:
    """Open the next group of a data set and its shifts; the clean one is the first of `groups`."""
    clean = groups[0] if groups and not groups[0].survey.clean else None
    return open_group(survey, cells, extracted, context, clean)


def _skipped(places: list[tuple[PartKey, int]], shards: Mapping[PartKey, Shard]) -> dict[int, str]:
    return {
        i: shards[c].entry.skipped[row]
        for i, (c, row) in enumerate(places)
        if c in shards and row in shards[c].entry.skipped
    }
