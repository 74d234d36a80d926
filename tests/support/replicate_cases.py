"""What replicates of pixel metrics are compared with: every image as often as it was drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from adharness.metrics import evaluate_pixels
from pixel_cases import NAMES, SPECS, Case, taken, values

EXACT = [name for name in NAMES if SPECS[name].dialect is None]


def draws(case: Case, count: int = 5) -> np.ndarray:
    """Weights that leave images out, whole kinds of them too."""
    rng = np.random.default_rng(case.seed + 1)
    drawn = rng.integers(0, 3, (count, len(case.maps)))
    drawn[:, 0] += drawn.sum(axis=1) == 0
    return drawn


def repeated(case: Case, weights: np.ndarray) -> dict[str, float]:
    """Take every image as often as drawn, and compute the metrics of all these images."""
    images = np.repeat(np.arange(len(weights)), weights).tolist()
    return values(taken(case, images), EXACT)


def smooth_world(
    seed: int, images: int = 14, size: int = 96
) -> tuple[list[np.ndarray | None], list[np.ndarray]]:
    """Smooth maps with an offset an image; every other image has defects that score higher."""
    rng = np.random.default_rng(seed)
    masks: list[np.ndarray | None] = []
    maps = []
    rows, columns = np.mgrid[:size, :size]
    for image in range(images):
        scores = ndimage.gaussian_filter(rng.normal(size=(size, size)), 2)
        scores = scores / scores.std() + 0.5 * rng.normal()
        mask = np.zeros((size, size), bool)
        for _ in range(rng.integers(1, 4)):
            row, column, radius = *rng.uniform(0, size, 2), rng.uniform(2, size / 8)
            mask |= (rows - row) ** 2 + (columns - column) ** 2 < radius**2
        mask[0, 0] = True
        bad = bool(image % 2)
        masks.append(mask if bad else None)
        maps.append((scores + 1.6 * rng.uniform(0.3, 1.5) * mask * bad).astype(np.float32))
    return masks, maps


def literal(
    masks: Sequence[np.ndarray | None],
    maps: Sequence[np.ndarray],
    names: list[str],
    weights: np.ndarray,
) -> dict[str, float]:
    chosen = np.repeat(np.arange(len(maps)), weights)
    found = evaluate_pixels([masks[i] for i in chosen], [maps[i] for i in chosen], names)
    return {name: value.value for name, value in found.items()}
