"""What a run is called where several stand side by side: in long files, and on a site."""

from __future__ import annotations

from datetime import UTC, datetime

from adharness.errors import StoreError
from adharness.store.identity import digest
from adharness.store.run_record import RunRecord

_DIGITS = 8


def run_id(run: RunRecord) -> str:
    """Name a run by when it began, its suite and its cells: `20261122T143441Z-1f0c9a3e`.

    Returns
    -------
    str
        Sorts by time; the same for a copy of the folder, another for a run that went on since.

    Raises
    ------
    StoreError
        If the record's start is no time.
    """
    # Not the whole record: a later version may add a field to it.
    told = [run.suite, run.suite_text, run.started, run.finished, run.cells]
    return f"{started_at(run):%Y%m%dT%H%M%SZ}-{digest(told, _DIGITS)}"


def started_at(run: RunRecord) -> datetime:
    """When a run began, in UTC; a time without a zone counts as UTC. Raises as `run_id`."""
    try:
        found = datetime.fromisoformat(run.started)
    except ValueError as error:
        raise StoreError(
            f"the run of suite '{run.suite}' began at '{run.started}', which is no time",
            hint="run the suite again: run.json was written by something else",
        ) from error
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
