"""What a published site keeps of a run: enough to draw every page again without its folder."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from adharness.errors import StoreError
from adharness.report.comparable import Condition, conditions
from adharness.report.formats import counted
from adharness.report.leaderboard import (
    HEADLINE_METRIC,
    Leaderboard,
    Standing,
    headline_class,
    leaderboard,
)
from adharness.report.reading import read_run
from adharness.report.run_id import run_id, started_at
from adharness.report.site_board import BOARD, Told, read_board
from adharness.store.files import read_json, sha256_of
from adharness.store.identity import digest
from adharness.store.records import CellRecord, Record

PAGE = "leaderboard.html"
FILES = (PAGE, BOARD, "leaderboard.csv", "unification_gap.csv", "cross_class.csv")
"""Files of a run's folder that are published; the last two may be missing."""
_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")


class SiteCondition(Record):
    """One thing under which a row was judged; see `report.comparable.Condition`."""

    key: str | None
    told: str


class SiteRow(Record):
    """A method in its group: one data set, protocol, normalizer and thresholder, over all seeds."""

    dataset: str
    protocol: str
    method: str
    normalizer: str
    thresholder: str
    class_name: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    seeds: int
    rank: int | None
    of: int
    """How many methods are ranked with it."""
    caution: str
    origin: str = ""
    """Of a merged board: how sure the number is, and who submitted it."""
    apart: str
    judged: str
    """Key into the run's `judged`."""
    settings: str
    """Digest of the method's extractor, bank, scorer and maps with all parameters."""
    versions: dict[str, str]


class SiteData(Record):
    """A data set of a published run."""

    name: str
    use: str
    classes: int
    licence: str
    fingerprint: str


class SiteRun(Record):
    """A published run."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    id: str
    suite: str
    started: str
    version: str
    commit: str | None
    cells: int
    failed: int
    protocols: list[str]
    datasets: list[SiteData]
    rows: list[SiteRow]
    judged: dict[str, dict[str, SiteCondition]]
    files: dict[str, str]
    """Name -> SHA-256 of what lies beside this record."""

    @property
    def place(self) -> str:
        """Folder within the site."""
        return f"runs/{slug(self.suite)}/{slug(self.id.lower())}"


def slug(name: str) -> str:
    """Name a file after any text: itself where it is plain, else with a digest of the text.

    Notes
    -----
    Only small letters, digits, `-` and `_`: two names never share a file, on any file system.
    """
    if _PLAIN.fullmatch(name):
        return name
    plain = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_")[:60] or "x"
    return f"{plain}-{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"


def read_published(folder: Path) -> SiteRun:
    """Summarize a finished run that has its page.

    Raises
    ------
    StoreError
        If the folder is no run's, of a newer version, interrupted or damaged, or without its page.
    """
    _check_schema(folder)
    run, cells = read_run(folder)
    if run.finished is None:
        raise StoreError(
            f"{folder} holds a run that did not finish",
            hint="run it again: what is done is kept, and it goes on from there",
        )
    board = leaderboard(run, cells)
    if board.missing:
        raise StoreError(
            f"{folder} lacks {counted(len(board.missing), 'cell')} of {len(run.cells)}: damaged",
            hint="run it again: only those are made up for",
        )
    if not (folder / PAGE).is_file():
        raise StoreError(f"{folder} has no {PAGE}", hint=f"adharness report {folder}")
    try:
        return _summary(board, cells, read_board(folder))
    except (ValidationError, LookupError, TypeError) as error:
        raise StoreError(
            f"{folder / BOARD} is not what adharness writes", hint=f"adharness report {folder}"
        ) from error


def _check_schema(folder: Path) -> None:
    """Tell a folder of a later version from a broken one."""
    if not (folder / "run.json").exists():
        return  # read_run says it best
    found = read_json(folder / "run.json").get("schema")
    if isinstance(found, int) and found > 1:
        raise StoreError(
            f"{folder}/run.json is of schema {found}, and this version reads schema 1",
            hint="publish it with the version of adharness that ran it, or a newer one",
        )


def _summary(board: Leaderboard, cells: list[CellRecord], told: Told) -> SiteRun:
    run, judged = board.run, dict[str, dict[str, SiteCondition]]()
    versions = run.provenance.get("versions") or {}
    git = run.provenance.get("git") or {}
    return SiteRun(
        id=run_id(run),
        suite=run.suite,
        started=started_at(run).isoformat(),
        version=str(versions.get("adharness", "")),
        commit=git.get("commit"),
        cells=len(cells),
        failed=sum(cell.status != "ok" for cell in cells),
        protocols=run.protocols,
        datasets=[
            SiteData(
                name=data.name,
                use=data.use,
                classes=len(data.classes),
                licence=data.licence,
                fingerprint=data.fingerprint,
            )
            for data in run.datasets
            if data.shift is None
        ],
        rows=[_row(board, standing, judged, told) for standing in board.standings],
        judged=judged,
        files={
            name: sha256_of(told.folder / name) for name in FILES if (told.folder / name).is_file()
        },
    )


def _row(
    board: Leaderboard,
    standing: Standing,
    judged: dict[str, dict[str, SiteCondition]],
    told: Told,
) -> SiteRow:
    group, cell, headline = standing.group, standing.cells[0], standing.headline
    found = conditions(board.run, cell)
    # In the order of the alphabet, in which JSON gives them back: the same bytes then as now.
    under = {name: SiteCondition(key=c.key, told=c.told) for name, c in sorted(found.items())}
    key = digest({name: list(c) for name, c in found.items()})
    judged[key] = under
    peers = [s for s in board.standings if s.group == group and s.rank is not None]
    line = told.line_of(standing)
    ends = line.get("spread") or (line.get("low"), line.get("high"))
    return SiteRow(
        dataset=group.dataset,
        protocol=group.protocol,
        method=standing.method,
        normalizer=group.normalizer,
        thresholder=group.thresholder,
        class_name=headline_class(group.protocol),
        metric=HEADLINE_METRIC,
        value=headline.value,
        low=ends[0],
        high=ends[1],
        seeds=len(standing.cells),
        rank=line.get("rank"),
        of=len(peers),
        caution=standing.caution,
        origin=told.origin_of(standing.cells),
        apart=group.apart,
        judged=key,
        settings=digest(board.run.methods.get(standing.method) or {}),
        versions={n: v for n, v in sorted(cell.versions.items()) if n.startswith("adharness")},
    )


def judged_of(run: SiteRun, row: SiteRow) -> Mapping[str, Condition]:
    """Give what a row was judged under, as `comparable.differences` takes it."""
    return {name: Condition(c.key, c.told) for name, c in run.judged.get(row.judged, {}).items()}
