"""Draws that depend on names alone, not on positions or on what else was drawn."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from math import floor

import numpy as np


def shuffled(names: Iterable[str], *salt: str | int) -> list[str]:
    """Put names in an order drawn by `salt`.

    A name's place follows from the hash of `salt` and the name itself, so the input's order does
    not matter, and two names keep their order when others come or go.

    Examples
    --------
    >>> shuffled(["a", "b", "c"], "demo", 0) == shuffled(["c", "a", "b"], "demo", 0)
    True
    """
    return sorted(set(names), key=lambda name: (_digest(*salt, name), name))


def generator(*salt: str | int) -> np.random.Generator:
    """Make a random generator from names and numbers, the same on every machine."""
    return np.random.default_rng(int.from_bytes(_digest(*salt)[:16], "big"))


def share_of(count: int, share: float) -> int:
    """`share` of `count` things, halves rounded up."""
    # The small term keeps 0.15 * 10 from falling below its half through binary fractions.
    return floor(count * share + 0.5 + 1e-9)


def _digest(*parts: str | int) -> bytes:
    return hashlib.sha256(json.dumps(parts).encode()).digest()
