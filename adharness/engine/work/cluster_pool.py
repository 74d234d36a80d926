"""The processes of one Dask worker: a unit is worked on in a fork of one, as on one machine.

What crashes, or is over a limit, is a failed row and never the death of the Dask worker.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from adharness.engine.events import Event, StepDone, StepProgress, event_facts, event_name
from adharness.engine.failures import failure_of
from adharness.engine.work.cluster_terms import Terms
from adharness.engine.work.processes import worked
from adharness.engine.work.units import BenchRequest, unit_of_json
from adharness.engine.work.worker import Worker
from adharness.errors import AdharnessError
from adharness.store.records import Failure


@dataclass
class Pool:
    """Processes, each from its first use to the run's end; one for each unit at a time.

    Parameters
    ----------
    worker
        The address of the Dask worker.
    slots
        How many units it is given at once.
    """

    terms: Terms
    worker: str
    slots: int
    _idle: list[Worker] = field(default_factory=list)
    _all: list[Worker] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _open: bool = True

    @property
    def threads(self) -> int:
        """How many threads the libraries of a unit may use."""
        from dask.system import CPU_COUNT  # what a container or a job has, not its machine

        return self.terms.threads or max(1, int(CPU_COUNT) // self.slots)

    def work(self, bench: str | None, unit: str) -> dict[str, Any]:
        """Have a unit worked on; tell as JSON what came of it, and what was told meanwhile."""
        events = Kept()
        opened = None if bench is None else BenchRequest.model_validate_json(bench)
        try:
            with self._lent() as process:
                limits = self.terms.limits
                done = worked(process, unit_of_json(unit), opened, limits, events)
        except AdharnessError as error:
            where = f"worker {self.worker}" + (f", {error.where}" if error.where else "")
            failure = failure_of("work", error).model_copy(update={"where": where})
            return {"refused": failure.model_dump(mode="json")}
        if isinstance(done, Failure):
            return {"events": events.told(), "failed": done.model_dump(mode="json")}
        return {"events": events.told(), "done": done}

    def close(self) -> None:
        """End the processes."""
        self._open = False
        with self._lock:
            ours = list(self._all)
        for process in ours:
            process.close()

    @contextmanager
    def _lent(self) -> Iterator[Worker]:
        with self._lock:
            process = self._idle.pop() if self._idle else None
            if process is None:
                told = self.terms.request.model_copy(update={"at_once": self.slots})
                process = Worker(told, self.threads)
                self._all.append(process)
        try:
            yield process
        finally:
            with self._lock:
                self._idle.append(process)
            if not self._open:  # closed meanwhile, and perhaps begun again by a retry
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
