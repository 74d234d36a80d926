"""What a component must leave alone, watched while it is used."""

from __future__ import annotations

import os
import random
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import Any
from unittest import mock

import numpy as np


@contextmanager
def offline() -> Iterator[list[str]]:
    """Refuse every connection to the network, and list what was tried.

    Python's own sockets are watched, through which all its libraries go, but not native code.
    """
    tried: list[str] = []

    def refuse(*address: Any, **ignored: Any) -> None:  # noqa: ARG001  a stand-in takes whatever
        tried.append(str(next((a for a in address if isinstance(a, str | bytes | tuple)), "")))
        raise OSError("the conformance kit lets nothing connect to the network")

    with (
        mock.patch.object(socket.socket, "connect", refuse),
        mock.patch.object(socket.socket, "connect_ex", refuse),
        mock.patch.object(socket, "getaddrinfo", refuse),
    ):
        yield tried


class Heard:
    """What was written to stdout; `text` is there once the block has ended."""

    text: str = ""


@contextmanager
def stdout_heard() -> Iterator[Heard]:
    """Catch what Python and native code write to stdout."""
    heard, said = Heard(), StringIO()
    with tempfile.TemporaryFile() as file:
        sys.stdout.flush()
        kept = os.dup(1)
        os.dup2(file.fileno(), 1)
        try:
            with redirect_stdout(said):
                yield heard
        finally:
            os.dup2(kept, 1)
            os.close(kept)
            file.seek(0)
            heard.text = said.getvalue() + file.read().decode(errors="replace")


def random_states() -> dict[str, str]:
    """Describe the global random states: Python's, NumPy's, and torch's where it is loaded."""
    states = {"random": repr(random.getstate()), "numpy.random": repr(_numpy_state())}
    torch = sys.modules.get("torch")
    if torch is not None:
        states["torch"] = torch.get_rng_state().numpy().tobytes().hex()
    return states


def _numpy_state() -> tuple[bytes, int]:
    state = np.random.get_state(legacy=False)  # noqa: NPY002  it is looked at, not used
    assert isinstance(state, dict)  # noqa: S101  what `legacy=False` gives
    return state["state"]["key"].tobytes(), state["state"]["pos"]


@contextmanager
def shuffled_globals(seed: int) -> Iterator[None]:
    """Put the global random states where `seed` says, and back where they were."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    torch = sys.modules.get("torch")
    kept = torch.get_rng_state() if torch is not None else None
    random.seed(seed)
    np.random.set_state(np.random.RandomState(seed).get_state())  # noqa: NPY002
    if torch is not None:
        torch.set_rng_state(torch.Generator().manual_seed(seed).get_state())
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        if torch is not None:
            torch.set_rng_state(kept)


def thread_counts() -> dict[str, str]:
    """Tell how many threads each library of this process may use, and the variables that say so."""
    from threadpoolctl import threadpool_info  # scikit-learn brings it

    counts = {str(pool["filepath"]): str(pool["num_threads"]) for pool in threadpool_info()}
    torch = sys.modules.get("torch")
    if torch is not None:
        counts["torch"] = str(torch.get_num_threads())
    return counts | {name: value for name, value in os.environ.items() if "_THREADS" in name}
