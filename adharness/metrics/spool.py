"""Collects values in memory up to a budget; beyond it they go to disk in sorted runs."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np

from adharness.arrays import AnyArray
from adharness.errors import MetricError
from adharness.metrics.runs import MemoryRun, Run, Runs, StoredRun

BLOCK = 2**23 + 2**10
"""Values in a block that a spool allocates: large enough for the system to take it back at once."""


class Spool:
    """Collects values of one type in any order and gives them back sorted."""

    def __init__(self, dtype: type[np.generic]) -> None:
        self._dtype = dtype
        self._blocks: list[AnyArray] = []
        self._fill = 0
        self._runs: list[Run] = []

    @property
    def held(self) -> int:
        """Values in memory now."""
        return sum(len(block) for block in self._blocks[:-1]) + self._fill

    @property
    def held_bytes(self) -> int:
        """Bytes in memory now."""
        return self.held * np.dtype(self._dtype).itemsize

    def add(self, values: AnyArray) -> None:
        """Copy 1-d values in."""
        while len(values):
            if not self._blocks or self._fill == len(self._blocks[-1]):
                self._blocks.append(np.empty(BLOCK, self._dtype))
                self._fill = 0
            free = self._blocks[-1][self._fill :]
            taken = min(len(free), len(values))
            free[:taken] = values[:taken]
            self._fill += taken
            values = values[taken:]

    def spill(self, folder: Path | None) -> None:
        """Sort what is held and write it to a file without a name.

        Parameters
        ----------
        folder
            On whose disk; that of the system's folder for temporary files if None.

        Raises
        ------
        MetricError
            If the file cannot be written.
        """
        values = self.take()
        values.sort()
        try:
            # The system takes the space back when the file is closed, also if we are killed.
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(values.data)  # `tofile` would not notice a disk full at the last 4 KB
                file.flush()
                stored = StoredRun.of(os.dup(file.fileno()), values)
        except OSError as error:
            place = folder or tempfile.gettempdir()
            raise MetricError(
                f"{values.nbytes / 2**20:.0f} MB of sorted scores cannot be written to {place}: "
                f"{error}",
                hint="free disk space there, name another folder (spill_to=), "
                "or allow the sort more memory (memory_mb=)",
            ) from error
        self._runs.append(stored)

    def take(self) -> AnyArray:
        """Give what is held as one array, unsorted, and hold nothing; blocks go as it fills."""
        joined = np.empty(self.held, self._dtype)
        self._blocks[-1:] = [block[: self._fill] for block in self._blocks[-1:]]
        start = 0
        while self._blocks:
            block = self._blocks.pop(0)
            joined[start : start + len(block)] = block
            start += len(block)
        self._fill = 0
        return joined

    def finish(self, ascending: AnyArray) -> Runs:
        """Give all runs, with what `take` gave as the last, now sorted."""
        in_memory = [MemoryRun(ascending)] if len(ascending) or not self._runs else []
        return Runs([*self._runs, *in_memory])
