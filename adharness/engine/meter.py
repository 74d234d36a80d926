"""What a block of code takes: wall time, CPU time, and the memory that it needs beyond the start.

Memory is what a reader plans a machine by: pages that belong to the process alone (anonymous ones),
as many as were there at once, minus those that were there at the begin. Not in it are feature files
that are mapped while they are read, which the system takes back when it needs the room, the memory
of a GPU, and the memory of processes that the block starts.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import Event, Thread
from types import TracebackType
from typing import Protocol

import psutil

INTERVAL_S = 0.005
"""Between two looks at the memory."""
_MB = 1e6


@dataclass(frozen=True, slots=True)
class Spent:
    """What a block took.

    Parameters
    ----------
    wall_s
        Seconds on the clock.
    cpu_s
        Seconds of all threads, and of child processes that ended and were waited for.
    peak_mb
        Most memory at once beyond that of the begin, in MB (10^6 bytes); at least 0.
    held_mb
        Memory that the block left behind, such as a model; at least 0, at most `peak_mb`.
    """

    wall_s: float
    cpu_s: float
    peak_mb: float
    held_mb: float


def warm(times: Sequence[float]) -> float | None:
    """Give the median without the first, which is slower; of one its own, None of none."""
    return median(times[1:] or times) if times else None


class Meter:
    """Measure the block of a `with`; `spent` is there when it has ended, with an error or without.

    Raises
    ------
    AttributeError
        On reading `spent` before the block has ended.

    Notes
    -----
    Memory is looked at every 5 ms, later while native code keeps the interpreter. The system's own
    high-water mark misses nothing, but counts mapped files: it is taken less the most of files
    that was seen, and the larger of both is the peak. Free memory that the allocator keeps would
    hide as much growth: it is given back first (glibc; elsewhere it may hide some).

    Errors: a file that is mapped and let go between two looks is counted (tens of MB at most); what
    a library sets aside on its first use counts to the block that used it first; garbage of before
    that is collected within the block hides as much; large systems count pages a few MB late. Where
    the high-water mark cannot be begun anew, a peak below an older one is seen by the looks alone.
    But for Linux, the pages of files are counted, and there is no high-water mark.

    Blocks may be nested. Two at once in threads of one process each see the memory of both.
    """

    spent: Spent

    def __enter__(self) -> Meter:
        _give_back()
        self._pages = _linux_pages() or _OtherPages()
        self._begin_mark = self._pages.fresh_mark()
        self._watch = _Watch(self._pages)
        self._watch.begin()
        self._cpu, self._wall = _cpu_s(), time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        wall, cpu = time.perf_counter() - self._wall, _cpu_s() - self._cpu
        self._watch.end()
        peak = max(self._watch.most, self._marked())
        _give_back()
        held = self._pages.look()[0]
        self._pages.close()
        grown = max(0.0, (peak - self._watch.first) / _MB)
        left = min(grown, max(0.0, (held - self._watch.first) / _MB))
        self.spent = Spent(wall, cpu, grown, left)

    def _marked(self) -> float:
        """Give the bytes that the high-water mark proves to have been the process's own."""
        mark = self._pages.mark()
        if mark is None or (self._begin_mark is not None and mark <= self._begin_mark):
            return 0.0  # it was reached before the block
        return mark - self._watch.most_of_files


class _Pages(Protocol):
    """What the system says of the resident memory of this process, in bytes."""

    def look(self) -> tuple[int, int]:
        """Give the process's own, and that of files."""

    def mark(self) -> int | None:
        """Give the most that was resident at once, files included; None where it is not told."""

    def fresh_mark(self) -> int | None:
        """Begin a new high-water mark; where that is refused, give the one that stands."""

    def close(self) -> None:
        """Look no more."""


class _LinuxPages:
    def __init__(self) -> None:
        self._page = os.sysconf("SC_PAGE_SIZE")
        self._statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)

    def look(self) -> tuple[int, int]:
        told = os.pread(self._statm, 256, 0).split()
        resident, files = int(told[1]), int(told[2])
        return (resident - files) * self._page, files * self._page

    def mark(self) -> int | None:
        with suppress(OSError, ValueError):
            for line in Path("/proc/self/status").read_text("ascii", "replace").splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
        return None

    def fresh_mark(self) -> int | None:
        try:
            Path("/proc/self/clear_refs").write_text("5", "ascii")
        except OSError:  # /proc may be read-only in a container
            return self.mark()
        return None

    def close(self) -> None:
        os.close(self._statm)


def _linux_pages() -> _Pages | None:
    if sys.platform != "linux":
        return None
    try:
        return _LinuxPages()
    except OSError:  # no /proc
        return None


class _OtherPages:
    def __init__(self) -> None:
        self._process = psutil.Process()

    def look(self) -> tuple[int, int]:
        return self._process.memory_info().rss, 0

    def mark(self) -> int | None:
        return None

    def fresh_mark(self) -> int | None:
        return None

    def close(self) -> None:
        """Nothing is open."""


class _Watch:
    """Looks at the memory again and again, in a thread of its own."""

    def __init__(self, pages: _Pages) -> None:
        self._pages, self._over = pages, Event()
        self._thread: Thread | None = None

    def begin(self) -> None:
        self.first, self.most_of_files = self._pages.look()
        self.most = self.first
        with suppress(RuntimeError):  # no further thread is allowed: the mark alone tells
            thread = Thread(target=self._run, name="adharness-meter", daemon=True)
            thread.start()
            self._thread = thread

    def end(self) -> None:
        self._over.set()
        if self._thread:
            self._thread.join()
        self._look()

    def _run(self) -> None:
        while not self._over.wait(INTERVAL_S):
            self._look()

    def _look(self) -> None:
        own, files = self._pages.look()
        self.most, self.most_of_files = max(self.most, own), max(self.most_of_files, files)


def _cpu_s() -> float:
    told = os.times()
    return time.process_time() + told.children_user + told.children_system


def _give_back() -> None:
    """Let the allocator give free memory back to the system: glibc alone can be asked."""
    if sys.platform == "linux":
        with suppress(AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)
