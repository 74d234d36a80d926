"""What the kit tries: a component with its parameters, and a small world to use it in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias
from unittest import SkipTest

import numpy as np
from pydantic import ValidationError

from adharness.arrays import AnyArray
from adharness.contracts import AnySpec, Params
from adharness.errors import PluginError

Arrange: TypeAlias = Callable[[AnyArray], AnyArray]
"""What is done to each input array before the component gets it."""


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
        Where a parameter without a default is missing: nobody said how it can be tried.
    """
    try:
        return spec.params(**example)
    except ValidationError as error:
        missing = [".".join(map(str, e["loc"])) for e in error.errors() if e["type"] == "missing"]
        if missing and not example:
            raise SkipTest(f"it has no default of {', '.join(missing)}: give examples") from error
        raise


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
