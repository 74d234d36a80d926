"""The array files of a shard, written batch by batch."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import numpy as np

from adharness.arrays import AnyArray, Float32
from adharness.contracts import FeatureGrid
from adharness.errors import ContractError
from adharness.store.files import explained
from adharness.suite.feature_settings import StoredType


class _Hashed:
    """A file that knows the SHA-256 of what was written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.hash = file, hashlib.sha256()

    def write(self, data: bytes | memoryview) -> int:
        """Write all of it, at once visible to other programs."""
        self.hash.update(data)
        written = self._file.write(data)
        self._file.flush()
        return written


class ShardWriters:
    """Appends batches to npy files with plain writes: a full disk is an error, never a crash.

    (Writing through a memory map would end in SIGBUS on a full disk.)

    Parameters
    ----------
    dtype
        Little-endian on disk; features come as float32 that it holds exactly.
    """

    def __init__(
        self, folder: Path, total: int, files: ExitStack, dtype: StoredType = "float32"
    ) -> None:
        self._folder, self._total, self._files = folder, total, files
        self._dtype = np.dtype(dtype).newbyteorder("<")
        self._open: dict[str, tuple[_Hashed, tuple[int, ...]]] = {}
        self.grid, self.dim = (0, 0), 0
        self.embedding_dim: int | None = None

    def append(self, features: FeatureGrid, count: int) -> None:
        """Write the features of the first `count` images. Raises ContractError, StoreError."""
        patches = features.patches
        if self._open and ("embeddings" in self._open) != (features.embeddings is not None):
            raise ContractError("the extractor gave embeddings of some images and not of others")
        self.grid, self.dim = (patches.shape[1], patches.shape[2]), patches.shape[3]
        self._write("patches", patches[:count])
        if features.embeddings is not None:
            self.embedding_dim = features.embeddings.shape[1]
            self._write("embeddings", features.embeddings[:count])

    def _write(self, name: str, values: Float32) -> None:
        if name not in self._open:
            self._open[name] = (self._create(name, values), values.shape[1:])
        file, shape = self._open[name]
        if values.shape[1:] != shape:
            raise ContractError(f"{name} changed shape from {shape} to {values.shape[1:]}")
        with explained(self._folder / f"{name}.npy"):
            file.write(np.ascontiguousarray(values, dtype=self._dtype).data.cast("B"))

    @property
    def sha256(self) -> dict[str, str]:
        """Of each file, as far as it is written: what was meant, whatever the disk made of it."""
        return {f"{name}.npy": file.hash.hexdigest() for name, (file, _) in self._open.items()}

    def _create(self, name: str, values: AnyArray) -> _Hashed:
        header = {
            "descr": self._dtype.str,
            "fortran_order": False,
            "shape": (self._total, *values.shape[1:]),
        }
        with explained(self._folder / f"{name}.npy"):
            file = self._files.enter_context((self._folder / f"{name}.npy").open("wb"))
            hashed = _Hashed(file)
            np.lib.format.write_array_header_1_0(hashed, header)
        return hashed
