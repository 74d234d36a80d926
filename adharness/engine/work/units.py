"""What a run is cut into. A unit is JSON, and small: who works on it knows the plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from adharness.engine.parts import PartKey
from adharness.engine.score import ScoringOutcome
from adharness.store.records import Failure


class _Unit(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    """How the progress and failures name it."""

    def alone(self) -> list[Unit]:
        """Cut it into units that can only fail for themselves; empty where it is one already."""
        return []

    @property
    def size(self) -> int:
        """How many times the suite's `time_s` it may take."""
        return 1


class Identify(_Unit):
    """Build the extractor of a group, and tell its identity: weights hashed, versions read."""

    kind: Literal["identify"] = "identify"
    family: int
    group: int


class Extract(_Unit):
    """Extract the features of these parts of a group into the cache."""

    kind: Literal["extract"] = "extract"
    family: int
    group: int
    identity: dict[str, Any]
    parts: tuple[PartKey, ...]

    def alone(self) -> list[Unit]:
        """Each part."""
        if len(self.parts) == 1:
            return []
        return [self.model_copy(update={"parts": (part,)}) for part in self.parts]


class Fit(_Unit):
    """Fit one model, and score with it what the cells of every group of the bench ask for."""

    kind: Literal["fit"] = "fit"
    model: tuple[str, str | None, int]
    """Method, class that it is trained on (None: all), seed."""


class Judge(_Unit):
    """Judge cells of one group that share raw scores; `cells` are positions in the group."""

    kind: Literal["judge"] = "judge"
    group: int
    cells: tuple[int, ...]
    outcomes: tuple[ScoringOutcome, ...]
    """What came of the models they need, in the order of `tasks_of`."""

    def alone(self) -> list[Unit]:
        """Each cell."""
        if len(self.cells) == 1:
            return []
        return [self.model_copy(update={"cells": (cell,)}) for cell in self.cells]

    @property
    def size(self) -> int:
        """How many cells it has."""
        return len(self.cells)


Unit: TypeAlias = Identify | Extract | Fit | Judge
Limited: TypeAlias = Fit | Judge
"""Units whose time and memory a suite may limit."""
_UNIT: TypeAdapter[Unit] = TypeAdapter(Annotated[Unit, Field(discriminator="kind")])


def unit_of(told: Mapping[str, Any]) -> Unit:
    """Read a unit from its JSON. Raises ValueError where it is none."""
    return _UNIT.validate_python(dict(told))


def unit_of_json(text: str) -> Unit:
    """Read a unit from JSON as text. Raises ValueError where it is none."""
    return _UNIT.validate_json(text)


class Opened(BaseModel):
    """A group's features, as far as the cache does not tell: to open the group elsewhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    identity: dict[str, Any]
    failures: dict[str, Failure]
    """Classes that could not be extracted."""


class BenchRequest(BaseModel):
    """Which data set with its shifts is worked on next; extracted already."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: int
    opened: tuple[Opened, ...]
