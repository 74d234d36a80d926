"""A method over runs: which numbers make one series, and the line through them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from adharness.report.comparable import Condition, differences
from adharness.report.formats import DASH, percent
from adharness.report.headings import protocol_title
from adharness.report.metric_names import metric_name
from adharness.report.site_records import SiteRow, SiteRun, judged_of

WIDTH, HEIGHT = 480, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 12, 24
_UNKNOWN = Condition(None, "not recorded")


@dataclass(frozen=True, slots=True)
class Point:
    """One run of a series.

    Parameters
    ----------
    versions
        Of adharness and the plugins that took part.
    breaks
        Why it is not comparable with the point before, one reason each; empty where it is.
    changed
        Whether the method's own settings are others than before.
    """

    date: str
    number: str
    aside: str
    value: float | None
    ends: tuple[float, float] | None
    standing: str
    caution: str
    origin: str
    versions: str
    place: str
    breaks: tuple[str, ...]
    changed: bool


@dataclass(frozen=True, slots=True)
class History:
    """A method in one suite on one data set, under one protocol and normalizer; oldest first."""

    suite: str
    dataset: str
    protocol: str
    normalizer: str
    metric: str
    points: tuple[Point, ...]

    @property
    def protocol_title(self) -> str:
        """The protocol as headings call it."""
        return protocol_title(self.protocol)


@dataclass(frozen=True, slots=True)
class Dot:
    """A point of a drawing; the whisker is its interval."""

    x: float
    y: float
    whisker: tuple[float, float] | None
    text: str


@dataclass(frozen=True, slots=True)
class LineChart:
    """A drawn history: a line runs only through numbers that may be compared."""

    title: str
    paths: tuple[str, ...]
    dots: tuple[Dot, ...]
    cuts: tuple[float, ...]
    ticks: tuple[tuple[float, str], ...]
    dates: tuple[str, str]
    width: int = WIDTH
    height: int = HEIGHT


def histories(runs: Sequence[SiteRun], method: str) -> list[History]:
    """Give every series of a method; `runs` oldest first.

    Notes
    -----
    The thresholder does not touch the headline number: of several, the first that is ranked.
    """
    found: dict[tuple[str, str, str, str], list[tuple[SiteRun, SiteRow]]] = {}
    for run in runs:
        for row in _one_thresholder([row for row in run.rows if row.method == method]):
            key = (run.suite, row.dataset, row.protocol, row.normalizer)
            found.setdefault(key, []).append((run, row))
    return [
        History(*key, headline_told(entries[-1][1]), tuple(_points(entries)))
        for key, entries in found.items()
    ]


def headline_told(row: SiteRow) -> str:
    """Name the number that a row is ranked by: `macro image AUROC`."""
    return f"{row.class_name} {metric_name(row.metric).full}"


def drawn(history: History) -> LineChart | None:
    """Draw a history; None where fewer than two numbers are defined."""
    known = [point for point in history.points if point.value is not None]
    if len(known) < 2:
        return None
    values = [end for p in known for end in (p.value or 0.0, *(p.ends or ()))]
    low, high = _padded(min(values), max(values))
    xs = _across([point.date for point in known])

    def down(value: float) -> float:
        return round(_TOP + (HEIGHT - _TOP - _BOTTOM) * (high - value) / (high - low), 1)

    ys = [down(point.value or 0.0) for point in known]
    return LineChart(
        title=f"{history.dataset}, {history.protocol_title}, {history.normalizer}",
        paths=tuple(_paths(known, xs, ys)),
        dots=tuple(
            Dot(
                x,
                y,
                (down(p.ends[0]), down(p.ends[1])) if p.ends else None,
                f"{p.date}: {p.number}",
            )
            for p, x, y in zip(known, xs, ys, strict=True)
        ),
        cuts=tuple((xs[at - 1] + xs[at]) / 2 for at, p in enumerate(known) if at and p.breaks),
        ticks=tuple((down(value), percent(value)) for value in (low, (low + high) / 2, high)),
        dates=(known[0].date, known[-1].date),
    )


def _one_thresholder(rows: Iterable[SiteRow]) -> list[SiteRow]:
    kept: dict[tuple[str, ...], SiteRow] = {}
    for row in rows:
        key = (row.dataset, row.protocol, row.normalizer)
        if key not in kept or (kept[key].rank is None and row.rank is not None):
            kept[key] = row
    return list(kept.values())


def _points(entries: Sequence[tuple[SiteRun, SiteRow]]) -> Iterable[Point]:
    before: tuple[SiteRun, SiteRow] | None = None
    for run, row in entries:
        yield _point(run, row, before)
        before = (run, row) if row.value is not None or before is None else before


def _point(run: SiteRun, row: SiteRow, before: tuple[SiteRun, SiteRow] | None) -> Point:
    ends = None if row.low is None or row.high is None else (row.low, row.high)
    return Point(
        date=run.started[:10],
        number=DASH if row.value is None else percent(row.value),
        aside=f"{percent(ends[0])}{DASH}{percent(ends[1])}" if ends else "",
        value=row.value,
        ends=ends,
        standing=f"{row.rank} of {row.of}" if row.rank else DASH,
        caution=row.caution,
        origin=row.origin,
        versions=", ".join(f"{name} {version}" for name, version in row.versions.items()),
        place=run.place,
        breaks=_breaks(before, (run, row)) if before else (),
        changed=before is not None and before[1].settings != row.settings,
    )


def _breaks(first: tuple[SiteRun, SiteRow], second: tuple[SiteRun, SiteRow]) -> tuple[str, ...]:
    """Say what keeps two points apart; what one of them does not record is never equal."""
    sides = judged_of(*first), judged_of(*second)
    names = list(dict.fromkeys([*sides[0], *sides[1]]))
    whole = [{name: side.get(name, _UNKNOWN) for name in names} for side in sides]
    return tuple(map(str, differences(*whole)))


def _across(dates: Sequence[str]) -> list[float]:
    """Place points by their day; those of one day share its width evenly, in their order."""
    days = [datetime.fromisoformat(date).toordinal() for date in dates]
    span = days[-1] - days[0]
    shares = [(day - days[0]) / span for day in days] if len(set(days)) == len(days) else [
        at / (len(days) - 1) for at in range(len(days))
    ]  # fmt: skip
    return [round(_LEFT + (WIDTH - _LEFT - _RIGHT - 8) * share, 1) for share in shares]


def _paths(points: Sequence[Point], xs: Sequence[float], ys: Sequence[float]) -> Iterable[str]:
    path: list[str] = []
    for point, x, y in zip(points, xs, ys, strict=True):
        if point.breaks and path:
            yield "".join(path)
            path = []
        path.append(f"{'L' if path else 'M'}{x} {y}")
    yield "".join(path)


def _padded(low: float, high: float) -> tuple[float, float]:
    room = max(0.1 * (high - low), 0.005)
    return max(0.0, low - room), min(1.0, high + room)
