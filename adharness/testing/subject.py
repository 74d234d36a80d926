"""What the kit tries: a component with its parameters, and a small world to use it in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Protocol, TypeAlias, TypeVar
from unittest import SkipTest

import numpy as np
from pydantic import ValidationError

from adharness.arrays import AnyArray
from adharness.contracts import AnySpec, Params
from adharness.errors import PluginError, refusals


class ConformanceError(AssertionError):
    """A component broke a clause of its contract; the message has the clause and the values."""


Arrange: TypeAlias = Callable[[AnyArray], AnyArray]
"""What is done to each input array before the component gets it."""
SpecT = TypeVar("SpecT", bound=AnySpec)
RoleT = TypeVar("RoleT")


class Subject(Protocol):
    """A component under trial, whatever its kind."""

    @property
    def spec(self) -> AnySpec:
        """Its record."""

    @property
    def params(self) -> Params:
        """Parameters that it is tried with."""

    @property
    def label(self) -> str:
        """What tells this trial from others of the same component; empty where it is the only."""

    def use(self, arrange: Arrange) -> Mapping[str, AnyArray]:
        """Use the component once, from nothing, with fixed seeds: what it gave, by name."""

    def again(self) -> tuple[Callable[[], object], int]:
        """Give what a run calls image by image, and the bytes that one call is given."""


@dataclass(frozen=True, eq=False)
class ComponentSubject(Generic[SpecT, RoleT]):
    """A component that is made; each kind says how it is used.

    Parameters
    ----------
    spec
        Its record.
    example
        The parameters that are not default.
    """

    spec: SpecT
    example: Mapping[str, Any]

    @property
    def apart(self) -> tuple[str, ...]:
        """What tells this trial from others of the same parameters."""
        return ()

    @cached_property
    def params(self) -> Params:
        """Parameters that it is tried with."""
        return params_of(self.spec, self.example)

    @property
    def label(self) -> str:
        """What tells this trial from others of the same component."""
        return label_of(self.example, *self.apart)

    def make(self) -> RoleT:
        """Make the component."""
        component: RoleT = made(self.spec, self.params)
        return component


@dataclass(frozen=True, slots=True, eq=False)
class RecordSubject:
    """The record of a component, which is not made."""

    spec: AnySpec
    label: str = ""

    @property
    def params(self) -> Params:
        """Raise SkipTest: a record has a model of parameters, and none of its own."""
        raise SkipTest("only its record is tried")

    def use(self, arrange: Arrange) -> Mapping[str, AnyArray]:  # noqa: ARG002  nothing is used
        """Give nothing."""
        return {}

    def again(self) -> tuple[Callable[[], object], int]:
        """Give a call that does nothing."""
        return lambda: None, 1


def as_given(array: AnyArray) -> AnyArray:
    """Leave an input as it is."""
    return array


def read_only(array: AnyArray) -> AnyArray:
    """Give a copy that cannot be written to, as a mapped file cannot."""
    kept = array.copy()
    kept.flags.writeable = False
    return kept


def strided(array: AnyArray) -> AnyArray:
    """Give the same values in memory that is not contiguous, as a slice of a larger array is."""
    wide = np.repeat(array, 2, axis=-1)
    return wide[..., ::2]


def params_of(spec: AnySpec, example: Mapping[str, Any]) -> Params:
    """Validate an example of a record.

    Raises
    ------
    SkipTest
        Where the defaults are not enough: nobody said how it can be tried.
    ConformanceError
        Where the model refuses an example of the record.
    """
    try:
        return spec.params(**example)
    except ValidationError as error:
        told = "; ".join(refusals(error))
        if not example:
            raise SkipTest(f"its defaults alone are refused: {told}") from error
        raise ConformanceError(f"its example {label_of(example)} is refused: {told}") from error


def made(spec: AnySpec, params: Params) -> Any:
    """Make the component.

    Raises
    ------
    SkipTest
        Where it says that something it needs is not installed.
    """
    try:
        return spec.make(params)
    except PluginError as error:
        raise SkipTest(error.message) from error


def label_of(example: Mapping[str, Any], *more: str) -> str:
    """Name a trial by the parameters that are not default, and whatever else tells it apart."""
    said = json.dumps(dict(example), default=str, sort_keys=True) if example else ""
    return " ".join(part for part in (*more, said) if part)


def present(arrays: Mapping[str, AnyArray | None]) -> dict[str, AnyArray]:
    """Leave out what a component did not give."""
    return {name: array for name, array in arrays.items() if array is not None}
