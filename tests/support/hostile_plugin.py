"""A plugin whose scorers do what no scorer should: each dies, or will not end, in its own way.

`install` makes it a distribution that every process finds, through PYTHONPATH.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import numpy as np
import psutil

from adharness import Bag, FeatureGrid, FittedScorer, Memory, Params, ScorerSpec, Scores, hookimpl

NAME = "hostile_plugin"


class HostileParams(Params):
    """What it does, and where it leaves a mark."""

    does: str
    mark: str = ""
    images: int = 0
    """Only where its bank comes from so many images; 0 for always."""


class _Still:
    def score(self, features: FeatureGrid) -> Scores:
        return Scores(patches=features.patches.mean(axis=3).astype(np.float32))


class Hostile:
    def __init__(self, params: HostileParams) -> None:
        self._params = params

    def fit(self, memory: Memory, rng: np.random.Generator) -> FittedScorer:
        assert isinstance(memory, Bag)
        if self._params.images in (0, len(np.unique(memory.images))):
            getattr(self, self._params.does)()
        return _Still()

    def segfault(self) -> None:
        ctypes.string_at(0)

    def abort(self) -> None:
        os.abort()

    def leave(self) -> None:
        os._exit(3)

    def quit(self) -> None:
        sys.exit()

    def raise_(self) -> None:
        raise RuntimeError("cannot fit")

    def killed(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def sleep(self) -> None:
        time.sleep(600)

    def grow(self) -> None:
        held = []
        while True:
            held.append(np.ones(4_000_000))
            time.sleep(0.01)

    def chatter(self) -> None:
        sys.stdout.write("one line of print\n")
        sys.stderr.write("one line of warning\n")

    def fork(self) -> None:
        """Leave a child behind that writes its number down."""
        pid = os.fork()
        if pid == 0:
            time.sleep(600)
            os._exit(0)
        Path(self._params.mark).write_text(str(pid))

    def flaky(self) -> None:
        mark = Path(self._params.mark)
        if not mark.exists():
            mark.touch()
            ctypes.string_at(0)

    def slay(self) -> None:
        """Kill the Dask worker that has the process that has this one."""
        psutil.Process().parents()[1].kill()
        time.sleep(600)

    def linger(self) -> None:
        """Write its number down, and go on where it is let."""
        mark = Path(self._params.mark)
        with mark.open("a") as file:
            file.write(f"{os.getpid()}\n")
        while not mark.with_suffix(".go").exists():
            time.sleep(0.05)


HOSTILE = ScorerSpec(
    name="hostile",
    params=HostileParams,
    make=Hostile,
    needs="bag",
    deterministic=True,
    summary="Does what it is told, which is bad.",
    source="tests",
)


@hookimpl
def adharness_scorers() -> list[ScorerSpec]:
    return [HOSTILE]


def install(folder: Path, version: str = "1.0") -> Path:
    """Lay the plugin out as an installed distribution; give the folder for PYTHONPATH."""
    information = folder / f"{NAME}-{version}.dist-info"
    information.mkdir(parents=True)
    shutil.copy(__file__, folder / f"{NAME}.py")
    named = f"Metadata-Version: 2.1\nName: {NAME.replace('_', '-')}\nVersion: {version}\n"
    (information / "METADATA").write_text(named)
    (information / "entry_points.txt").write_text(f"[adharness]\nhostile = {NAME}\n")
    return folder
