"""What is merged: one's own runs, and verified bundles of others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from adharness.arrays import AnyArray
from adharness.bundle import layout
from adharness.bundle.contents import Bundle, open_bundle
from adharness.bundle.verify import Verdict, verdict_of
from adharness.errors import StoreError
from adharness.report.reading import read_run
from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord
from adharness.store.run_record import RunRecord
from adharness.suite.bound import BoundSuite


class Disagrees(StoreError):
    """A bundle has numbers that are not what its scores give."""


@dataclass(frozen=True, eq=False)
class Source:
    """A run of one's own, or an open bundle that was verified."""

    path: Path
    key: str
    """Hash of its content: what orders sources, whatever the order of arguments."""
    label: str
    """What tells it apart on the board: who submitted it, or the suite of an own run."""
    run: RunRecord
    cells: tuple[CellRecord, ...]
    bundle: Bundle | None = None
    verdict: Verdict | None = None
    unchecked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Cell id -> metrics that stay self-reported."""

    @property
    def own(self) -> bool:
        """Whether it was run here."""
        return self.bundle is None

    def scores(self, cell: CellRecord) -> dict[str, AnyArray]:
        """Image scores of a cell; empty where it has none."""
        if self.bundle is not None:
            return self.bundle.scores(cell)
        if layout.SCORES not in cell.files:
            return {}
        return RunFolder(self.path).cell_arrays(cell.id, layout.SCORES)


def open_sources(
    paths: Sequence[Path], stack: ExitStack, suite: BoundSuite | None = None
) -> list[Source]:
    """Open and verify what is to be merged; the same content twice is taken once.

    Returns
    -------
    list
        Own runs first, then bundles, each by its content's hash; labels differ.

    Raises
    ------
    Disagrees
        A bundle's numbers are not what its scores give.
    StoreError
        A bundle is malformed or hostile, or a run is none or is itself merged.
    """
    found: dict[str, Source] = {}
    for path in paths:
        source = _own(path) if path.is_dir() else _of_bundle(path, stack, suite)
        found.setdefault(source.key, source)
    ordered = sorted(found.values(), key=lambda source: (not source.own, source.key))
    return list(_told_apart(ordered))


def _told_apart(sources: Sequence[Source]) -> Iterator[Source]:
    labels = [source.label for source in sources]
    for source in sources:
        twice = labels.count(source.label) > 1
        yield replace(source, label=f"{source.label} {source.key[:6]}") if twice else source


def _own(path: Path) -> Source:
    run, cells = read_run(path)
    if run.origins:
        raise StoreError(
            f"{path} was itself merged, and what is merged must be verified",
            hint="name the runs and the bundles that it was made of",
        )
    return Source(path, _key([run, *cells]), run.suite, run, tuple(cells))


def _key(records: Sequence[RunRecord | CellRecord]) -> str:
    hashed = hashlib.sha256()
    for record in records:
        value: dict[str, Any] = record.model_dump(mode="json")
        hashed.update(json.dumps(value, sort_keys=True).encode())
    return hashed.hexdigest()


def _of_bundle(path: Path, stack: ExitStack, suite: BoundSuite | None) -> Source:
    bundle = stack.enter_context(open_bundle(path))
    verdict = verdict_of(bundle, suite)
    if verdict.disagreements:
        first, count = verdict.disagreements[0], len(verdict.disagreements)
        raise Disagrees(
            f"{count} of its numbers are not what its scores give; {first}",
            where=str(path),
            hint=f"adharness verify {path} lists them; ask who made it",
        )
    label = bundle.manifest.submitter.strip() or f"bundle {verdict.sha256[:6]}"
    unchecked = {one.cell.id: one.not_recomputed for one in verdict.cells}
    return Source(path, verdict.sha256, label, bundle.run, bundle.cells, bundle, verdict, unchecked)
