"""Keeps a library's draws from global random states in hand."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def contained(seed: int) -> Iterator[None]:
    """Let draws from the global states of NumPy and Python follow from `seed`, and undo them.

    OneClassSVM, for one, draws from NumPy's whatever it is told. It is the only place that touches
    them, and they are as before when it ends.
    """
    before, plain = np.random.get_state(), random.getstate()  # noqa: NPY002 - to put it back
    np.random.set_state(np.random.RandomState(seed).get_state())  # noqa: NPY002 - see above
    random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002 - see above
        random.setstate(plain)
