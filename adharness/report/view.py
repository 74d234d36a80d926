"""What the template prints: plain values, decided in Python, so the template only lays them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from adharness.report.drawings import Across, Charts, Figure, RankDiagram
from adharness.report.facts import Panel
from adharness.report.footnotes import Footnotes as Footnotes
from adharness.report.formats import DASH, interval, percent, quartiles, scaled_interval
from adharness.report.glances import Glance
from adharness.report.marks import Mark
from adharness.report.seeds import Score

if TYPE_CHECKING:
    from adharness.report.gallery import Gallery  # it has a heading on it, which has a column


@dataclass(frozen=True, slots=True)
class Number:
    """One number in a table.

    Parameters
    ----------
    text, aside
        The number, and its interval or spread in smaller type.
    note
        Tooltip.
    footnote
        Number of the footnote that says why it is undefined.
    sort
        What the column is sorted by; empty sorts last.
    best
        Whether it is the best of its group.
    heat
        Shade from 0 (lightest) to 100, None for no shade.
    """

    text: str
    aside: str = ""
    note: str = ""
    footnote: int | None = None
    sort: str = ""
    best: bool = False
    heat: int | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """Head of a column of numbers; `group` is the head above it, `tag` a word of caution in it.

    `key` names it in the address of a view; empty for its label.
    """

    label: str
    group: str
    kind: str
    arrow: str = ""
    unit: str = ""
    note: str = ""
    tag: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class ColumnGroup:
    """Head over neighbouring columns."""

    label: str
    kind: str
    span: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table.

    Parameters
    ----------
    keys
        `dataset`, `normalizer`, `thresholder` for the filters; a missing key is always shown.
    settings
        The text columns between the method and the numbers.
    state
        `ok`, `failed`, `partial` or `bound` (an upper bound that knows the class).
    why
        Why the line is not ranked or has no numbers.
    leads
        Whether a new group begins here, for a stronger rule above it.
    """

    method: str
    keys: dict[str, str]
    numbers: tuple[Number, ...]
    settings: tuple[str, ...] = ()
    detail: str = ""
    rank: str = ""
    state: str = "ok"
    why: str = ""
    leads: bool = False
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its caption, heads and footnotes."""

    id: str
    label: str
    caption: str
    settings: tuple[str, ...]
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    footnotes: tuple[str, ...] = ()
    keys: dict[str, str] = field(default_factory=dict)
    head: str = "Method"
    ranked: bool = False
    legend: tuple[str, str] | None = None
    references: tuple[Line, ...] = ()
    more_references: tuple[Line, ...] = ()

    @property
    def groups(self) -> list[ColumnGroup]:
        """Heads over the columns, neighbours of one group joined."""
        joined: list[ColumnGroup] = []
        for column in self.columns:
            if joined and joined[-1].label == column.group:
                joined[-1] = replace(joined[-1], span=joined[-1].span + 1)
            else:
                joined.append(ColumnGroup(column.group, column.kind, 1))
        return joined


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page."""

    title: str
    date: str
    subtitle: str
    source: str
    """What a table that is copied from the page says of where it is from."""
    bibtex: str
    glance: tuple[Glance, ...]
    glance_heads: tuple[tuple[str, str], ...]
    findings: tuple[str, ...]
    filters: dict[str, tuple[str, ...]]
    boards: tuple[tuple[str, tuple[Table, ...]], ...]
    per_class: tuple[tuple[str, tuple[Table, ...]], ...]
    dialects: tuple[tuple[str, tuple[Table, ...]], ...]
    deployment: tuple[tuple[str, tuple[Table, ...]], ...]
    thresholds: tuple[tuple[str, tuple[Table, ...]], ...]
    gap_charts: tuple[Figure, ...]
    gap_tables: tuple[tuple[str, tuple[Table, ...]], ...]
    across: Across
    shift_tables: tuple[tuple[str, tuple[Table, ...]], ...]
    galleries: tuple[Gallery, ...]
    skipped: tuple[tuple[str, str, str], ...]
    failures: tuple[tuple[str, str, str], ...]
    missing: int
    panels: tuple[Panel, ...]
    suite_text: str
    interval_note: str
    marks: tuple[Mark, ...] = ()
    significance: tuple[tuple[str, tuple[Table, ...]], ...] = ()
    rank_diagrams: tuple[RankDiagram, ...] = ()
    charts: Charts = field(default_factory=Charts)
    left_to_files: str = ""
    """Which methods have but their lines on the boards; empty where all are shown whole."""


def number(score: Score, notes: Footnotes, *, best: bool = False, note: str = "") -> Number:
    """Show a share of one in percent; an en dash with its reason where it is undefined."""
    if score.value is None:
        reason = score.reason or "undefined"
        return Number(DASH, note=reason, footnote=notes.mark(reason))
    return Number(
        percent(score.value),
        aside=interval(score) or quartiles(score),
        note=note or _note(score),
        sort=f"{score.value:.9g}",
        best=best,
    )


def by_label(tables: Sequence[Table]) -> tuple[tuple[str, tuple[Table, ...]], ...]:
    """Group tables by their label, for tabs; both in the order in which they came."""
    labels = dict.fromkeys(table.label for table in tables)
    return tuple((label, tuple(t for t in tables if t.label == label)) for label in labels)


def without_idle(table: Table, keep: int = 0) -> Table:
    """Drop the settings that are the same in every line, but for the first `keep`."""
    columns = list(zip(*(line.settings for line in table.lines), strict=True))
    kept = [at for at, values in enumerate(columns) if at < keep or len(set(values)) > 1]
    return replace(
        table,
        settings=tuple(table.settings[at] for at in kept),
        lines=tuple(
            replace(line, settings=tuple(line.settings[at] for at in kept)) for line in table.lines
        ),
    )


def _note(score: Score) -> str:
    exact = f"{score.value:.6g}"
    if score.spread is not None:
        other_images = scaled_interval(replace(score, spread=None), percent)
        of_mean = f"; image interval of the mean {other_images}" if other_images else ""
        return f"{exact}, mean over seeds; smallest and largest seed beside it{of_mean}"
    own = score.quartiles
    if own is None:
        return ""  # the number itself: the page says it exactly from what it sorts by
    told = ", ".join(f"{name} {value:.4g}" for name, value in own.model_dump().items())
    return f"{exact}, mean of the images' own numbers: {told}"
