"""Work in threads, its results in order: for what leaves Python's lock, as NumPy and Pillow do."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


def allowed() -> int:
    """Threads that a step may use: OMP_NUM_THREADS where it is a number, else this process's cores.

    It is the variable by which NumPy, torch and FAISS are told how many processes share a machine.
    """
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def in_order(
    work: Callable[[_Given], _Made],
    given: Iterable[_Given],
    *,
    workers: int,
    ahead: int,
) -> Iterator[_Made]:
    """Give `work` of each in order, at most `ahead` of them begun before they are asked for.

    The first error is raised in its place; what waits then is given up, and what runs is waited
    for. `given` is read in the thread of the caller.
    """
    left = iter(given)
    with ThreadPoolExecutor(workers) as pool:
        running: deque[Future[_Made]] = deque(pool.submit(work, one) for one in islice(left, ahead))
        try:
            while running:
                made = running.popleft().result()
                running.extend(pool.submit(work, one) for one in islice(left, 1))
                yield made
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
