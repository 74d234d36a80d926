"""What is told of a long piece of work, shown as one stage of the progress on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from adharness.cli.progress import shown
from adharness.engine.events import Listener, Stage, StageStarted, StepDone, StepStarted
from adharness.progress import listening


@contextmanager
def told_as(stage: Stage, what: str, *, quiet: bool = False) -> Iterator[None]:
    """Show what is told while the block runs; a new total or unit begins the stage again."""
    with shown(quiet=quiet) as listener, listening(_Relay(listener, stage, what)):
        yield


@dataclass
class _Relay:
    """Turns `done of total` into events."""

    listener: Listener
    stage: Stage
    what: str
    total: int = 0
    done: int = 0

    def __call__(self, done: int, total: int, unit: str) -> None:
        if total != self.total or done < self.done:
            self.total, self.done = total, 0
            self.listener(StageStarted(self.stage, total, unit))
            self.listener(StepStarted(self.stage, self.what))
        self.listener(StepDone(self.stage, done - self.done))
        self.done = done
