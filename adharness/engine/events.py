"""What the engine tells whoever listens. It prints nothing itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias, get_args

from pydantic import BaseModel, TypeAdapter

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


@dataclass(frozen=True, slots=True)
class Retried:
    """A process died, and its work is begun again; `attempt` counts from 1."""

    what: str
    failure: Failure
    attempt: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing goes on until something outside the run does: a scheduler, a worker."""

    message: str


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """A worker of the cluster is gone; others are given what it had."""

    worker: str


@dataclass(frozen=True, slots=True)
class Printed:
    """What a process wrote on its standard error, its last lines."""

    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """What libraries a working process had loaded: their threads, builds and flags."""

    libraries: dict[str, Any]


Event: TypeAlias = (
    StageStarted
    | StepStarted
    | StepProgress
    | StepDone
    | Failed
    | ImageSkipped
    | CacheMended
    | Retried
    | Waiting
    | WorkerLost
    | Printed
    | Loaded
)
Listener: TypeAlias = Callable[[Event], None]


@contextmanager
def relayed(listener: Listener, stage: Stage) -> Iterator[None]:
    """Pass on what is told of a long step while the block runs, as progress of its stage."""

    def told(done: int, total: int, unit: str) -> None:
        listener(StepProgress(stage, done, total, unit))

    with listening(told):
        yield


def event_name(event: Event) -> str:
    """Name the kind of an event, as a journal does: `step_done`."""
    return _snake(type(event))


def event_facts(event: Event) -> dict[str, Any]:
    """Give the fields of an event as JSON values."""
    return {
        name: value.model_dump(mode="json") if isinstance(value, BaseModel) else value
        for name, value in asdict(event).items()
    }


def event_of(name: str, facts: Mapping[str, Any]) -> Event:
    """Make the event again from its name and fields. Raises ValueError where it is none."""
    kind = next((kind for kind in get_args(Event) if _snake(kind) == name), None)
    if kind is None:
        raise ValueError(f"there is no event '{name}'")
    event: Event = TypeAdapter(kind).validate_python(dict(facts))
    return event


def _snake(kind: type) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
