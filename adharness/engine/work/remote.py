"""Units worked on elsewhere, whoever carries them there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from adharness.engine.events import CacheMended, Event, Failed, Listener, StepDone, StepStarted
from adharness.engine.extraction import Extracted, Extraction, stored_shard
from adharness.engine.parts import Part, parts_of
from adharness.engine.shard_entry import damage_of
from adharness.engine.work.bench import Bench, Done
from adharness.engine.work.inline import Place
from adharness.engine.work.units import (
    BenchRequest,
    Extract,
    Fit,
    Identify,
    Judge,
    Limited,
    Unit,
)
from adharness.store.records import Failure

Brought: TypeAlias = tuple[Unit, Any | Failure]
"""A unit, and what came of it as JSON; or why nobody could finish it."""


class Remote(ABC):
    """An executor whose units are worked on in other processes.

    A unit of several parts that nobody could finish is cut, so that each part fails for itself.
    """

    @abstractmethod
    def bring(
        self, bench: BenchRequest | None, units: Sequence[Unit], listener: Listener
    ) -> Iterator[Brought]:
        """Have units worked on; give each as it ends, in any order.

        Raises
        ------
        StoreError
            Results cannot be written, or the workers don't see what they should.
        """

    @property
    @abstractmethod
    def width(self) -> int:
        """How many units are worked on at once, about."""

    def extract(self, place: Place, extraction: Extraction) -> Extracted:
        """Have the parts extracted that the cache does not hold; failures are by class."""
        listener = extraction.context.listener
        named = {"family": place.family, "group": place.group}
        asked = Identify(label=f"loading {extraction.bound.name}", **named)
        listener(StepStarted("extract", asked.label))
        ((_, identity),) = self.bring(None, [asked], listener)  # to its end: left, it ends workers
        if isinstance(identity, Failure):
            failure = identity.model_copy(update={"stage": "extract"})
            listener(Failed(f"extractor {extraction.bound.name}", failure))
            return Extracted({}, dict.fromkeys(extraction.survey.classes, failure), {}, None)
        missing = [
            part
            for part in parts_of(extraction.survey)
            if not _is_sound(part, identity, extraction)
        ]
        return extraction.stored(identity, self._extract(place, identity, missing, listener))

    def refill(self, place: Place, extraction: Extraction, found: Extracted) -> Extracted:
        """Have the parts extracted again whose arrays were pruned."""
        shards, listener = found.shards, extraction.context.listener
        parts = [part for part in parts_of(extraction.survey) if part.key in shards]
        gone = [part for part in parts if shards[part.key].entry.pruned]
        if not gone:
            return found
        failures = self._extract(place, found.identity, gone, listener)
        return extraction.stored(found.identity, {**found.failures, **failures})

    def _extract(
        self, place: Place, identity: dict[str, Any], parts: Sequence[Part], listener: Listener
    ) -> dict[str, Failure]:
        """Have parts extracted, dealt to all workers; failures are by class."""
        named = {"family": place.family, "group": place.group}
        units = [
            Extract(
                identity=identity, parts=tuple(p.key for p in some), label=some[0].label, **named
            )
            for some in _dealt(parts, self.width)
        ]
        return self._extracted(units, listener)

    def work(
        self, bench: Bench, request: BenchRequest, units: Sequence[Limited], listener: Listener
    ) -> Iterator[tuple[Limited, Done]]:
        """Have units worked on, and read what was stored."""
        again: list[Unit] = []
        for unit, brought in self.bring(request, units, _without_steps(listener)):
            assert isinstance(unit, Fit | Judge)  # noqa: S101  what was asked
            if not isinstance(brought, Failure):
                yield unit, bench.read(unit, brought)
                _step(bench, unit, listener)
            elif unit.alone():
                again += unit.alone()
            else:
                stage = "fit and score" if isinstance(unit, Fit) else "judge"
                yield unit, bench.lost(unit, brought.model_copy(update={"stage": stage}), listener)
        if again:
            yield from self.work(bench, request, again, listener)  # type: ignore[arg-type]

    def _extracted(self, units: Sequence[Unit], listener: Listener) -> dict[str, Failure]:
        failures: dict[str, Failure] = {}
        again: list[Unit] = []
        for unit, brought in self.bring(None, units, listener):
            assert isinstance(unit, Extract)  # noqa: S101  what was asked
            if not isinstance(brought, Failure):
                failures |= {name: Failure.model_validate(one) for name, one in brought.items()}
            elif unit.alone():
                again += unit.alone()
            else:
                failures[unit.parts[0][0]] = brought.model_copy(update={"stage": "extract"})
                listener(Failed(unit.label, failures[unit.parts[0][0]]))
        return failures | (self._extracted(again, listener) if again else {})


def _is_sound(part: Part, identity: dict[str, Any], extraction: Extraction) -> bool:
    """Whether the cache holds a part as it was written."""
    context = extraction.context
    found = stored_shard(context.cache, identity, part, context.on_error)
    damage = damage_of(found) if found else None
    if damage and found:
        context.listener(CacheMended(f"{found.folder}: {damage}; extracting it again"))
    if found and not damage:
        context.listener(StepDone("extract", len(part.positions), reused=True))
    return found is not None and damage is None


def _dealt(parts: Sequence[Part], hands: int) -> list[list[Part]]:
    """Deal parts to so many hands, largest first, each to the hand that has the fewest images."""
    dealt: list[list[Part]] = [[] for _ in range(min(hands, len(parts)))]
    for part in sorted(parts, key=lambda part: -len(part.positions)):
        min(dealt, key=lambda hand: sum(len(p.positions) for p in hand)).append(part)
    return dealt


def _without_steps(listener: Listener) -> Listener:
    """Leave out that steps are done: a unit that dies would have told of some twice."""

    def told(event: Event) -> None:
        if not isinstance(event, StepDone):
            listener(event)

    return told


def _step(bench: Bench, unit: Limited, listener: Listener) -> None:
    if isinstance(unit, Judge):
        listener(StepDone("judge", unit.size))
    else:
        listener(StepDone("fit and score", bench.groups_asking(unit)))
