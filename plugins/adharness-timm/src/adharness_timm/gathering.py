"""From what an engine gives of images to their features, joined where they are to lie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from adharness import FeatureGrid
from adharness.arrays import Float32, UInt8
from adharness_timm import TimmParams
from adharness_timm.aggregation import join, joined_size
from adharness_timm.torch_engine import settings


class Engine(Protocol):
    """What runs a network; `together` and `at_once` are those of a `Batched` extractor."""

    @property
    def together(self) -> int:
        """Images that are computed together."""

    @property
    def at_once(self) -> int:
        """Images that a call should give."""

    @property
    def joined(self) -> bool:
        """Whether it gives one layer, which is the patches already."""

    def __call__(self, images: UInt8) -> Iterator[tuple[list[Tensor], Tensor]]:
        """Layers (n, C, h, w) and embeddings (n, E) of images (N, H, W, 3), some at a time."""


def gather(engine: Engine, images: UInt8, params: TimmParams, device: torch.device) -> FeatureGrid:
    """Features of images (N, H, W, 3) uint8, N > 0, by an engine that runs on a device."""
    gathered = _Gathered(len(images), params)
    with settings(device, reduced=params.precision == "bfloat16"):
        for layers, embedding in engine(images):
            gathered.add(layers, embedding, joined=engine.joined)
    return gathered.features()


class _Gathered:
    """Features of `count` images, chunk after chunk, joined where they are to lie."""

    def __init__(self, count: int, params: TimmParams) -> None:
        self._count, self._done, self._params = count, 0, params
        self._patches: Float32 | None = None
        self._embeddings: list[Tensor] = []

    def add(self, layers: list[Tensor], embedding: Tensor, *, joined: bool) -> None:
        if joined:
            # By NumPy, whose copy waits for no thread.
            patches = layers[0].permute(0, 2, 3, 1).numpy()
            self._next(patches.shape[1:], len(embedding))[:] = patches
        else:
            place = self._next(joined_size(layers, self._params), len(embedding))
            join(layers, self._params, torch.from_numpy(place))
        self._embeddings.append(embedding)

    def _next(self, size: tuple[int, ...], count: int) -> Float32:
        """Give where the patches of the next `count` images are to lie."""
        if self._patches is None:
            # NumPy asks for huge pages: torch's own memory takes twice as long to fill.
            self._patches = np.empty((self._count, *size), dtype=np.float32)
        self._done += count
        return self._patches[self._done - count : self._done]

    def features(self) -> FeatureGrid:
        assert self._patches is not None  # noqa: S101  there is an image: checked before
        embeddings = torch.cat(self._embeddings).numpy() if self._params.embedding else None
        return FeatureGrid(self._patches, embeddings)
