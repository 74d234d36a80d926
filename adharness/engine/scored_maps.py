"""Anomaly maps, drawn when a metric reads them; as many are kept as a budget allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import overload

import numpy as np

from adharness.arrays import Float32, Int64
from adharness.contracts import FittedNormalizer, ImageContext, Margins
from adharness.maps import Upsample, draw_map, input_map

KEPT_BYTES = 512 * 2**20
"""Maps of one method held in memory; those beyond are drawn again at each reading."""


@dataclass(eq=False)
class RawMaps:
    """Maps of n images at native size, before any normalizer, from their patch scores."""

    patches: Float32
    sizes: Sequence[tuple[int, int]]
    input_size: tuple[int, int]
    smooth_px: float
    upsample: Upsample = "bilinear"
    margins: Margins = (0, 0, 0, 0)
    _kept: dict[int, Float32] = field(default_factory=dict)
    _kept_bytes: int = 0

    def read(self, i: int) -> Float32:
        """Draw the map of image i, (H, W) float32, or give it again; read-only."""
        if i in self._kept:
            return self._kept[i]
        drawn = draw_map(
            self.patches[i],
            input_size=self.input_size,
            native_size=self.sizes[i],
            smooth_px=self.smooth_px,
            upsample=self.upsample,
            margins=self.margins,
        )
        drawn.setflags(write=False)
        if self._kept_bytes + drawn.nbytes <= KEPT_BYTES:
            self._kept[i] = drawn
            self._kept_bytes += drawn.nbytes
        return drawn

    def at_input(self, i: int) -> Float32:
        """Draw the map of image i at the size of the extractor's input."""
        return input_map(
            self.patches[i],
            input_size=self.input_size,
            smooth_px=self.smooth_px,
            upsample=self.upsample,
        )


@dataclass(frozen=True, eq=False)
class ScoredMaps(Sequence[Float32]):
    """Maps of chosen rows, each through its own normalizer; without any, as they are.

    Parameters
    ----------
    normalizers, contexts
        One of each an image, in the order of `rows`; None where raw maps are read.
    """

    raw: RawMaps
    rows: Int64
    normalizers: Sequence[FittedNormalizer] | None = None
    contexts: Sequence[ImageContext] = ()

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, i: int) -> Float32: ...

    @overload
    def __getitem__(self, i: slice) -> Sequence[Float32]: ...

    def __getitem__(self, i: int | slice) -> Float32 | Sequence[Float32]:
        """Give the map of image i, (H, W) float32."""
        if isinstance(i, slice):
            return [self[j] for j in range(len(self))[i]]
        drawn = self.raw.read(int(self.rows[i]))
        if self.normalizers is None:
            return drawn
        values = drawn[np.newaxis].astype(np.float64)
        normalized = self.normalizers[i].apply(values, self.contexts[i])
        return np.asarray(normalized[0], dtype=np.float32)
