"""Small made-up calibration sets: scores of normal and of anomalous images, and maps of pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from weakref import ref

import numpy as np

from adharness.arrays import AnyArray, Float32, Float64, Int64
from adharness.testing.subject import Arrange

NORMALS, ANOMALIES, BATCH = 60, 20, 30
"""Calibration images of each kind, and test images that a batch rule decides over."""
SIZES = ((12, 16), (9, 20), (15, 10))
"""Of maps, in pixels; they take turns."""


@dataclass(frozen=True, eq=False)
class Scored:
    """What a thresholder may be given.

    Parameters
    ----------
    scores : (n,) float64
    labels : (n,) int64
        0 normal, 1 anomalous.
    batch : (m,) float64
        Scores of test images; a third of them are anomalous.
    maps
        (H, W) float32 of normal images; sizes differ.
    """

    scores: Float64
    labels: Int64
    batch: Float64
    maps: tuple[Float32, ...]

    @property
    def normals(self) -> Float64:
        """Scores of the normal images."""
        normals: Float64 = self.scores[self.labels == 0]
        return normals

    def moved(self, factor: float, shift: float) -> Scored:
        """Give the same images on another scale."""
        return replace(
            self,
            scores=factor * self.scores + shift,
            batch=factor * self.batch + shift,
            maps=tuple(_on_scale(one, factor, shift) for one in self.maps),
        )

    def shuffled(self, rng: np.random.Generator) -> Scored:
        """Give the same images in another order."""
        order = rng.permutation(len(self.scores))
        return Scored(
            self.scores[order],
            self.labels[order],
            rng.permutation(self.batch),
            tuple(self.maps[i] for i in rng.permutation(len(self.maps))),
        )

    def first(self, normals: int, anomalies: int = 0) -> Scored:
        """Keep some images of each kind, and as many maps as normal images."""
        each = zip((0, 1), (normals, anomalies), strict=True)
        kept = np.concatenate([np.flatnonzero(self.labels == n)[:count] for n, count in each])
        return replace(
            self, scores=self.scores[kept], labels=self.labels[kept], maps=self.maps[:normals]
        )


def _on_scale(one: Float32, factor: float, shift: float) -> Float32:
    return (factor * one.astype(np.float64) + shift).astype(np.float32)


def scored(seed: int, *, maps: int = 9) -> Scored:
    """Draw images: normal scores have a long right tail, anomalous ones begin in its midst."""
    rng = np.random.default_rng(seed)
    normal, odd = rng.gamma(4.0, 1.0, NORMALS), 6.0 + rng.gamma(4.0, 1.0, ANOMALIES)
    batch = np.concatenate([rng.gamma(4.0, 1.0, BATCH - BATCH // 3), 9.0 + rng.random(BATCH // 3)])
    drawn = (rng.gamma(4.0, 1.0, SIZES[i % len(SIZES)]) for i in range(maps))
    return Scored(
        np.concatenate([normal, odd]),
        np.repeat(np.array([0, 1], dtype=np.int64), [NORMALS, ANOMALIES]),
        rng.permutation(batch),
        tuple(one.astype(np.float32) for one in drawn),
    )


class DrawnMaps(Sequence[Float32]):
    """Maps that exist only while somebody holds them, as those of a run do.

    Attributes
    ----------
    most
        How many were held at once.
    """

    def __init__(self, maps: Sequence[Float32], arrange: Arrange) -> None:
        self._maps, self._arrange = maps, arrange
        self._held: list[ref[AnyArray]] = []
        self.most = 0

    def __len__(self) -> int:
        return len(self._maps)

    def __getitem__(self, i: int) -> Float32:  # type: ignore[override]  # none takes a slice
        one = self._arrange(self._maps[i].copy())
        self._held = [held for held in self._held if held() is not None]
        self._held.append(ref(one if one.base is None else one.base))
        self.most = max(self.most, len(self._held))
        return one

    def __iter__(self) -> Iterator[Float32]:
        for i in range(len(self)):
            yield self[i]
