"""What a run tells, kept beside its results: `events.jsonl`, one event a line, written at once.

Whoever holds the run's lock is the one run that writes to a folder. The journal outlives a kill and
is continued by the run that resumes, so it is the whole story of the folder.
"""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, TypeAlias

from filelock import FileLock, Timeout

from adharness.engine.events import Listener, event_facts, event_name
from adharness.errors import StoreError
from adharness.store.files import explained

JOURNAL, LOCK = "events.jsonl", ".run.lock"
Line: TypeAlias = dict[str, Any]
"""One event as JSON: `time` (UTC, ISO 8601), `event`, and its fields."""
_TEMPORARY = re.compile(r"\..+\.[a-z0-9_]{8}")


@contextmanager
def journaled(
    out: Path, command: str, cells: int, *listeners: Callable[[Line], None]
) -> Iterator[Listener]:
    """Hold a run's folder while the block runs, and keep what it tells.

    Parameters
    ----------
    out
        The run's folder; made where it is not there.
    command, cells
        What was typed, and how many cells it plans.
    listeners
        Told each line too, as it is written.

    Yields
    ------
    Listener
        Writes what it is told.

    Raises
    ------
    StoreError
        Another run holds the folder; or the journal cannot be written.
    """
    with _alone(out):
        _sweep(out)
        with explained(out / JOURNAL), (out / JOURNAL).open("a", encoding="utf-8") as file:

            def write(name: str, facts: Line) -> None:
                line = {"time": _now(), "event": name, **facts}
                _append(file, line, out)
                for listener in listeners:
                    listener(line)

            whose = {"pid": os.getpid(), "host": platform.node()}
            write("run_started", {"command": command, "cells": cells, **whose})
            ended = "run_stopped"
            try:
                yield lambda event: write(event_name(event), event_facts(event))
                ended = "run_finished"
            finally:
                write(ended, {})


def read_journal(out: Path) -> list[Line]:
    """Read the lines since the last run began; none where nothing was written.

    A last line that a kill tore is left out.
    """
    try:
        text = (out / JOURNAL).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    lines = [line for line in map(_parsed, text.splitlines()) if line is not None]
    begun = [at for at, line in enumerate(lines) if line["event"] == "run_started"]
    return lines[begun[-1] :] if begun else []


def is_held(out: Path) -> bool:
    """Whether a run writes to this folder now."""
    if not (out / LOCK).exists():
        return False
    lock = FileLock(out / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    with explained(out):
        out.mkdir(parents=True, exist_ok=True)
    lock = FileLock(out / LOCK)
    with explained(out / LOCK):
        _take(lock, out)
    try:
        yield
    finally:
        lock.release()


def _take(lock: FileLock, out: Path) -> None:
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise StoreError(
            f"another run writes to {out}",
            hint=f"wait for it (adharness status {out}), or choose another folder with --out",
        ) from error


def _sweep(out: Path) -> None:
    """Remove what killed runs had not yet moved into place; nobody else writes here now."""
    for folder, _, names in os.walk(out):
        for name in names:
            if name.startswith(".") and _TEMPORARY.fullmatch(name):
                Path(folder, name).unlink(missing_ok=True)


def _append(file: IO[str], line: Line, out: Path) -> None:
    with explained(out / JOURNAL):
        file.write(json.dumps(line, ensure_ascii=True) + "\n")
        file.flush()


def _parsed(text: str) -> Line | None:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) and isinstance(line.get("event"), str) else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
