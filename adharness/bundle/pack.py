"""Make a bundle of a finished run: its records and scores, never its pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from adharness.bundle import layout
from adharness.bundle.archive import write_archive
from adharness.bundle.layout import FileRecord, Manifest
from adharness.bundle.scrub import Scrubber, paths_in
from adharness.bundle.strict_json import hidden_character
from adharness.errors import StoreError
from adharness.store.files import atomic
from adharness.store.folder import RunFolder
from adharness.store.provenance import installed_versions
from adharness.store.records import CellRecord
from adharness.store.run_record import RunRecord


@dataclass(frozen=True)
class Packed:
    """What went into a bundle."""

    path: Path
    manifest: Manifest
    scrubbed: dict[str, int]
    """Place -> how many texts had a path of this machine, which is gone."""
    kept: tuple[str, ...] = ()
    """Paths that stay, because a cell's id is the hash of what holds them."""
    sizes: dict[str, int] = field(default_factory=dict)
    """Kind of member -> bytes."""


@dataclass(frozen=True)
class Submission:
    """Who submits, and what beyond the scores."""

    by: str = ""
    contact: str = ""
    maps: bool = False


def pack_run(folder: Path, out: Path, submission: Submission | None = None) -> Packed:
    """Write the bundle of a run.

    Parameters
    ----------
    folder
        What `adharness run` wrote. It is only read.
    out
        The file, replaced whole.

    Returns
    -------
    Packed
        The same run and submission give the same bytes.

    Raises
    ------
    StoreError
        The run is not finished, a cell is missing or damaged, it is itself merged from others, or
        the file cannot be written.
    """
    asked = submission or Submission()
    _check_text(asked)
    store = RunFolder(folder)
    run, cells = _whole(store)
    scrubber = Scrubber([Path.home(), Path.cwd(), folder.absolute(), folder.resolve()])
    members = dict(_members(store, run, cells, scrubber, maps=asked.maps))
    manifest = _manifest(run, members, asked)
    members[layout.MANIFEST] = _json(manifest)
    with atomic(out) as file:
        write_archive(file, sorted(members.items()))
    sizes: dict[str, int] = {}
    for name, content in members.items():
        kind = name.rsplit("/", 1)[-1]
        sizes[kind] = sizes.get(kind, 0) + len(content)
    return Packed(out, manifest, scrubber.places, _kept(cells), sizes)


def _check_text(asked: Submission) -> None:
    for name, text in (("--by", asked.by), ("--contact", asked.contact)):
        if hidden_character(text, allowed=""):
            raise StoreError(f"{name} {text!r} has a control character", hint="plain text, please")
    if len(asked.by) > layout.CHARACTERS:
        raise StoreError(f"--by has {len(asked.by)} characters, at most {layout.CHARACTERS}")


def _whole(store: RunFolder) -> tuple[RunRecord, list[CellRecord]]:
    run = store.run()
    if run.origins:
        raise StoreError(
            f"{store.path} was merged from several sources", hint="bundle the runs it came from"
        )
    found = [store.cell(identity) for identity in run.cells]
    missing = sum(cell is None for cell in found)
    if run.finished is None or missing:
        told = (
            f"{missing} of {len(found)} cells are missing or damaged"
            if missing
            else "it was stopped or killed before its end"
        )
        raise StoreError(
            f"the run in {store.path} is not finished: {told}",
            hint="give the command that began it again: what is done is stored",
        )
    return run, [cell for cell in found if cell is not None]


def _members(
    store: RunFolder,
    run: RunRecord,
    cells: Sequence[CellRecord],
    scrubber: Scrubber,
    *,
    maps: bool,
) -> Iterator[tuple[str, bytes]]:
    yield layout.RUN, _json(_public_run(run, scrubber))
    taken = {layout.SCORES, layout.REPLICATES} | ({layout.MAPS} if maps else set())
    for cell in cells:
        folder = store.path / "cells" / cell.id
        files = {name: sha for name, sha in cell.files.items() if name in taken}
        public = cell.model_copy(update={"files": files})
        yield f"cells/{cell.id}/{layout.RESULT}", _json(_public_cell(public, scrubber))
        for name in files:
            yield f"cells/{cell.id}/{name}", (folder / name).read_bytes()


def _public_run(run: RunRecord, scrubber: Scrubber) -> RunRecord:
    """Leave out pictures, and the views that are drawn of features."""
    bare = run.model_copy(update={"gallery": [], "views": [], "environment": {}}).model_dump(
        mode="json"
    )
    return RunRecord.model_validate(
        {key: scrubber.value(value, f"run.json: {key}") for key, value in bare.items()}
    )


def _public_cell(cell: CellRecord, scrubber: Scrubber) -> CellRecord:
    """Take tracebacks out and paths from failures; what the id is a hash of stays."""
    rows = []
    for row in cell.model_dump(mode="json")["rows"]:
        if row["failure"]:
            row["failure"] = scrubber.value({**row["failure"], "traceback": ""}, "failures")
        rows.append(row)
    return CellRecord.model_validate({**cell.model_dump(mode="json"), "rows": rows})


def _kept(cells: Sequence[CellRecord]) -> tuple[str, ...]:
    found: dict[str, None] = {}

    def look(value: Any) -> None:
        if isinstance(value, str):
            found.update(dict.fromkeys(paths_in(value)))
        elif isinstance(value, list | dict):
            for one in value.values() if isinstance(value, dict) else value:
                look(one)

    for cell in cells:
        look(cell.identity)
    return tuple(found)


def _manifest(run: RunRecord, members: dict[str, bytes], asked: Submission) -> Manifest:
    return Manifest(
        adharness=installed_versions(["adharness"]).get("adharness", ""),
        submitter=asked.by,
        contact=asked.contact,
        created=run.finished or "",
        files={
            name: FileRecord(sha256=sha256(content).hexdigest(), bytes=len(content))
            for name, content in sorted(members.items())
        },
    )


def _json(record: Manifest | RunRecord | CellRecord) -> bytes:
    value = record.model_dump(mode="json")
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()
