"""Files that were written on another machine, and that a shared file system shows late here."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from adharness.engine.work.request import RunRequest
from adharness.engine.work.units import Extract, Judge, Unit

LATE_S, LOOK_S = 90.0, 0.2
"""NFS may keep what it knows of a folder for a minute (`acdirmax`)."""


def await_files(request: RunRequest, unit: Unit, done: object, late_s: float = LATE_S) -> None:
    """Wait until this machine sees the cells that a unit gave, `late_s` at most.

    A network file system remembers for a while that a file was not there; listing its folder has
    it look again. What does not come is an error where it is read.
    """
    awaited: list[Path] = []
    if isinstance(unit, Judge) and isinstance(done, list):
        awaited = [request.out / "cells" / name / "result.json" for name in done]
    elif isinstance(unit, Extract):
        _list(request.cache / "features")
    begun = time.monotonic()
    while not all(path.exists() for path in awaited) and time.monotonic() - begun < late_s:
        for folder in (request.out / "cells", *(path.parent for path in awaited)):
            _list(folder)
        time.sleep(LOOK_S)


def _list(folder: Path) -> None:
    with suppress(OSError):
        os.listdir(folder)  # noqa: PTH208 - for what it does to the system
