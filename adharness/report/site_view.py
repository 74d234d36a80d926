"""What the pages of a site show, decided before the templates lay it out."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from dataclasses import dataclass

from adharness.report.formats import DASH, counted, percent
from adharness.report.headings import protocol_title
from adharness.report.site_history import (
    History,
    LineChart,
    drawn,
    headline_told,
    histories,
)
from adharness.report.site_records import FILES, PAGE, SiteRow, SiteRun, slug

NAMED = 3
"""Methods of one rank that the index names."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link within the site, relative to the page that it stands on."""

    text: str
    url: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class First:
    """Who leads a data set under a protocol; several where they share the first rank."""

    number: str
    aside: str
    methods: tuple[Link, ...]
    more: int
    """How many share the rank and are not named."""
    setting: str


@dataclass(frozen=True, slots=True)
class RunView:
    """A run on the index: its page, its files and its winners by data set and protocol."""

    date: str
    page: str
    files: tuple[Link, ...]
    told: str
    heads: tuple[tuple[str, str], ...]
    winners: tuple[tuple[str, tuple[First | None, ...]], ...]


@dataclass(frozen=True, slots=True)
class SuiteView:
    """A suite on the index: its latest run, and those before."""

    name: str
    latest: RunView
    earlier: tuple[RunView, ...]


@dataclass(frozen=True, slots=True)
class MethodEntry:
    """A method on the index."""

    link: Link
    runs: int
    suites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SiteIndex:
    """The front page."""

    title: str
    date: str
    subtitle: str
    suites: tuple[SuiteView, ...]
    methods: tuple[MethodEntry, ...]


@dataclass(frozen=True, slots=True)
class MethodPage:
    """A method: by suite its series, each with its drawing where there is more than one number."""

    title: str
    method: str
    subtitle: str
    suites: tuple[tuple[str, tuple[tuple[History, LineChart | None], ...]], ...]


def site_index(title: str, runs: Sequence[SiteRun]) -> SiteIndex:
    """Make the front page; `runs` oldest first, at least one."""
    by_suite: dict[str, list[SiteRun]] = {}
    for run in reversed(runs):  # the suite of the newest run first
        by_suite.setdefault(run.suite, []).append(run)
    methods = method_names(runs)
    return SiteIndex(
        title=title,
        date=runs[-1].started[:10],
        subtitle=_counts(by_suite, runs, methods),
        suites=tuple(
            SuiteView(name, run_view(found[0]), tuple(map(run_view, found[1:])))
            for name, found in by_suite.items()
        ),
        methods=tuple(_entry(name, runs) for name in methods),
    )


def _counts(suites: Sized, runs: Sized, methods: Sized) -> str:
    counts = [(suites, "suite"), (runs, "run"), (methods, "method")]
    return ", ".join(counted(len(found), noun) for found, noun in counts)


def method_names(runs: Sequence[SiteRun]) -> list[str]:
    """Name every method, in the order of the alphabet."""
    return sorted({row.method for run in runs for row in run.rows}, key=lambda n: (n.lower(), n))


def method_page(title: str, method: str, runs: Sequence[SiteRun]) -> MethodPage:
    """Make the page of a method; `runs` oldest first."""
    found = histories(runs, method)
    suites = list(dict.fromkeys(history.suite for history in found))
    count = len({point.place for history in found for point in history.points})
    return MethodPage(
        title=title,
        method=method,
        subtitle=f"{counted(count, 'run')} of {counted(len(suites), 'suite')}",
        suites=tuple(
            (suite, tuple((one, drawn(one)) for one in found if one.suite == suite))
            for suite in suites
        ),
    )


def method_url(method: str) -> str:
    """Path of a method's page within the site."""
    return f"methods/{slug(method)}.html"


def winners_of(run: SiteRun, dataset: str, protocol: str) -> list[SiteRow]:
    """Give those that share the first rank of the best board over normalizers and thresholders.

    Nothing that was judged apart from most of its run: that is another ranking.
    """
    firsts = [
        row
        for row in run.rows
        if (row.dataset, row.protocol, row.rank, row.apart) == (dataset, protocol, 1, "")
        and row.value is not None
    ]
    if not firsts:
        return []
    best = max(firsts, key=lambda row: row.value or 0.0)
    board = (best.normalizer, best.thresholder)
    same = [row for row in firsts if (row.normalizer, row.thresholder) == board]
    return sorted(same, key=lambda row: (-(row.value or 0.0), row.method))


def run_view(run: SiteRun) -> RunView:
    """Make what the index shows of a run."""
    heads = {row.protocol: headline_told(row) for row in run.rows}
    failed = f", {run.failed} failed in whole or part" if run.failed else ""
    commit = f" · commit {run.commit[:7]}" if run.commit else ""
    return RunView(
        date=run.started[:10],
        page=f"{run.place}/{PAGE}",
        files=tuple(
            Link(name.rpartition(".")[2].upper(), f"{run.place}/{name}")
            for name in FILES[1:3]
            if name in run.files
        ),
        told=f"{counted(run.cells, 'cell')}{failed} · adharness {run.version or 'unknown'}{commit}",
        heads=tuple((protocol_title(name), heads.get(name, "")) for name in run.protocols),
        winners=tuple(
            (data.name, tuple(_first(winners_of(run, data.name, p)) for p in run.protocols))
            for data in run.datasets
        ),
    )


def _first(rows: Sequence[SiteRow]) -> First | None:
    if not rows:
        return None
    best = rows[0]
    ends = "" if best.low is None or best.high is None else (
        f"{percent(best.low)}{DASH}{percent(best.high)}"
    )  # fmt: skip
    return First(
        number=percent(best.value or 0.0),
        aside=ends,
        methods=tuple(Link(row.method, method_url(row.method), row.origin) for row in rows[:NAMED]),
        more=max(0, len(rows) - NAMED),
        setting=f"normalizer {best.normalizer}",
    )


def _entry(method: str, runs: Sequence[SiteRun]) -> MethodEntry:
    mine = [run for run in runs if any(row.method == method for row in run.rows)]
    suites = tuple(sorted({run.suite for run in mine}))
    return MethodEntry(Link(method, method_url(method)), len(mine), suites)
