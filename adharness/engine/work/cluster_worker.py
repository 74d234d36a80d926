"""What runs in a Dask worker: a plugin that keeps processes, and the task that has one work.

Units are worked on in forks of these processes, as on one machine: what crashes, or is over a
limit, is a failed row and never the death of the Dask worker.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from dask.system import CPU_COUNT
from distributed import Reschedule, WorkerPlugin, get_worker
from distributed import Worker as DaskWorker

from adharness.engine.events import Event, StepDone, StepProgress, event_facts, event_name
from adharness.engine.failures import failure_of
from adharness.engine.work.cluster_terms import Terms, agreed
from adharness.engine.work.processes import worked
from adharness.engine.work.units import BenchRequest, unit_of_json
from adharness.engine.work.worker import Worker
from adharness.errors import AdharnessError, StoreError
from adharness.store.records import Failure


class Station(WorkerPlugin):
    """Keeps as many processes as the worker has slots, each from its first use to the run's end.

    Parameters
    ----------
    told
        `Terms` as JSON: read on the worker, which may have another version of everything.
    """

    def __init__(self, told: str) -> None:
        self._told = told

    async def setup(self, worker: DaskWorker) -> None:
        """See whether this worker is fit for the run; nothing is started yet."""
        self._idle: list[Worker] = []
        self._all: list[Worker] = []
        self._lock = threading.Lock()
        self._open = True
        self._address = worker.address
        self._threads = max(1, int(CPU_COUNT) // worker.state.nthreads)
        self._terms: Terms | None = None
        self.refusal: dict[str, Any] | None = None
        try:
            self._terms = await asyncio.to_thread(agreed, self._told, worker.address)
        except (StoreError, ValueError) as error:
            self.refusal = failure_of("work", error).model_dump(mode="json")

    async def teardown(self, worker: DaskWorker) -> None:  # noqa: ARG002
        """End the processes: units that they work on are killed."""
        await asyncio.to_thread(self._close)

    def work(self, bench: str | None, unit: str) -> dict[str, Any]:
        """Have a unit worked on; tell as JSON what came of it, and what was told meanwhile."""
        if self._terms is None:
            return {"refused": self.refusal}
        events = Kept()
        opened = None if bench is None else BenchRequest.model_validate_json(bench)
        try:
            with self._lent(self._terms) as process:
                limits = self._terms.limits
                done = worked(process, unit_of_json(unit), opened, limits, events)
        except AdharnessError as error:
            where = f"worker {self._address}" + (f", {error.where}" if error.where else "")
            failure = failure_of("work", error).model_copy(update={"where": where})
            return {"refused": failure.model_dump(mode="json")}
        if isinstance(done, Failure):
            return {"events": events.told(), "failed": done.model_dump(mode="json")}
        return {"events": events.told(), "done": done}

    @contextmanager
    def _lent(self, terms: Terms) -> Iterator[Worker]:
        with self._lock:
            process = self._idle.pop() if self._idle else None
            if process is None:
                process = Worker(terms.request, terms.threads or self._threads)
                self._all.append(process)
        try:
            yield process
        finally:
            with self._lock:
                self._idle.append(process)
            if not self._open:  # closed meanwhile, and perhaps begun again by a retry
                process.close()

    def _close(self) -> None:
        self._open = False
        with self._lock:
            ours = list(self._all)
        for process in ours:
            process.close()


class Kept:
    """A listener that keeps what it is told, to be told again where the run is.

    How far a step has come is old by then, and left out; steps that are done are counted together.
    """

    def __init__(self) -> None:
        self._events: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Keep an event."""
        last = self._events[-1] if self._events else None
        if isinstance(event, StepProgress):
            return
        if isinstance(event, StepDone) and isinstance(last, StepDone) and _same(event, last):
            self._events[-1] = replace(last, count=last.count + event.count)
        else:
            self._events.append(event)

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        """Give names and facts, in order."""
        return [(event_name(event), event_facts(event)) for event in self._events]


def _same(event: StepDone, last: StepDone) -> bool:
    return (event.stage, event.reused) == (last.stage, last.reused)


def work_on(station: str, bench: str | None, unit: str) -> dict[str, Any]:
    """Be a task: have the station of this worker work on a unit."""
    ours = get_worker().plugins.get(station)
    if not isinstance(ours, Station):
        raise Reschedule  # the plugin is on its way here, and elsewhere already
    return ours.work(bench, unit)


def refused(station: str, dask_worker: DaskWorker) -> dict[str, Any] | None:
    """Say why a worker is not fit for the run; None where it is."""
    ours = dask_worker.plugins.get(station)
    return ours.refusal if isinstance(ours, Station) else None
