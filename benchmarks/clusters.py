"""Patch-like features for the benchmarks: clusters of unequal size, few directions, rectified."""

from __future__ import annotations

from pathlib import Path

import numpy as np

KINDS = 64  # of patches
BLOCK_ROWS = 50_000


def save_features(path: Path, count: int, dim: int, seed: int = 0) -> Path:
    """Write (count, dim) float32 to an npy file, a block at a time.

    Cluster k holds a share of about 1/k, as in photographs, where much is background. Within one
    the variance of the i-th direction falls as 1/i, so that few directions carry most of it, and
    every second value or so is close to zero, as after a ReLU.
    """
    rng = np.random.default_rng(seed)
    middles = (1.5 * rng.normal(size=(KINDS, dim))).astype(np.float32)
    turns = [np.linalg.qr(rng.normal(size=(dim, dim)))[0].astype(np.float32) for _ in range(8)]
    shares = 1 / np.arange(1, KINDS + 1)
    spread = (2 / np.sqrt(np.arange(1, dim + 1))).astype(np.float32)
    features = np.lib.format.open_memmap(path, "w+", dtype=np.float32, shape=(count, dim))
    for first in range(0, count, BLOCK_ROWS):
        size = min(BLOCK_ROWS, count - first)
        kind = rng.choice(KINDS, size=size, p=shares / shares.sum())
        block = rng.standard_normal((size, dim), dtype=np.float32) * spread
        for turn in range(len(turns)):
            block[kind % 8 == turn] = block[kind % 8 == turn] @ turns[turn]
        block += middles[kind]
        features[first : first + size] = np.maximum(block, 0) + 0.01 * block
    features.flush()
    return path
