"""Sweeps: one method of a suite as many, one for each combination of the values to try."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from adharness.suite.source import Loc

MAX_COMBINATIONS = 1000
_WORD = re.compile(r"(?!(true|false|null)$)[A-Za-z_][A-Za-z0-9_.+-]*")


@dataclass(frozen=True)
class Combination:
    """One choice of a value for each swept key.

    `values` maps a key such as `bank.ratio` to the value, `picks` to its position in the list.
    """

    values: Mapping[str, Any]
    picks: Mapping[str, int]

    @property
    def suffix(self) -> str:
        """`[bank.ratio=0.01,scorer.k=3]`, keys in alphabetical order; empty without a sweep."""
        pairs = (f"{key}={plain(value)}" for key, value in self.values.items())
        return f"[{','.join(pairs)}]" if self.values else ""

    def part(self, part: str) -> dict[str, tuple[Any, str, int]]:
        """Parameters of `bank`, `scorer` or `maps`: name -> value, swept key, position."""
        keys = [key for key in self.values if key.startswith(f"{part}.")]
        return {key.partition(".")[2]: (self.values[key], key, self.picks[key]) for key in keys}

    def placed(self, part: str, loc: Loc, model: type[BaseModel]) -> Callable[[Loc], Loc]:
        """Say where the file holds a value of a part of the method at `loc`: swept, or written."""
        swept = self.part(part)

        def place(inner: Loc) -> Loc:
            if inner and inner[0] in swept:
                _, key, pick = swept[str(inner[0])]
                item = (pick, *inner[1:]) if inner[0] in model.model_fields else ()
                return (*loc, "sweep", key, *item)
            return (*loc, part, *inner)

        return place


def size(sweep: Mapping[str, Sequence[Any]]) -> int:
    """How many combinations there are; 1 without a sweep."""
    return math.prod(len(values) for values in sweep.values())


def combinations(sweep: Mapping[str, Sequence[Any]]) -> list[Combination]:
    """List the cartesian product: values in the order given, keys in alphabetical order.

    Examples
    --------
    >>> [c.suffix for c in combinations({"scorer.k": [1, 3]})]
    ['[scorer.k=1]', '[scorer.k=3]']
    """
    keys = sorted(sweep)
    picks = itertools.product(*(range(len(sweep[key])) for key in keys))
    return [_combination(sweep, dict(zip(keys, pick, strict=True))) for pick in picks]


def plain(value: Any) -> str:
    """Write a value inside a name: a word bare, all else as compact JSON, so that '1' is not 1."""
    word = isinstance(value, str) and _WORD.fullmatch(value)
    return str(value) if word else json.dumps(value, separators=(",", ":"))


def _combination(sweep: Mapping[str, Sequence[Any]], picks: dict[str, int]) -> Combination:
    return Combination({key: sweep[key][pick] for key, pick in picks.items()}, picks)
