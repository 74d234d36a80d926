"""Anomaly maps, drawn when a metric reads them; as many are kept as a budget allows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, overload

import numpy as np

from adharness.arrays import Float32, Int64
from adharness.contracts import FittedNormalizer, ImageContext, Margins
from adharness.maps import Upsample, draw_map, input_map, resize_map

KEPT_BYTES = 512 * 2**20
"""Maps of one method held in memory; those beyond are drawn again at each reading."""


class NativeMaps(Protocol):
    """Maps of n images, before any normalizer."""

    def read(self, i: int) -> Float32:
        """(H, W) float32 of image i at native size; read-only."""

    def at_input(self, i: int) -> Float32:
        """Give the map of image i at the size that image scores are taken from."""


@dataclass(eq=False)
class _Kept:
    """The maps that were drawn last, as many as the budget allows."""

    maps: dict[int, Float32] = field(default_factory=dict)
    bytes: int = 0

    def keep(self, i: int, drawn: Float32) -> Float32:
        drawn.setflags(write=False)
        if self.bytes + drawn.nbytes <= KEPT_BYTES:
            self.maps[i] = drawn
            self.bytes += drawn.nbytes
        return drawn


@dataclass(eq=False)
class RawMaps:
    """Maps of n images at native size, before any normalizer, from their patch scores."""

    patches: Float32
    sizes: Sequence[tuple[int, int]]
    input_size: tuple[int, int]
    smooth_px: float
    upsample: Upsample = "bilinear"
    margins: Margins = (0, 0, 0, 0)
    pad: bool = False
    drawn_ms: list[float] = field(default_factory=list)
    """Time to draw each map that was drawn at native size."""
    _kept: _Kept = field(default_factory=_Kept)

    def read(self, i: int) -> Float32:
        """Draw the map of image i, (H, W) float32, or give it again; read-only."""
        if i in self._kept.maps:
            return self._kept.maps[i]
        begun = time.perf_counter()
        drawn = draw_map(
            self.patches[i],
            input_size=self.input_size,
            native_size=self.sizes[i],
            smooth_px=self.smooth_px,
            upsample=self.upsample,
            margins=self.margins,
            pad=self.pad,
        )
        self.drawn_ms.append(1000 * (time.perf_counter() - begun))
        return self._kept.keep(i, drawn)

    def at_input(self, i: int) -> Float32:
        """Draw the map of image i at the size of the extractor's input."""
        return input_map(
            self.patches[i],
            input_size=self.input_size,
            smooth_px=self.smooth_px,
            upsample=self.upsample,
        )


@dataclass(eq=False)
class FoundMaps:
    """Maps of n images that were made elsewhere, each read from its file when it is asked for.

    Never smoothed. One of native size is given as it is; another is resized, pixel centres aligned.
    """

    found: Sequence[Float32]
    sizes: Sequence[tuple[int, int]]
    upsample: Upsample = "bilinear"
    _kept: _Kept = field(default_factory=_Kept)

    def read(self, i: int) -> Float32:
        """Give the map of image i, (H, W) float32 at native size; read-only."""
        if i in self._kept.maps:
            return self._kept.maps[i]
        return self._kept.keep(i, resize_map(self.found[i], self.sizes[i], self.upsample))

    def at_input(self, i: int) -> Float32:
        """Give the map of image i as it was found."""
        return self.found[i]


@dataclass(frozen=True, eq=False)
class ScoredMaps(Sequence[Float32]):
    """Maps of chosen rows, each through its own normalizer; without any, as they are.

    Parameters
    ----------
    normalizers, contexts
        One of each an image, in the order of `rows`; None where raw maps are read.
    """

    raw: NativeMaps
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
