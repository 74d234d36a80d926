"""A detector chosen and not yet fitted: its class, its options, and how its scores point."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import JsonValue

from adharness import SuiteError
from adharness.arrays import AnyArray, Float64
from adharness_sklearn.refusals import decided_option

Measure: TypeAlias = Callable[[Float64], AnyArray]
"""Anomaly scores (n,) of vectors (n, D), higher = more anomalous."""


@dataclass(frozen=True)
class Detector:
    """A class of a library with the options of a suite.

    Parameters
    ----------
    library
        As its users write it, for messages.
    made
        The class.
    options
        Checked against the constructor's signature.
    measure
        Gives the scores of a fitted one.
    """

    library: str
    made: type[Any]
    options: Mapping[str, JsonValue]
    measure: Callable[[Any], Measure]

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"{self.library}'s {self.made.__name__}"

    def fitted(self, rows: Float64, seed: int) -> Any:
        """Make and fit one on vectors (M, D); all that is random follows from `seed`."""
        takes = inspect.signature(self.made).parameters
        ours = {"random_state": seed, "novelty": True, "verbose": 0}
        decided = {name: value for name, value in ours.items() if name in takes}
        return self.made(**self.options, **decided).fit(rows)


def chosen(library: str, name: str, names: Iterable[str]) -> str:
    """Give the name back where the library has it.

    Raises
    ------
    SuiteError
        With the nearest name, or all of them.
    """
    known = sorted(names)
    if name in known:
        return name
    raise SuiteError(f"{library} has no detector {name!r}", hint=_closest(name, known))


def require_options(library: str, made: type[Any], options: Iterable[str]) -> None:
    """Raise unless the constructor takes every option.

    Raises
    ------
    SuiteError
        With the nearest argument, or all that a suite may set.
    """
    takes = [name for name in inspect.signature(made).parameters if not decided_option(name)]
    for name in options:
        if name not in takes:
            fact = f"{library}'s {made.__name__} has no option {name!r}"
            raise SuiteError(fact, hint=_closest(name, takes))


def _closest(word: str, words: list[str]) -> str:
    lower = {known.lower(): known for known in words}
    near = difflib.get_close_matches(word.lower(), lower, n=1, cutoff=0.5)
    listed = f"the choices are: {', '.join(words)}" if words else "it takes none"
    return f"did you mean {lower[near[0]]!r}?" if near else listed
