"""Sorted values that may outgrow memory: an external sort in runs, read back block by block.

Values are collected in memory up to a budget. Beyond it what is held is sorted and written to a
file, a run; what is left at the end stays in memory as one more run. Positions are found run by
run and added up, so nothing ever has to be merged on disk.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from adharness.arrays import AnyArray, Int64

READ_BLOCK = 2**18
"""Values read from a file at once."""


@dataclass(frozen=True, eq=False)
class MemoryRun:
    """A sorted run in memory."""

    values: AnyArray

    def __len__(self) -> int:
        return len(self.values)

    def read(self, start: int, stop: int) -> AnyArray:
        """Give the values from one position to another."""
        return self.values[start:stop]

    def sample(self, step: int) -> AnyArray:
        """Give every `step`-th value, but for the first."""
        return self.values[step::step]

    def counts(self, needles: AnyArray) -> Int64:
        """Count the values below, and up to, each of the ascending needles: (2, K)."""
        # A short stretch of a long run stays in the processor's cache.
        start, _ = _counts(self.values, needles[:1])[:, 0] if len(needles) else (0, 0)
        _, stop = _counts(self.values, needles[-1:])[:, 0] if len(needles) else (0, 0)
        return start + _counts(self.values[start:stop], needles)


@dataclass(frozen=True, eq=False)
class StoredRun:
    """A sorted run in a file, of which the first value of each block is kept in memory.

    Parameters
    ----------
    descriptor
        Of the open file, which has no name; closed with the run.
    """

    descriptor: int
    heads: AnyArray
    length: int

    @classmethod
    def of(cls, descriptor: int, values: AnyArray) -> StoredRun:
        """Describe the file that holds these sorted values."""
        return cls(descriptor, values[::READ_BLOCK].copy(), len(values))

    def __post_init__(self) -> None:
        weakref.finalize(self, os.close, self.descriptor)

    def __len__(self) -> int:
        return self.length

    def read(self, start: int, stop: int) -> AnyArray:
        """Read the values from one position to another."""
        with os.fdopen(os.dup(self.descriptor), "rb") as file:
            file.seek(start * self.heads.itemsize)
            return np.fromfile(file, self.heads.dtype, count=stop - start)

    def sample(self, step: int) -> AnyArray:
        """Read every `step`-th value, but for the first."""
        places = range(step, self.length, step)
        return np.concatenate([self.read(0, 0), *(self.read(at, at + 1) for at in places)])

    def counts(self, needles: AnyArray) -> Int64:
        """Count the values below, and up to, each of the ascending needles: (2, K).

        Only blocks in which a needle lies are read, each once, one at a time.
        """
        blocks = _counts(self.heads, needles) - 1  # the last one that starts below, or up to
        found = np.zeros(blocks.shape, np.int64)
        for block in np.unique(blocks[blocks >= 0]).tolist():
            start = block * READ_BLOCK
            values = self.read(start, min(start + READ_BLOCK, self.length))
            for side in range(2):
                here = slice(*np.searchsorted(blocks[side], [block, block + 1]))
                found[side, here] = start + _counts(values, needles[here])[side]
        return found


Run = MemoryRun | StoredRun


@dataclass(frozen=True, eq=False)
class Runs:
    """All values of a spool, as runs that are sorted each."""

    parts: Sequence[Run]

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)

    def counts(self, needles: AnyArray) -> Int64:
        """Count the values below, and up to, each of the ascending needles: (2, K)."""
        total = np.zeros((2, len(needles)), np.int64)
        for part in self.parts:
            total += part.counts(needles)
        return total

    def ends(self) -> tuple[AnyArray, AnyArray] | None:
        """Give the smallest and the largest value; None if there is none."""
        full = [part for part in self.parts if len(part)]
        if not full:
            return None
        lows = [part.read(0, 1)[0] for part in full]
        highs = [part.read(len(part) - 1, len(part))[0] for part in full]
        return min(lows), max(highs)

    def brackets(self, size: int) -> Iterator[tuple[AnyArray, Int64 | None]]:
        """Give the values in descending brackets of about `size`, each ascending in itself.

        Yields
        ------
        values, counts
            Counts are None where each value stands for itself. A value that fills more than a
            bracket by itself is given once, with its count.
        """
        edges = self._edges(size)
        low, high = self.counts(edges)
        tops = [len(part) for part in self.parts]
        for i in range(len(edges) - 1, -1, -1):
            heavy = bool(high[i] - low[i] > size)
            below, up_to = self._positions(edges[i : i + 1])
            starts = up_to if heavy else below
            yield from _given(self._joined(starts, tops))
            if heavy:
                yield edges[i : i + 1], high[i : i + 1] - low[i : i + 1]
            tops = below
        yield from _given(self._joined([0] * len(self.parts), tops))

    def _edges(self, size: int) -> AnyArray:
        """Values at most about `size` positions apart, but for ties: from samples of each run."""
        runs = len(self.parts)
        step = max(1, size // (2 * runs))
        samples = np.concatenate([part.sample(step) for part in self.parts])
        samples.sort()
        return np.unique(samples[runs - 1 :: runs])

    def _positions(self, needle: AnyArray) -> tuple[list[int], list[int]]:
        """Where the needle begins, and where it ends, in each run."""
        below, up_to = np.concatenate([part.counts(needle) for part in self.parts], axis=1)
        return below.tolist(), up_to.tolist()

    def _joined(self, starts: Sequence[int], stops: Sequence[int]) -> AnyArray:
        """Values between these positions of each run, sorted together."""
        ranges = zip(self.parts, starts, stops, strict=True)
        pieces = [part.read(start, stop) for part, start, stop in ranges if stop > start]
        if len(pieces) == 1:
            return pieces[0]
        joined = np.concatenate([self.parts[0].read(0, 0), *pieces])
        joined.sort()
        return joined


def _counts(ascending: AnyArray, needles: AnyArray) -> Int64:
    """Count the values below, and up to, each of the ascending needles: (2, K)."""
    below = np.searchsorted(ascending, needles, side="left")
    return np.stack([below, np.searchsorted(ascending, needles, side="right")])


def _given(values: AnyArray) -> Iterator[tuple[AnyArray, None]]:
    if len(values):
        yield values, None
