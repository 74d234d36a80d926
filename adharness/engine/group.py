"""The cells that share one data set and one extractor: their features and their truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from adharness.arrays import Int64
from adharness.contracts import Extractor, ExtractorSpec, LookupExtractor, Margins
from adharness.engine.events import (
    CacheMended,
    Failed,
    ImageSkipped,
    Listener,
    StepDone,
    StepStarted,
)
from adharness.engine.extract import ExtractionJob
from adharness.engine.failures import failure_of
from adharness.engine.features import CachedFeatures
from adharness.engine.parts import PartKey, parts_of, places_of
from adharness.engine.routing import route
from adharness.engine.shard_entry import Shard, Tick
from adharness.engine.shards import ensure_shard, opened_shard
from adharness.engine.survey import Survey
from adharness.engine.truth import Truth, read_truth
from adharness.engine.turned import Turner
from adharness.errors import ContractError, StoreError
from adharness.plan import Cell
from adharness.store.provenance import Installed
from adharness.store.records import Failure
from adharness.store.run_record import SkippedImage
from adharness.suite.bind import Bound

OnError = Literal["fail", "skip"]
Opener: TypeAlias = Callable[[Path, ExtractionJob, Tick, Callable[[str], None]], Shard]


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
    installed: Installed
    shards: Mapping[PartKey, Shard]

    def training(self, positions: Int64) -> CachedFeatures:
        """Features of training images, which know the classes; the engine tells them or not."""
        return self.features.subset(positions).labelled(self.survey.class_numbers(positions))

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
        survey = self.survey
        judged = np.union1d(survey.portion("calibration"), survey.portion("test"))
        found = np.full(len(survey.samples), -1, dtype=np.int64)
        training = self.training(survey.portion("train"))
        found[judged] = route(training, self.features.subset(judged))
        return found


@dataclass(frozen=True)
class RunContext:
    """What every group of a run shares."""

    cache: Path
    on_error: OnError
    installed: Installed
    listener: Listener


def open_group(
    survey: Survey,
    cells: tuple[Cell, ...],
    context: RunContext,
    clean: FeatureGroup | None = None,
) -> FeatureGroup:
    """Extract what the cache has no entry of, then read the masks.

    Arrays that were pruned stay gone until they are read: see `refilled`.

    A class that cannot be extracted becomes a failure of its own; the others go on. StoreError is
    passed on: a full disk ends the run. Masks that a shift leaves where they are are those of the
    `clean` group, where it is given.
    """
    listener = context.listener
    bound = cells[0].method.extractor
    shards, failures, identity, turn = extract_classes(survey, bound, context, opened_shard)
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
        features=CachedFeatures.over(shards, places, turn),
        truth=truth,
        identity=identity,
        failures=failures,
        skipped=tuple(
            SkippedImage(dataset=survey.name, path=survey.samples[i].path, message=m)
            for i, m in sorted(skipped.items())
        ),
        sizes=sizes,
        input_size=next((s.entry.input_size for s in shards.values()), (1, 1)),
        margins=next((s.entry.margins for s in shards.values()), (0, 0, 0, 0)),
        installed=context.installed,
        shards=shards,
    )


def extract_classes(
    survey: Survey, bound: Bound, context: RunContext, opener: Opener = ensure_shard
) -> tuple[dict[PartKey, Shard], dict[str, Failure], dict[str, Any], Turner | None]:
    """Open the shard of each class, extracted first where the cache does not hold it.

    Of a shifted set only the corrupted images are extracted besides the clean ones.

    Parameters
    ----------
    opener
        `ensure_shard`, or `opened_shard` where entries will do for now.

    Returns
    -------
    Shards by part, failures by class, the extractor's identity, and what extracts turned images.

    Raises
    ------
    StoreError
        The cache cannot be written; all else becomes a failure of its class.
    """
    listener = context.listener
    shards: dict[PartKey, Shard] = {}
    failures: dict[str, Failure] = {}
    try:
        listener(StepStarted("extract", f"loading {bound.name}"))
        extractor = make_extractor(bound)
        identity = extractor_identity(bound, extractor, context.installed)
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises becomes failed rows
        failure = failure_of("extract", error)
        listener(Failed(f"extractor {bound.name}", failure))
        return {}, dict.fromkeys(survey.classes, failure), {}, None
    whole = ExtractionJob(
        survey.dataset, survey.samples, survey.hashes, extractor, identity, context.on_error
    )
    for part in parts_of(survey):
        listener(StepStarted("extract", part.label))
        job = replace(whole, dataset=part.survey.dataset, hashes=part.survey.hashes)
        try:
            job = job.narrowed(part.positions)
            shards[part.key] = opener(
                context.cache, job, ticker(listener), lambda text: listener(CacheMended(text))
            )
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - a bad image or extractor fails this class only
            failures[part.class_name] = failure_of("extract", error)
            listener(Failed(part.label, failures[part.class_name]))
    return shards, failures, identity, Turner(whole, context.cache)


def make_extractor(bound: Bound) -> Extractor | LookupExtractor:
    """Build the extractor; only one whose record says `imported` may look up by name.

    Raises
    ------
    ContractError
        The record says one thing and the extractor is another.
    """
    made: Extractor | LookupExtractor = bound.make()
    spec = bound.component.spec
    declared = isinstance(spec, ExtractorSpec) and spec.imported
    if isinstance(made, LookupExtractor) != declared:
        says = "says" if declared else "does not say"
        raise ContractError(
            f"the record of extractor '{bound.name}' {says} `imported`, its class says otherwise",
            hint="an imported extractor has `look_up`, and no other has: see docs/contracts.md",
        )
    return made


def extractor_identity(
    bound: Bound, extractor: Extractor | LookupExtractor, installed: Installed
) -> dict[str, Any]:
    """Everything about an extractor that can change a feature."""
    return {
        **bound.identity(),
        "fingerprint": extractor.fingerprint(),
        "versions": installed.versions([bound.component.distribution]),
    }


def ticker(listener: Listener) -> Tick:
    """Tell of images that are extracted, or were before."""
    return lambda count, reused: listener(StepDone("extract", count, reused))


def _skipped(places: list[tuple[PartKey, int]], shards: Mapping[PartKey, Shard]) -> dict[int, str]:
    return {
        i: shards[c].entry.skipped[row]
        for i, (c, row) in enumerate(places)
        if c in shards and row in shards[c].entry.skipped
    }
