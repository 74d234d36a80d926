"""How far a long piece of work has come, told to whoever listens. Numbers never depend on it.

A bank or a scorer that takes minutes calls `tell` now and then; nothing has to be passed to it for
that. The engine listens while it fits; anywhere else nobody does, and `tell` does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias

Told: TypeAlias = Callable[[int, int, str], None]
"""A listener: it is told how many steps are done, of how many, and what a step is."""

_LISTENER: ContextVar[Told | None] = ContextVar("adharness_progress", default=None)


def tell(done: int, total: int, unit: str) -> None:
    """Say that `done` of `total` steps are done; `unit` names them, such as `centres`."""
    listener = _LISTENER.get()
    if listener is not None:
        listener(done, total, unit)


@contextmanager
def listening(told: Told) -> Iterator[None]:
    """Have `told(done, total, unit)` called for what is told while the block runs."""
    token = _LISTENER.set(told)
    try:
        yield
    finally:
        _LISTENER.reset(token)
