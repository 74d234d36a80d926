"""What the page draws: places in pixels of the drawing, decided in Python."""

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


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart, in pixels of the drawing."""

    label: str
    text: str
    x: float
    y: float
    width: float
    text_x: float
    kind: str
    whisker: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Drawing:
    """What every drawing has; `keys` say for which filters it is shown."""

    title: str
    note: str
    keys: dict[str, str]
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart(Drawing):
    """Horizontal bars from a common zero line."""

    zero_x: float
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Cloud:
    """Images of one class in a plane: paths of the normal and of the anomalous ones.

    `colour` is one of 0 to 5; the name stands at (x, y).
    """

    label: str
    colour: int
    normal: str
    anomalous: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Scatter(Drawing):
    """Images in a plane."""

    clouds: tuple[Cloud, ...]
