"""What the engine tells whoever listens. It prints nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TypeAlias

from adharness.progress import listening
from adharness.store.records import Failure

Stage: TypeAlias = Literal[
    "survey", "extract", "fit and score", "judge", "examine", "compare", "download", "unpack"
]


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A stage begins; `total` counts its steps (images, models or cells)."""

    stage: Stage
    total: int
    unit: str


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step begins; `what` names it."""

    stage: Stage
    what: str


@dataclass(frozen=True, slots=True)
class StepProgress:
    """How far the step that runs has come, in units of its own."""

    stage: Stage
    done: int
    total: int
    unit: str


@dataclass(frozen=True, slots=True)
class StepDone:
    """`count` steps are done; `reused` if they came from the store or the cache."""

    stage: Stage
    count: int = 1
    reused: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """Something failed and the run goes on."""

    what: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class ImageSkipped:
    """An image was left out under `on_error: skip`."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class CacheMended:
    """Cached features were damaged, and are made again."""

    message: str


Event: TypeAlias = (
    StageStarted | StepStarted | StepProgress | StepDone | Failed | ImageSkipped | CacheMended
)
Listener: TypeAlias = Callable[[Event], None]


@contextmanager
def relayed(listener: Listener, stage: Stage) -> Iterator[None]:
    """Pass on what is told of a long step while the block runs, as progress of its stage."""

    def told(done: int, total: int, unit: str) -> None:
        listener(StepProgress(stage, done, total, unit))

    with listening(told):
        yield
