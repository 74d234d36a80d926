"""Synthetic anomaly maps for the benchmarks: smooth noise, discs where something is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import ndimage


def make_maps(count: int, size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Masks (N, H, W) bool and maps (N, H, W) float32; a third of the images is good."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:size, :size]
    masks = np.zeros((count, size, size), bool)
    maps = np.empty((count, size, size), np.float32)
    for i in range(count):
        coarse = rng.standard_normal((size // 16, size // 16))
        maps[i] = ndimage.zoom(coarse, 16, order=1)
        maps[i] += 0.1 * rng.standard_normal((size, size))
        for _ in range(rng.integers(2, 7) if i % 3 else 0):
            row, column = rng.integers(0, size, 2)
            radius = rng.integers(size // 40, size // 12)
            masks[i] |= (rows - row) ** 2 + (columns - column) ** 2 < radius**2
        maps[i] += 1.5 * masks[i]
    return masks, maps


def save_maps(folder: Path, count: int, size: int) -> Path:
    """Write masks and maps to a folder, from which two programs can read the same arrays."""
    folder.mkdir(parents=True)
    masks, maps = make_maps(count, size)
    np.save(folder / "masks.npy", masks)
    np.save(folder / "maps.npy", maps)
    return folder


class RolledMaps(Sequence[np.ndarray]):
    """As many large maps as asked for, each made from one when it is read."""

    def __init__(self, count: int, size: int) -> None:
        self.masks, maps = make_maps(3, size)
        self._one, self._count = maps[0], count

    def __len__(self) -> int:
        return self._count

    def mask(self, i: int) -> np.ndarray | None:
        return self.masks[1 + i % 2] if i % 3 else None

    def __getitem__(self, i: int) -> np.ndarray:  # type: ignore[override]
        rng = np.random.default_rng(i)
        scores = np.roll(self._one, rng.integers(0, len(self._one)), axis=0)
        scores *= np.float32(rng.uniform(0.8, 1.2))  # so that hardly any two scores are equal
        mask = self.mask(i)
        if mask is not None:
            scores += np.float32(1.5) * mask
        return scores


class RolledMasks(Sequence[np.ndarray | None]):
    """The masks of `RolledMaps`."""

    def __init__(self, maps: RolledMaps) -> None:
        self._maps = maps

    def __len__(self) -> int:
        return len(self._maps)

    def __getitem__(self, i: int) -> np.ndarray | None:  # type: ignore[override]
        return self._maps.mask(i)
