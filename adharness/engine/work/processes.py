"""Units worked on in processes on this machine, each in one of its own."""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from adharness.engine.events import Event, Listener, Retried
from adharness.engine.work.limits import Allowed, Death
from adharness.engine.work.remote import Brought, Remote
from adharness.engine.work.request import RunRequest
from adharness.engine.work.units import BenchRequest, Fit, Judge, Unit
from adharness.engine.work.worker import Worker
from adharness.errors import StoreError
from adharness.store.records import Failure
from adharness.suite.limits import LimitSettings

Inbox: TypeAlias = "queue.SimpleQueue[Event | Brought | BaseException]"


def threads_of(jobs: int) -> int:
    """Say how many threads each of so many processes may use, so that no core is asked twice."""
    return max(1, len(os.sched_getaffinity(0)) // jobs)


def allowed_to(unit: Unit, limits: LimitSettings) -> Allowed:
    """Say what a unit may use; extraction is not limited, for its features are for all cells."""
    if not isinstance(unit, Fit | Judge):
        return Allowed()
    time_s = None if limits.time_s is None else limits.time_s * unit.size
    return Allowed(time_s, limits.memory_mb)


def worked(
    worker: Worker,
    unit: Unit,
    bench: BenchRequest | None,
    limits: LimitSettings,
    tell: Listener,
) -> object | Failure:
    """Have a unit worked on, again where its process died and the suite allows it.

    A limit that was met, and what a plugin raised, would come again: these are not tried again.
    """
    allowed = allowed_to(unit, limits)
    for attempt in range(1, limits.retries + 2):
        answer = worker.do(unit, bench, allowed, tell)
        if not isinstance(answer, Death):
            return answer if isinstance(answer, Failure) else answer["done"]
        failure = answer.failure("work", allowed)
        if not answer.may_pass or attempt > limits.retries:
            return failure
        tell(Retried(unit.label, failure, attempt))
    raise AssertionError("the loop returns")


@dataclass
class Processes(Remote):
    """Works in `jobs` processes; each unit in a fork of one, so that only it can die of it.

    Parameters
    ----------
    threads
        Of the libraries in each process; the cores shared out, if not given.
    """

    request: RunRequest
    limits: LimitSettings
    jobs: int = 1
    threads: int | None = None
    _workers: list[Worker] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not hasattr(os, "fork"):
            raise StoreError(
                "cells in processes of their own need fork, which this system does not have",
                hint="run without --jobs and without `limits:`",
            )
        each = self.threads or threads_of(self.jobs)
        told = self.request.model_copy(update={"at_once": self.jobs})
        self._workers = [Worker(told, each) for _ in range(self.jobs)]

    @property
    def width(self) -> int:
        """The number of processes."""
        return self.jobs

    def bring(
        self, bench: BenchRequest | None, units: Sequence[Unit], listener: Listener
    ) -> Iterator[Brought]:
        """Deal the units to the processes, each the next one that is left."""
        left: deque[Unit] = deque(units)
        inbox: Inbox = queue.SimpleQueue()
        hands = [
            threading.Thread(target=self._hand, args=(one, bench, left, inbox), daemon=True)
            for one in self._workers[: len(units)]
        ]
        for hand in hands:
            hand.start()
        try:
            for _ in units:
                yield _next(inbox, listener)
        except BaseException:
            left.clear()
            self.close()
            raise
        finally:
            for hand in hands:
                hand.join()

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers:
            worker.close()

    def _hand(
        self, worker: Worker, bench: BenchRequest | None, left: deque[Unit], inbox: Inbox
    ) -> None:
        """Work units off with one process until none is left."""
        while left:
            try:
                unit = left.popleft()
            except IndexError:
                return
            try:
                inbox.put((unit, worked(worker, unit, bench, self.limits, inbox.put)))
            except BaseException as error:  # noqa: BLE001 - raised where it is heard
                inbox.put(error)
                return


def _next(inbox: Inbox, listener: Listener) -> Brought:
    """Wait for the next unit that ends, and tell what is told until then."""
    while True:
        message = inbox.get()
        if isinstance(message, BaseException):
            raise message
        if isinstance(message, tuple):
            return message
        listener(message)
