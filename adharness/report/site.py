"""A site of published runs: static files that any host serves, and that open from a disk too."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit

from markupsafe import Markup
from pydantic import Field, ValidationError

from adharness.errors import StoreError, refusals
from adharness.report.embedded import asset
from adharness.report.page import template
from adharness.report.site_feed import feed
from adharness.report.site_records import FILES, SiteRun, read_published
from adharness.report.site_view import method_names, method_page, method_url, site_index
from adharness.store.files import (
    explained,
    link_file,
    read_json,
    replaced_folder,
    sha256_of,
    write_json,
    write_text,
)
from adharness.store.records import Record

MARKER = "adharness-site.json"
OWN = (MARKER, "index.html", "feed.json", "runs", "methods")
"""What a site is made of; anything else in its folder is the reader's, and stays."""
TITLE = "Anomaly detection leaderboards"
_RECORD = "published.json"
RecordT = TypeVar("RecordT", bound=Record)


class SiteRecord(Record):
    """The marker of a site's folder."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    title: str
    base_url: str
    runs: list[str]
    """Folders of the runs, oldest first."""


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication did."""

    index: Path
    runs: int
    added: int
    methods: int


def publish(
    folders: Sequence[Path], out: Path, title: str | None = None, base_url: str | None = None
) -> Published:
    """Add runs to a site, or begin one.

    Parameters
    ----------
    folders
        Finished runs with their pages. One that the site has already is written again.
    out
        Folder of the site: new, empty, or a site.
    title, base_url
        Of the site; None keeps what it has. The address is needed by feed readers only: links
        within the site are relative.

    Raises
    ------
    StoreError
        If a folder is no finished, whole run of a schema that is read here; two are the same run;
        `out` holds something else than a site; or nothing can be written. The site stays as it was.

    Notes
    -----
    Written beside `out` and put in its place when it is whole. The same runs give the same bytes.
    """
    out = out.resolve()
    before, kept = _read_site(out)
    new = _read_new(folders)
    runs = sorted(
        {**{run.place: run for run in kept}, **{run.place: run for _, run in new}}.values(),
        key=lambda run: (run.started, run.suite, run.id),
    )
    record = SiteRecord(
        title=title or (before.title if before else TITLE),
        base_url=_address(base_url) if base_url is not None else before.base_url if before else "",
        runs=[run.place for run in runs],
    )
    sources = {run.place: (out / run.place, True) for run in kept}
    sources |= {run.place: (folder, False) for folder, run in new}
    with replaced_folder(out, along=lambda name: name not in OWN) as folder:
        for run in runs:
            _put_run(folder, run, *sources[run.place])
        _put_pages(folder, record, runs)
    return Published(out / "index.html", len(runs), len(runs) - len(kept), len(method_names(runs)))


def _read_new(folders: Sequence[Path]) -> list[tuple[Path, SiteRun]]:
    found: dict[str, tuple[Path, SiteRun]] = {}
    for folder in folders:
        run = read_published(folder)
        if run.place in found:
            raise StoreError(
                f"{found[run.place][0]} and {folder} are the same run, {run.id}",
                hint="name each run once",
            )
        found[run.place] = (folder, run)
    return list(found.values())


def _read_site(out: Path) -> tuple[SiteRecord | None, list[SiteRun]]:
    """Read the site that is there; nothing where the folder is new or empty."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return None, []
    if not (out / MARKER).is_file():
        raise StoreError(
            f"--out {out} is not empty, and not a site that adharness published",
            hint="name a new folder: a publication replaces what is in it",
        )
    record = _validated(out / MARKER, SiteRecord)
    return record, [_read_old(out, place) for place in record.runs]


def _read_old(out: Path, place: str) -> SiteRun:
    """Read a run of the site, and check that its files are those that were published."""
    run = _validated(out / place / _RECORD, SiteRun)
    if run.place != place or not set(run.files) <= set(FILES):
        raise StoreError(f"{out / place} is not what {MARKER} says", hint="publish anew elsewhere")
    for name, digest in run.files.items():
        path = out / place / name
        if not path.is_file() or sha256_of(path) != digest:
            raise StoreError(
                f"{path} is not what was published",
                hint="publish into a new folder, from the folders of the runs",
            )
    return run


def _validated(path: Path, model: type[RecordT]) -> RecordT:
    found = read_json(path)
    schema = found.get("schema")
    if isinstance(schema, int) and schema > 1:
        raise StoreError(f"{path} is of schema {schema}, and this version reads schema 1",
                         hint="publish with the version that wrote it, or a newer one")  # fmt: skip
    try:
        return model.model_validate(found)
    except ValidationError as error:
        raise StoreError(f"{path} is not a {model.__name__}: {refusals(error)[0]}") from error


def _address(text: str) -> str:
    """Check a web address and let it end in a slash; empty stays empty."""
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    good = (
        parts.scheme in {"http", "https"} and parts.netloc and not (parts.query or parts.fragment)
    )
    if text and (not good or any(mark in text for mark in ' "<>\\')):
        raise StoreError(
            f"--base-url {text} is no web address", hint="such as https://me.example.org/boards/"
        )
    return text if not text or text.endswith("/") else text + "/"


def _put_run(folder: Path, run: SiteRun, source: Path, ours: bool) -> None:
    """Bring a run's files in: linked from the old site, copied from elsewhere."""
    place = folder / run.place
    for name in run.files:
        if ours:
            link_file(source / name, place / name)
        else:
            with explained(place / name):
                place.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / name, place / name)
    write_json(place / _RECORD, run.model_dump(mode="json"))


def _put_pages(folder: Path, record: SiteRecord, runs: Sequence[SiteRun]) -> None:
    style = Markup(asset("style.css") + asset("site.css"))  # noqa: S704  (our own files)
    view = site_index(record.title, runs)
    write_text(
        folder / "index.html",
        template("site_index.html.j2").render(page=view, style=style, root=""),
    )
    of_method = template("site_method.html.j2")
    for name in method_names(runs):
        page = method_page(record.title, name, runs)
        write_text(folder / method_url(name), of_method.render(page=page, style=style, root="../"))
    write_text(folder / "feed.json", feed(record.title, record.base_url, runs))
    write_json(folder / MARKER, record.model_dump(mode="json"))
