"""What the page draws: places in pixels of the drawing, decided in Python."""

from __future__ import annotations

from dataclasses import dataclass


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
class StripRow:
    """Scores of one class: paths of the marks of its normal and of its anomalous images."""

    label: str
    y: float
    normal: str
    anomalous: str
    text: str


@dataclass(frozen=True, slots=True)
class StripChart(Drawing):
    """Scores by class on one axis; `cuts` are thresholds as (x, y of the label, label)."""

    rows: tuple[StripRow, ...]
    cuts: tuple[tuple[float, float, str], ...]
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
class RankDiagram(Drawing):
    """Average ranks on an axis; `joined` are bars (x from, x to, y) over what does not differ."""

    axis_y: float
    ticks: tuple[tuple[float, str], ...]
    marks: tuple[RankMark, ...]
    joined: tuple[tuple[float, float, float], ...]
