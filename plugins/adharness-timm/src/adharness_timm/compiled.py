"""The network compiled by torch: `backend: torch-compile`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from adharness import PluginError
from adharness.arrays import UInt8
from adharness_timm.network import Network
from adharness_timm.torch_engine import CPU_CHUNK, Pixels, chunks

NAME = "torch-compile"


class CompiledEngine:
    """A network on the CPU, compiled for `CPU_CHUNK` images: fewer are filled up with black ones.

    It is compiled when it first runs, which takes up to a minute and needs a C++ compiler; torch
    keeps what it compiled for the next process. Weights are constants of what is compiled.
    """

    joined = False
    together = CPU_CHUNK
    at_once = 2 * CPU_CHUNK

    def __init__(self, network: Network) -> None:
        self._pixels = Pixels.of(network, torch.device("cpu"))
        self._compiled: Any = torch.compile(
            _Flat(network).eval(), dynamic=False, options={"freezing": True}
        )

    def __call__(self, images: UInt8) -> Iterator[tuple[list[Tensor], Tensor]]:
        """Layers (n, C, h, w) and embeddings (n, E) of the images, in order.

        Raises
        ------
        PluginError
            If torch cannot compile the network here.
        """
        for chunk in chunks(images, self.together):
            whole = np.zeros((self.together, *chunk.shape[1:]), dtype=np.uint8)
            whole[: len(chunk)] = chunk
            *layers, embedding = self._run(self._pixels(torch.from_numpy(whole)))
            yield [x[: len(chunk)].float() for x in layers], embedding[: len(chunk)].float()

    def _run(self, inputs: Tensor) -> tuple[Tensor, ...]:
        try:
            outputs: tuple[Tensor, ...] = self._compiled(inputs)
        except Exception as error:
            first = str(error).strip().partition("\n")[0]
            raise PluginError(
                f"torch cannot compile this network here: {type(error).__name__}: {first}",
                hint="it needs a C++ compiler, such as g++; or backend: torch",
            ) from error
        return outputs


class _Flat(nn.Module):
    """Layers and embedding in one tuple."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network, self.module = network, network.module

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        layers, embedding = self._network(images)
        return (*layers, embedding)
