"""The features of a group: extracted class by class, or found where they were extracted before."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

from adharness.contracts import Choosing, Extractor, ExtractorSpec, LookupExtractor
from adharness.engine.events import (
    CacheMended,
    Failed,
    Listener,
    StepDone,
    StepStarted,
    relayed,
)
from adharness.engine.extraction_job import ExtractionJob, shard_key
from adharness.engine.failures import failure_of
from adharness.engine.parts import Part, PartKey, parts_of
from adharness.engine.shard_entry import Shard, Tick, open_shard
from adharness.engine.shards import ensure_shard, folder_of, opened_shard
from adharness.engine.survey import Survey
from adharness.engine.turned import Turner
from adharness.errors import ContractError, StoreError
from adharness.store.provenance import Installed
from adharness.store.records import Failure
from adharness.suite.bind import Bound

OnError = Literal["fail", "skip"]
Opener: TypeAlias = Callable[[Path, ExtractionJob, Tick, Callable[[str], None]], Shard]
"""`ensure_shard` or `opened_shard`."""


@dataclass(frozen=True)
class RunContext:
    """What every group of a run shares."""

    cache: Path
    on_error: OnError
    installed: Installed
    listener: Listener


@dataclass(frozen=True)
class Extracted:
    """Features of a survey's images: shards by part, failures by class, and what made them."""

    shards: Mapping[PartKey, Shard]
    failures: Mapping[str, Failure]
    identity: dict[str, Any]
    turn: Turner | None
    """Extracts images of the survey that were turned; None where there is no extractor."""


@dataclass(frozen=True)
class Extraction:
    """A survey and the extractor that is to see it, built when it is first needed."""

    survey: Survey
    bound: Bound
    context: RunContext

    @cached_property
    def extractor(self) -> Extractor | LookupExtractor:
        """The extractor; raises whatever its plugin does."""
        return make_extractor(self.bound)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Everything about the extractor that can change a feature; raises as `extractor`."""
        return extractor_identity(self.bound, self.extractor, self.context.installed)

    def whole(self) -> ExtractionJob:
        """Lay out the extraction of all images, in the survey's order; raises as `extractor`."""
        here = self.survey
        return ExtractionJob(
            here.dataset,
            here.samples,
            here.hashes,
            self.extractor,
            self.identity,
            self.context.on_error,
        )

    def extracted(self, *, arrays: bool = True) -> Extracted:
        """Open the shard of each part, extracted first where the cache does not hold it.

        Parameters
        ----------
        arrays
            Whether they are made sure of now. If not, an entry will do: arrays are verified, and
            extracted again where they were pruned, before they are first read.

        Raises
        ------
        StoreError
            The cache cannot be written; all else becomes a failure of its class.
        """
        listener = self.context.listener
        listener(StepStarted("extract", f"loading {self.bound.name}"))
        try:
            with relayed(listener, "extract"):
                identity = self.identity
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises becomes failed rows
            failure = failure_of("extract", error)
            listener(Failed(f"extractor {self.bound.name}", failure))
            return Extracted({}, dict.fromkeys(self.survey.classes, failure), {}, None)
        shards, failures = self.parts(None, ensure_shard if arrays else opened_shard)
        return Extracted(shards, failures, identity, Turner(self.whole, self.context.cache))

    def secured(self, found: Extracted) -> Extracted:
        """Verify the arrays of opened shards, and extract again those that were pruned.

        Raises
        ------
        StoreError
            The cache cannot be written; all else becomes a failure of its class.
        """
        listener, failures = self.context.listener, dict(found.failures)
        for part in parts_of(self.survey):
            shard = found.shards.get(part.key)
            if shard is None:
                continue
            if shard.entry.pruned:
                listener(StepStarted("extract", part.label))
            with self._failing_alone(part, failures):
                shard.make_sure(_ticker(listener) if shard.entry.pruned else _silent)
        return replace(found, failures=failures)

    def parts(
        self, keys: Collection[PartKey] | None, opener: Opener = ensure_shard
    ) -> tuple[dict[PartKey, Shard], dict[str, Failure]]:
        """Make sure of the shards of these parts, or of all: shards, and failures by class."""
        extractor, identity = self.extractor, self.identity  # one that fails fails all of it
        listener, on_error = self.context.listener, self.context.on_error
        shards: dict[PartKey, Shard] = {}
        failures: dict[str, Failure] = {}
        for part in parts_of(self.survey):
            if keys is not None and part.key not in keys:
                continue
            listener(StepStarted("extract", part.label))
            with self._failing_alone(part, failures):
                shards[part.key] = self._opened(
                    part_job(part, extractor, identity, on_error), opener
                )
        return shards, failures

    @contextmanager
    def _failing_alone(self, part: Part, failures: dict[str, Failure]) -> Iterator[None]:
        """Make what the block raises the failure of the part's class; a StoreError goes on."""
        try:
            yield
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - a bad image or extractor fails this class only
            failures[part.class_name] = failure_of("extract", error)
            self.context.listener(Failed(part.label, failures[part.class_name]))

    def _opened(self, job: ExtractionJob, opener: Opener) -> Shard:
        listener = self.context.listener
        return opener(
            self.context.cache,
            job,
            _ticker(listener),
            lambda text: listener(CacheMended(text)),
        )

    def stored(self, identity: dict[str, Any], failures: Mapping[str, Failure]) -> Extracted:
        """Open what another process extracted; nothing is built, and nothing read but entries.

        Reading arrays that were pruned raises StoreError.

        Raises
        ------
        StoreError
            A part is not in the cache, and its class is not among those that failed.
        """
        cache, shards = self.context.cache, {}
        for part in parts_of(self.survey):
            if part.class_name in failures:
                continue
            found = stored_shard(cache, identity, part, self.context.on_error)
            if found is None:
                raise StoreError(
                    f"the features of {part.label} are not in the cache {cache}",
                    hint="every process of a run must see one cache; is --cache-dir shared?",
                )
            shards[part.key] = found
        turn = Turner(self.whole, cache) if identity else None
        return Extracted(shards, failures, identity, turn)


def part_job(
    part: Part,
    extractor: Extractor | LookupExtractor,
    identity: dict[str, Any],
    on_error: OnError,
) -> ExtractionJob:
    """Lay out the extraction of a part, from the survey that has its pixels."""
    here = part.survey
    job = ExtractionJob(here.dataset, here.samples, here.hashes, extractor, identity, on_error)
    return job.narrowed(part.positions)


def stored_shard(
    cache: Path, identity: dict[str, Any], part: Part, on_error: OnError
) -> Shard | None:
    """Open the shard of a part; None where the cache does not hold it as it is wanted."""
    hashes = [part.survey.hashes[i].image for i in part.positions]
    found = open_shard(folder_of(cache, shard_key(identity, hashes)))
    return found if found and found.entry.serves(on_error) else None


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
    """Everything about an extractor that can change a feature: what ran, where it had a choice."""
    ran, besides = bound, tuple[str, ...]()
    if isinstance(extractor, Choosing):
        ran, besides = replace(bound, params=extractor.chosen), extractor.made_with
    return {
        **ran.identity(),
        **({"made_with": list(besides)} if besides else {}),
        "fingerprint": extractor.fingerprint(),
        "versions": installed.versions([bound.component.distribution, *besides]),
    }


def _ticker(listener: Listener) -> Tick:
    return lambda count, reused: listener(StepDone("extract", count, reused))


def _silent(images: int, reused: bool) -> None:
    """Say nothing of features that are verified: they were told of when they were opened."""
