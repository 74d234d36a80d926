"""The engine's events as a live bar on a terminal, and as plain lines anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from adharness.cli import render
from adharness.engine.events import (
    CacheMended,
    Event,
    Failed,
    ImageSkipped,
    Listener,
    Retried,
    StageStarted,
    StepDone,
    StepProgress,
    StepStarted,
    Waiting,
    WorkerLost,
)

PLAIN_EVERY_S = 5.0
"""Plain lines come no closer than this, so that a log stays readable."""


@contextmanager
def shown(*, quiet: bool = False) -> Iterator[Listener]:
    """Show progress on stderr while the block runs; nothing but failures where `quiet`."""
    notes = _Notes()
    if quiet:
        yield notes
    elif sys.stderr.isatty():
        with render.live_bar() as bar:
            yield _Live(bar, notes)
    else:
        yield _Plain(notes)


@dataclass
class _Notes:
    """What a person must know whatever the progress looks like: each mistake once.

    One bad setting can fail a hundred cells; the board lists them all, the terminal the mistake.
    """

    said: set[str] = field(default_factory=set)

    def __call__(self, event: Event) -> None:
        if isinstance(event, Failed) and event.failure.message not in self.said:
            self.said.add(event.failure.message)
            stage, hint = event.failure.stage, event.failure.hint
            render.print_error(event.failure.message, where=f"{event.what} ({stage})", hint=hint)
        if isinstance(event, ImageSkipped):
            render.print_note(f"skipped {event.path}: {event.message}")
        if isinstance(event, CacheMended):
            render.print_note(f"damaged in the cache: {event.message}")
        if isinstance(event, Retried):
            again = f"tried again ({event.attempt})"
            render.print_note(f"{event.what}: {event.failure.message}; {again}")
        if isinstance(event, Waiting):
            render.print_note(f"waiting: {event.message}")
        if isinstance(event, WorkerLost):
            render.print_note(f"worker {event.worker} is gone; others are given what it had")


class _Live:
    """One bar, for the stage that runs."""

    def __init__(self, bar: render.LiveBar, notes: Listener) -> None:
        self._bar, self._notes, self._what = bar, notes, ""

    def __call__(self, event: Event) -> None:
        if isinstance(event, StageStarted):
            self._bar.start(event.stage, event.total, event.unit)
        elif isinstance(event, StepStarted):
            self._what = event.what
            self._bar.describe(event.what)
        elif isinstance(event, StepProgress):
            self._bar.describe(f"{self._what}: {_inside(event)}")
        elif isinstance(event, StepDone):
            self._bar.advance(event.count)
        else:
            self._notes(event)


@dataclass
class _Plain:
    """A line when a stage starts and ends, and now and then while it lasts."""

    notes: Listener
    stage: str = ""
    unit: str = ""
    total: int = 0
    done: int = 0
    reused: int = 0
    first_done: int = 0
    first_s: float = 0.0
    what: str = ""
    begun: float = field(default_factory=time.monotonic)
    said: float = field(default_factory=time.monotonic)

    def __call__(self, event: Event) -> None:
        if isinstance(event, StageStarted):
            self.stage, self.unit, self.total = event.stage, event.unit, event.total
            self.done = self.reused = self.first_done = 0
            self.begun = self.said = time.monotonic()
        elif isinstance(event, StepStarted):
            self.what = event.what
        elif isinstance(event, StepProgress):
            self._tell(event)
        elif isinstance(event, StepDone):
            self._advance(event)
        else:
            self.notes(event)

    def _advance(self, event: StepDone) -> None:
        self.done += event.count
        self.reused += event.count if event.reused else 0
        now = time.monotonic()
        if not self.first_done:
            self.first_done, self.first_s = self.done, now - self.begun
        if self.done < self.total and now - self.said < PLAIN_EVERY_S:
            return
        self.said = now
        render.print_progress(self._line(now - self.begun))

    def _tell(self, event: StepProgress) -> None:
        """Say how far a long step has come, where nothing was said for a while."""
        now = time.monotonic()
        if now - self.said >= PLAIN_EVERY_S:
            self.said = now
            counted = f"{self.stage}: {self.done}/{self.total} {self.unit}"
            render.print_progress(f"{counted}: {self.what}: {_inside(event)}")

    def _line(self, spent_s: float) -> str:
        counted = f"{self.stage}: {self.done}/{self.total} {self.unit}"
        reused = f", {self.reused} from before" if self.reused else ""
        if self.done >= self.total:
            return f"{counted}{reused}, {spent_s:.1f} s"
        if self.done == self.first_done:  # loading a network is no measure of what follows
            return f"{counted}{reused}: {self.what}"
        since_first_s = spent_s - self.first_s
        left_s = since_first_s / (self.done - self.first_done) * (self.total - self.done)
        return f"{counted}{reused}, about {left_s:.0f} s left: {self.what}"


def _inside(event: StepProgress) -> str:
    return f"{event.done:,}/{event.total:,} {event.unit}"
