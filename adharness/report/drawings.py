"""What the page draws: numbers for its scripts, decided in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from adharness.report.embedded import Plain

if TYPE_CHECKING:  # tables are laid out around figures, and so know them
    from adharness.report.view import Table


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
class CostFigure:
    """Quality against costs, with the numbers in a table beneath."""

    figure: Figure
    table: Table


@dataclass(frozen=True, slots=True)
class Charts:
    """Figures of their own sections, by tab, and the curves that they draw, each written once."""

    image_curves: Figures = ()
    pixel_curves: Figures = ()
    curves_missing: bool = False
    """Whether pixels were ranked and yet no curve of them is stored, as by older versions."""
    histograms: Figures = ()
    costs: tuple[tuple[str, tuple[CostFigure, ...]], ...] = ()
    measured: str = ""
    """Under what circumstances the costs were."""
    shelf: Sequence[Sequence[int]] = ()


@dataclass(frozen=True, slots=True)
class Across:
    """Everything that compares classes: by protocol, by method, by projection."""

    cross: tuple[tuple[str, tuple[Table, ...]], ...] = ()
    neighbours: tuple[tuple[str, tuple[Table, ...]], ...] = ()
    scatters: Figures = ()
    unseen: tuple[str, ...] = ()
    """Why a view that was asked for is not drawn."""


@dataclass(frozen=True, slots=True)
class RankMark:
    """A method on the axis of ranks: a path to its label, and where that stands."""

    label: str
    text: str
    path: str
    x: float
    y: float
    anchor: str


@dataclass(frozen=True, slots=True)
class RankDiagram:
    """Average ranks on an axis, in pixels; `joined` are bars (x from, x to, y) over equals."""

    title: str
    note: str
    keys: Mapping[str, str]
    width: float
    height: float
    axis_y: float
    ticks: tuple[tuple[float, str], ...]
    marks: tuple[RankMark, ...]
    joined: tuple[tuple[float, float, float], ...]
