"""Runs the command line in a process that kills itself before its n-th change to the disk.

Every rename, link, removal, new folder and file opened for writing counts, whoever does it:
Python's audit events tell of each before it happens. SIGKILL leaves no time to clean up, as a
power cut does; what was written but not yet renamed stays as it lies.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from multiprocessing.context import ForkServerContext

NEVER = 10**9
_RENAMES = frozenset({"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"})


def _changes(event: str, arguments: tuple[object, ...]) -> bool:
    if event == "open":
        flags = arguments[2]
        return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    return event in _RENAMES


def _type(arguments: Sequence[str], kill_at: int, counted: object) -> None:
    count = 0

    def watch(event: str, told: tuple[object, ...]) -> None:
        nonlocal count
        if not _changes(event, told):
            return
        count += 1
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    from adharness.cli import main

    sys.addaudithook(watch)
    code = main.run(arguments)
    counted.value = count  # type: ignore[attr-defined]
    os._exit(code)


def fork_server() -> ForkServerContext:
    """Give a clean process that forks: no thread of the tests is copied into the victims."""
    context = multiprocessing.get_context("forkserver")
    ours = ["killing", "adharness.cli.run", "adharness.report.write", "adharness.engine.run"]
    theirs = ["scipy.ndimage", "scipy.signal", "skimage.io"]  # or each victim imports them anew
    context.set_forkserver_preload([*ours, *theirs])
    return context


def typed(
    context: ForkServerContext, arguments: Sequence[str], kill_at: int = NEVER
) -> tuple[int, int]:
    """Run `adharness` with these arguments.

    Returns
    -------
    (exit code, changes to the disk): the code is -9 and the count 0 where it was killed.
    """
    counted = context.Value("q", 0)
    process = context.Process(target=_type, args=(list(arguments), kill_at, counted))
    process.start()
    process.join()
    return process.exitcode or 0, counted.value
