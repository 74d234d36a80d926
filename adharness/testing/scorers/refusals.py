"""What a scorer must refuse: clause S4 of docs/contracts.md."""

from __future__ import annotations

from functools import partial

import numpy as np

from adharness.arrays import AnyArray
from adharness.contracts import Bag, Memory
from adharness.errors import ContractError, DataError
from adharness.testing.check import Check, require, require_refused
from adharness.testing.scorers.memories import World
from adharness.testing.scorers.subject import ScorerSubject, arrays_of
from adharness.testing.subject import as_given

EITHER = (ContractError, DataError)


def check_refuses_what_is_not_finite(subject: ScorerSubject) -> None:
    """A NaN or an infinity in the memory or in the features raises ContractError."""
    fitted, world = subject.fit(), subject.world
    for bad in (np.nan, np.inf):
        spoil = partial(_spoilt, bad=bad)
        features = world.normal(spoil)
        require_refused(partial(fitted.score, features), f"features that hold a {bad}")
        if subject.kind == "pixels":
            continue  # kept as bytes, the images of a memory hold none
        require_refused(partial(subject.fit, world.memory(spoil)), f"a memory that holds a {bad}")


def _longer(array: AnyArray) -> AnyArray:
    return np.concatenate([array, array[..., :1]], axis=-1)


def _spoilt(array: AnyArray, bad: float) -> AnyArray:
    spoilt = array.copy()
    if spoilt.dtype.kind == "f":
        spoilt[-1] = bad
    return spoilt


def check_refuses_other_lengths(subject: ScorerSubject) -> None:
    """Features of another D than the memory's raise ContractError."""
    longer = subject.world.normal(_longer)
    fitted = subject.fit()
    require_refused(partial(fitted.score, longer), "vectors longer than the memory's")


def check_refuses_an_empty_memory(subject: ScorerSubject) -> None:
    """A memory without a row or an image raises ContractError or DataError."""
    empty = subject.world.memory(as_given, images=0)
    require_refused(partial(subject.fit, empty), "a memory without a row", *EITHER)


def check_copes_with_one_row(subject: ScorerSubject) -> None:
    """A memory of one row, or one image, is refused in the same way or gives finite scores."""
    world = subject.world
    features = world.normal(as_given)
    try:
        scores = subject.fit(_first_row(world)).score(features)
    except EITHER:
        return
    for name, values in arrays_of(scores).items():
        require(bool(np.isfinite(values).all()), f"its {name} scores after one row are not finite")


def _first_row(world: World) -> Memory:
    memory = world.memory(as_given, images=1)
    if isinstance(memory, Bag):
        return Bag(memory.rows[:1], memory.images[:1])
    return memory


REFUSALS: tuple[Check[ScorerSubject], ...] = (
    Check("S4", check_refuses_what_is_not_finite),
    Check("S4", check_refuses_other_lengths),
    Check("S4", check_refuses_an_empty_memory),
    Check("S4", check_copes_with_one_row),
)
