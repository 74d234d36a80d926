from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from adharness import FeatureGrid, Pixels
from few_threads import torch_threads


@dataclass(frozen=True, eq=False)
class ImagesInMemory:
    """A feature set of images (N, H, W, 3) that counts what is read of it."""

    images: np.ndarray

    @property
    def count(self) -> int:
        return len(self.images)

    @property
    def grid(self) -> tuple[int, int]:
        return self.images.shape[1:3]

    dim = 3
    embedding_dim = None
    classes = None

    def read(self, images: np.ndarray) -> FeatureGrid:
        return FeatureGrid(self.images[images])


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """The nets of these tests are too small to share between cores."""
    with torch_threads(1):
        yield


@pytest.fixture(scope="session")
def pictures():
    """Make images (count, side, side, 3) of whole numbers, read-only as from a memory map."""

    def made(count: int, side: int = 64, seed: int = 0) -> np.ndarray:
        draw = np.random.default_rng(seed)
        images = draw.integers(0, 256, (count, side, side, 3)).astype(np.float32)
        images.setflags(write=False)
        return images

    return made


@pytest.fixture(scope="session")
def memory(pictures):
    """Make a memory of pixels."""

    def made(count: int, side: int = 64) -> Pixels:
        return Pixels(ImagesInMemory(pictures(count, side)))

    return made
