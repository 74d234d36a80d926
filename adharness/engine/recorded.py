"""What `run.json` says of a run that is under way, and of what its extractors compute with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adharness.errors import StoreError
from adharness.store.files import read_json
from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord
from adharness.store.run_record import RunRecord


def put_begun(folder: RunFolder, record: RunRecord) -> None:
    """Write `run.json` before anything is computed: a run that is killed has its provenance.

    Cells and pictures that an earlier run of the same question stored stay on its board until this
    one ends: what is asked, of which images, and what was chosen of it must be equal.

    Raises
    ------
    StoreError
        The record cannot be written.
    """
    folder.put_run(_with_earlier(folder, record))


def _with_earlier(folder: RunFolder, record: RunRecord) -> RunRecord:
    try:
        earlier = folder.run()
    except StoreError:  # none, or of another version
        return record
    if _question(earlier) != _question(record):
        return record
    kept = ("cells", "skipped", "gallery", "views", "weights")
    return record.model_copy(update={name: getattr(earlier, name) for name in kept})


def _question(record: RunRecord) -> tuple[Any, ...]:
    only = record.given.only
    return record.suite_text, record.limit, only, record.datasets, bool(record.origins)


def weights_used(folder: RunFolder, cells: Sequence[CellRecord]) -> dict[str, str]:
    """Fingerprint of each extractor's weights, from the stored scores made with it.

    An extractor whose every method failed has none.
    """
    found: dict[str, str] = {}
    for cell in cells:
        if cell.extractor not in found and cell.scorings:
            known = _fingerprint(folder, cell.scorings[0])
            found |= {} if known is None else {cell.extractor: known}
    return dict(sorted(found.items()))


def _fingerprint(folder: RunFolder, scoring_id: str) -> str | None:
    try:
        stored = read_json(folder.path / "scorings" / scoring_id / "result.json")
        return str(stored["identity"]["extractor"]["fingerprint"])
    except (StoreError, KeyError, TypeError):
        return None
