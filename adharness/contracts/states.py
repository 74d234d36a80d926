"""What a fitted scorer wrote, checked before anything is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from adharness.arrays import AnyArray, require_finite
from adharness.errors import ContractError

StateType: TypeAlias = Literal["bool", "uint8", "int64", "float32", "float64"]
Layout: TypeAlias = Mapping[str, tuple[StateType, tuple[int | str, ...]]]
"""What a state holds: of each array its name, its type, and its shape.

A length that several arrays share is a name: `{"mean": ("float32", ("D",))}`.
"""

HINT = "the file was changed, or written with other parameters or another version: fit again"


@dataclass(frozen=True, eq=False)
class CheckedState:
    """Arrays of a state that are all there, of their type and shape, and finite.

    Parameters
    ----------
    arrays
        By name; aligned and C-contiguous, so that a product rounds as it did when it was stored.
    sizes
        The lengths that the layout has a name for.
    """

    arrays: Mapping[str, AnyArray]
    sizes: Mapping[str, int]

    def __getitem__(self, name: str) -> AnyArray:
        """Give an array by name."""
        return self.arrays[name]


def check_state(state: Mapping[str, AnyArray], layout: Layout, *, scorer: str) -> CheckedState:
    """Check what `Restoring.restore` was given against what `Storable.state` gives.

    Parameters
    ----------
    state
        Arrays by name, perhaps out of a file that somebody else wrote.
    layout
        Type and shape of each array. A length is a number, or a name: of lengths with one name the
        first is at least 1, and the others are equal to it.
    scorer
        For the message.

    Raises
    ------
    ContractError
        Where an array is missing or is none of the layout, has another type or shape, or holds a
        value that is not finite; the message has its name.

    Examples
    --------
    >>> layout = {"mean": ("float64", ("D",)), "axes": ("float64", (2, "D"))}
    >>> checked = check_state({"mean": np.ones(5), "axes": np.ones((2, 5))}, layout, scorer="s")
    >>> checked.sizes["D"]
    5
    """
    _require_names(state, layout, scorer)
    sizes: dict[str, int] = {}
    arrays = {}
    for name, (kind, shape) in layout.items():
        title = f"{scorer}'s array '{name}'"
        _require_type(state[name], kind, title)
        _require_lengths(state[name], shape, sizes, title)
        require_finite(state[name], name=title)
        arrays[name] = np.require(state[name], requirements=["C", "A"])
    return CheckedState(arrays, sizes)


def require_state(fact: bool, message: str) -> None:
    """Raise ContractError with the message unless the fact about a state holds."""
    if not fact:
        raise ContractError(message, hint=HINT)


def _require_names(state: Mapping[str, AnyArray], layout: Layout, scorer: str) -> None:
    missing = ", ".join(f"'{name}'" for name in layout if name not in state)
    require_state(not missing, f"{scorer}'s state lacks {missing}")
    extra = ", ".join(f"'{name}'" for name in sorted(state) if name not in layout)
    require_state(not extra, f"{scorer}'s state has {extra}, which is none of its arrays")


def _require_type(array: AnyArray, kind: StateType, title: str) -> None:
    message = f"{title} is of type {array.dtype.str}, expected {np.dtype(kind).str} ({kind})"
    require_state(array.dtype == np.dtype(kind), message)


def _require_lengths(
    array: AnyArray, shape: tuple[int | str, ...], sizes: dict[str, int], title: str
) -> None:
    """Raise unless the shape fits; lengths with a new name are added to `sizes`."""
    known = [sizes.get(n, n) if isinstance(n, str) else n for n in shape]
    wanted = "(" + ", ".join(map(str, known)) + ("," if len(known) == 1 else "") + ")"
    message = f"{title} has shape {array.shape}, expected {wanted}"
    require_state(array.ndim == len(shape), message)
    for name, length in zip(shape, array.shape, strict=True):
        expected = sizes.setdefault(name, length) if isinstance(name, str) else name
        require_state(length == expected and (length > 0 or name == 0), message)
