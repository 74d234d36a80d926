"""What is told of a long piece of work, shown as one stage of the progress on stderr."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from adharness.cli.progress import shown
from adharness.engine.events import Listener, Stage, StageStarted, StepDone, StepStarted
from adharness.progress import listening


@contextmanager
def told_as(stages: Mapping[str, Stage], what: str, *, quiet: bool = False) -> Iterator[None]:
    """Show what is told while the block runs: the unit says which stage it is.

    Another unit or total, or a smaller count, begins a stage.
    """
    with shown(quiet=quiet) as listener, listening(_Relay(listener, stages, what)):
        yield


@dataclass
class _Relay:
    """Turns `done of total` into events."""

    listener: Listener
    stages: Mapping[str, Stage]
    what: str
    stage: Stage | None = None
    total: int = 0
    done: int = 0

    def __call__(self, done: int, total: int, unit: str) -> None:
        stage = self.stages[unit]
        if (stage, total) != (self.stage, self.total) or done < self.done:
            self.stage, self.total, self.done = stage, total, 0
            self.listener(StageStarted(stage, total, unit))
            self.listener(StepStarted(stage, self.what))
        self.listener(StepDone(stage, done - self.done))
        self.done = done
