"""One unit in a process of its own: forked, watched, and buried with a reason.

The process that forks has opened the data and made nothing of it: no library with threads of its
own has begun any there, so that a copy of it can begin them. It is Unix only.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO

import psutil

from adharness.engine.work.limits import MB, Allowed, Death

GRACE_S = 0.05
"""Limits are looked at this often: what grows faster is the system's to kill."""
SAID_BYTES = 20_000
_PR_SET_PDEATHSIG = 1


def in_child(work: Callable[[], None], allowed: Allowed, wanted: Callable[[], bool]) -> Death | str:
    """Run `work` in a child of this process until it ends, or is over a limit, or not wanted.

    Parameters
    ----------
    work
        Says all it has to say before it returns; an exception is the end with status 1. What it
        prints is kept.
    wanted
        Asked now and then; where it says no the child is killed.

    Returns
    -------
    How it died, or, where `work` returned, what it printed last.
    """
    with tempfile.TemporaryFile() as said:
        begun = time.monotonic()
        pid = os.fork()
        if pid == 0:
            _work(work, said)
        status, most, over = _watch(pid, allowed, wanted, begun)
        seconds = time.monotonic() - begun
        text = _last(said)
    return text if status == 0 else Death(status, seconds, most, over, text)


def _work(work: Callable[[], None], said: IO[bytes]) -> None:
    """Be the child; never returns."""
    status = 1
    try:
        os.setsid()  # what it starts dies with it
        _die_with_parent()
        for stream in (sys.stdout, sys.stderr):
            os.dup2(said.fileno(), stream.fileno())
        faulthandler.enable(sys.stderr.fileno())
        work()
        status = 0
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) and error.code else 1
    except BaseException:  # noqa: BLE001 - told on standard error, which is kept
        sys.excepthook(*sys.exc_info())
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _die_with_parent() -> None:
    """Ask to be killed where the process that watches is; where the system can (Linux)."""
    with suppress(Exception):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))


def _watch(
    pid: int, allowed: Allowed, wanted: Callable[[], bool], begun: float
) -> tuple[int, float, str | None]:
    """Wait for the child: its status, the most memory seen in MB, and the limit it was over."""
    most, pause, over = 0.0, 0.001, None
    while True:
        done, raw = os.waitpid(pid, os.WNOHANG)
        if done:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)  # what it may have started
            return os.waitstatus_to_exitcode(raw), most, over
        most = max(most, _memory_mb(pid))
        over = over or _over(allowed, time.monotonic() - begun, most)
        if over or not wanted():
            _kill_group(pid)
        time.sleep(pause)
        pause = min(pause * 2, GRACE_S)


def _over(allowed: Allowed, seconds: float, memory_mb: float) -> str | None:
    if allowed.time_s is not None and seconds > allowed.time_s:
        return "time"
    return "memory" if allowed.memory_mb is not None and memory_mb > allowed.memory_mb else None


def _memory_mb(pid: int) -> float:
    total = 0
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                held = one.memory_info()
                # Mapped features are the system's to drop, and are not what a method holds.
                total += held.rss - getattr(held, "shared", 0)
    return total / MB


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _last(said: IO[bytes]) -> str:
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - SAID_BYTES))
    return said.read().decode("utf-8", errors="replace")
