"""Draws that depend on names alone, not on positions or on what else was drawn."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import floor

import numpy as np

from adharness.contracts import Sample


@dataclass(frozen=True, slots=True)
class Draw:
    """Which normal images train, where a set's owners give no split.

    Parameters
    ----------
    name
        Of the data set: it salts the draw.
    train
        Share of a class's normal images that train; halves are rounded up.
    seed
        Draws them.
    """

    name: str
    train: float
    seed: int

    def portions(self, samples: Sequence[Sample]) -> list[Sample]:
        """Put the images of one class into `train` and `test`; anomalies and validation stay."""
        free = [s.path for s in samples if s.label == 0 and s.portion != "validation"]
        order = shuffled(free, self.name, self.seed)
        train = set(order[: share_of(len(free), self.train)])
        return [
            s
            if s.portion == "validation" or s.label == 1
            else replace(s, portion="train" if s.path in train else "test")
            for s in samples
        ]


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
