"""Anomaly maps of the test images, drawn when the metrics read them and never all held at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from adharness.arrays import Float32, Int64
from adharness.contracts import FittedNormalizer, ImageContext
from adharness.maps import draw_map


@dataclass(frozen=True, eq=False)
class ScoredMaps(Sequence[Float32]):
    """Anomaly maps of n images, drawn at native size when read, then normalized.

    `patches` is None where the scorer gives image scores only.
    """

    patches: Float32 | None
    sizes: Sequence[tuple[int, int]]
    input_size: tuple[int, int]
    smooth_px: float
    normalizers: Sequence[FittedNormalizer]
    contexts: Sequence[ImageContext]

    def __len__(self) -> int:
        return len(self.sizes)

    @overload
    def __getitem__(self, i: int) -> Float32: ...

    @overload
    def __getitem__(self, i: slice) -> Sequence[Float32]: ...

    def __getitem__(self, i: int | slice) -> Float32 | Sequence[Float32]:
        """Draw the map of image i, (H, W) float32."""
        if isinstance(i, slice):
            return self.where(np.arange(len(self))[i])
        if self.patches is None or not 0 <= i < len(self):
            raise IndexError(i)
        drawn = draw_map(
            self.patches[i],
            input_size=self.input_size,
            native_size=self.sizes[i],
            smooth_px=self.smooth_px,
        )
        values = drawn[np.newaxis].astype(np.float64)
        normalized = self.normalizers[i].apply(values, self.contexts[i])
        return np.asarray(normalized[0], dtype=np.float32)

    def where(self, chosen: Int64) -> ScoredMaps:
        """Keep the images at these positions."""
        return ScoredMaps(
            None if self.patches is None else self.patches[chosen],
            [self.sizes[i] for i in chosen],
            self.input_size,
            self.smooth_px,
            [self.normalizers[i] for i in chosen],
            [self.contexts[i] for i in chosen],
        )
