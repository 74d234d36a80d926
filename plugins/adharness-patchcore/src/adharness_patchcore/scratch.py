"""An array that may outgrow memory: on disk beyond a budget, read back through a memory map."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np

from adharness import StoreError
from adharness.arrays import Float32


def joined(blocks: Iterable[Float32], shape: tuple[int, int], *, memory_mb: int) -> Float32:
    """Join blocks of rows (n, D) to one read-only array of `shape`.

    Notes
    -----
    What is larger than `memory_mb` goes to a file without a name in the folder for temporary
    files: the system takes the space back with the last use of the array, also if we are killed.
    It is written with plain writes, as a memory map that meets a full disk ends the process.

    Raises
    ------
    StoreError
        If the file cannot be written, with the folder.
    """
    size = shape[0] * shape[1] * np.dtype(np.float32).itemsize
    if size > memory_mb * 2**20:
        return _on_disk(blocks, shape, size)
    whole = np.empty(shape, dtype=np.float32)
    first = 0
    for block in blocks:
        whole[first : first + len(block)] = block
        first += len(block)
    whole.setflags(write=False)
    return whole


def _on_disk(blocks: Iterable[Float32], shape: tuple[int, int], size: int) -> Float32:
    with _written(size):
        file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed below, or with the error
    with file:
        for block in blocks:
            left = np.ascontiguousarray(block).data.cast("B")
            with _written(size):
                while left:  # a nearly full disk takes less than it is given
                    left = left[file.write(left) :]
        return np.memmap(file, dtype=np.float32, mode="r", shape=shape)


@contextmanager
def _written(size: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{size / 2**20:.0f} MB of projected patches cannot be written to "
            f"{tempfile.gettempdir()}: {error}",
            hint="free disk space there, name another folder (TMPDIR=), or allow the bank more "
            "memory (memory_mb=)",
        ) from error
