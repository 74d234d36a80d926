"""What the page draws: numbers for its scripts, decided in Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from adharness.report.embedded import Plain


@dataclass(frozen=True, slots=True)
class Figure:
    """Data that a script of the page draws.

    Parameters
    ----------
    kind
        Which script: the name under which it registers in `CHARTS`.
    keys
        `dataset`, `normalizer`, `thresholder`: for which filters it is shown.
    instead
        Where a reader without scripts finds the same numbers.
    """

    kind: str
    title: str
    note: str
    keys: Mapping[str, str]
    data: Plain
    instead: str


Figures: TypeAlias = tuple[tuple[str, tuple[Figure, ...]], ...]
"""Figures by the label of their tab."""
