"""Units worked on by the workers of a Dask cluster, wherever it runs."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from adharness.engine.events import Listener, Waiting, WorkerLost, event_of
from adharness.engine.failures import refusal_of
from adharness.engine.work.cluster_link import Answer, Link, LostError
from adharness.engine.work.cluster_offers import Needs, StageName, missing
from adharness.engine.work.cluster_terms import Terms, new_mark, put_mark, python_version
from adharness.engine.work.late_files import await_files
from adharness.engine.work.remote import Brought, Remote
from adharness.engine.work.request import RunRequest
from adharness.engine.work.units import BenchRequest, Fit, Judge, Unit
from adharness.errors import StoreError
from adharness.store.records import Failure
from adharness.suite.limits import LimitSettings

PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Between one try to reach a scheduler and the next; the last is kept."""


@dataclass(frozen=True)
class ClusterSettings:
    """Which cluster, and what the run asks of it.

    Parameters
    ----------
    scheduler
        Its address, or the path of the file that a scheduler wrote.
    resources
        By stage, what a worker must have declared to be given its units.
    patience_s
        How long there may be no scheduler, or no worker that can take a unit.
    threads
        Of the libraries of a unit; None for a worker's cores shared out to its slots.
    """

    scheduler: str
    resources: Mapping[StageName, Needs] = field(default_factory=dict)
    patience_s: float = 300.0
    threads: int | None = None


@dataclass
class Cluster(Remote):
    """Works on a Dask cluster: a unit is a task, and what comes of it lies in the run's folder.

    A worker that dies is Dask's to replace; a scheduler that is gone is waited for, and told again
    what is not done. A unit that was worked on twice wrote the same bytes twice.

    Parameters
    ----------
    versions
        Of every distribution that takes part, as they are here.
    """

    request: RunRequest
    limits: LimitSettings
    settings: ClusterSettings
    versions: Mapping[str, str]
    _mark: str = field(default_factory=new_mark)
    _link: Link | None = None
    _hopeful: float = field(default_factory=time.monotonic)
    _said: str = ""
    _workers: frozenset[str] = frozenset()

    def open(self) -> None:
        """Connect, before anything is computed.

        Raises
        ------
        StoreError
            No scheduler answers, or a worker that is there is not fit for the run.
        PluginError
            Dask is not installed here.
        """
        put_mark(self._mark, self.request.out, self.request.cache)
        try:
            self._link = self._opened()
        except LostError as error:
            raise StoreError(
                f"no Dask scheduler answers at {self.settings.scheduler}: {error}",
                hint="is it running, and its port open to this machine? `dask scheduler` starts one"
                " (docs/cluster.md)",
            ) from error

    def close(self) -> None:
        """End what the workers keep for this run, and go."""
        if self._link:
            self._link.close()
        for folder in (self.request.out, self.request.cache):
            with suppress(OSError):
                (folder / self._mark).unlink(missing_ok=True)

    @property
    def width(self) -> int:
        """Slots for extraction on the workers that are there now; at least one."""
        try:
            offers = self._link.offers() if self._link else []
            return max(1, sum(offer.slots_for(self._needs("extract")) for offer in offers))
        except LostError:
            return 1

    def bring(
        self, bench: BenchRequest | None, units: Sequence[Unit], listener: Listener
    ) -> Iterator[Brought]:
        """Post units to the scheduler; those of one call are of one stage."""
        opened = None if bench is None else bench.model_dump_json()
        left = dict(enumerate(units))
        self._hopeful = time.monotonic()
        while left:
            link = self._link or self._again(listener)
            asked = {number: (opened, unit) for number, unit in left.items()}
            stage = _stage_of(units[0])
            try:
                look = partial(self.look, stage, listener)
                for number, answer in link.answers(asked, self._needs(stage), look):
                    self._hopeful = time.monotonic()
                    done = self._heard(answer, listener)
                    await_files(self.request, left[number], done)
                    yield left.pop(number), done
            except LostError as error:
                self._lose(link, error, listener)

    def look(self, stage: StageName, listener: Listener) -> int:
        """Count the units of a stage that can be worked on at once; none is waited for.

        Raises
        ------
        StoreError
            Nobody could for too long.
        LostError
            The scheduler is gone.
        """
        assert self._link is not None  # noqa: S101  units were posted
        offers, needs = self._link.offers(), self._needs(stage)
        workers = frozenset(offer.worker for offer in offers)
        for worker in sorted(self._workers - workers):
            listener(WorkerLost(worker))
        self._workers = workers
        slots = sum(offer.slots_for(needs) for offer in offers)
        if slots:
            self._hopeful, self._said = time.monotonic(), ""
        else:
            self._wait(missing(stage, needs, offers), listener)
        return slots

    def _needs(self, stage: StageName) -> Needs:
        return self.settings.resources.get(stage, {})

    def _opened(self) -> Link:
        terms = Terms(
            request=self.request,
            limits=self.limits,
            threads=self.settings.threads,
            mark=self._mark,
            versions={**self.versions, **python_version()},
        )
        named = hashlib.sha256(str(self.request.out).encode()).hexdigest()[:12]
        return Link.opened(self.settings.scheduler, f"adharness-{named}", terms.model_dump_json())

    def _again(self, listener: Listener) -> Link:
        """Try until a scheduler answers. Raises StoreError where none does for too long."""
        tries = 0
        while self._link is None:
            time.sleep(PAUSES_S[min(tries, len(PAUSES_S) - 1)])
            tries += 1
            try:
                self._link = self._opened()
            except LostError:
                self._wait(f"no scheduler answers at {self.settings.scheduler}", listener)
        return self._link

    def _lose(self, link: Link, error: LostError, listener: Listener) -> None:
        link.drop()
        self._link, self._workers = None, frozenset()  # its workers end with it
        lost = f"the scheduler {self.settings.scheduler} was lost ({error})"
        self._wait(f"{lost}; what is not done will be posted again", listener)

    def _wait(self, why: str, listener: Listener) -> None:
        """Say once what is waited for. Raises StoreError where that was long enough."""
        if why != self._said:
            self._said = why
            listener(Waiting(why))
        waited = time.monotonic() - self._hopeful
        if waited > self.settings.patience_s:
            raise StoreError(
                f"{why}; waited {waited:.0f} s",
                hint="what is done is kept, and the same command goes on from there; "
                "--scheduler-timeout waits longer",
            )

    def _heard(self, answer: Answer | Failure, listener: Listener) -> object | Failure:
        """Tell what was told on the worker, and give what came of the unit."""
        if isinstance(answer, Failure):
            return answer
        if "refused" in answer:
            raise refusal_of(answer["refused"])
        for name, facts in answer["events"]:
            listener(event_of(name, facts))
        return Failure.model_validate(answer["failed"]) if "failed" in answer else answer["done"]


def _stage_of(unit: Unit) -> StageName:
    if isinstance(unit, Fit):
        return "fit"
    return "judge" if isinstance(unit, Judge) else "extract"
