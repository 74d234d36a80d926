"""A network written as ONNX, and what runs it: images in threads, features in order."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from adharness import PluginError
from adharness.arrays import Float32, UInt8
from adharness.threads import in_order
from adharness_timm import TimmParams
from adharness_timm.aggregation import joined_in_a_graph, joins_in_a_graph
from adharness_timm.backends import Graph, Runner
from adharness_timm.network import Network
from adharness_timm.torch_engine import Pixels

RECIPE = 1  # raise it when graphs of one network come out otherwise
OPSET = 17  # the first with layer normalization as one operation


class _Whole(nn.Module):
    """Bytes of an image to its patches, or layers (1, h, w, C), and its embedding (1, E)."""

    def __init__(self, network: Network, params: TimmParams) -> None:
        super().__init__()
        self._network, self._params = network, params
        self.module, self._pixels = network.module, Pixels.of(network, torch.device("cpu"))

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        layers, embedding = self._network(self._pixels(pixels))
        if joins_in_a_graph(self._params):
            return joined_in_a_graph(layers, self._params), embedding
        return (*(layer.permute(0, 2, 3, 1) for layer in layers), embedding)


def exported(network: Network, params: TimmParams) -> Graph:
    """Write a network on the CPU as ONNX, for one image of the input size of its parameters.

    Raises
    ------
    PluginError
        If torch cannot write it.
    """
    written: Any = io.BytesIO()  # the exporter takes it, its annotation does not
    pixels = torch.zeros((1, *params.input_size, 3), dtype=torch.uint8)
    try:
        # The exporter that torch now prefers needs two more packages. The warnings are about it,
        # and about shapes that are fixed here.
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            whole = _Whole(network, params).eval()
            torch.onnx.export(whole, (pixels,), written, dynamo=False, opset_version=OPSET)
    except Exception as error:
        raise PluginError(
            f"torch cannot write this network as ONNX: {error}", hint="backend: torch"
        ) from error
    return Graph(written.getvalue(), joins_in_a_graph(params))


class GraphEngine:
    """Runs a graph on each image alone, so many at once: the batch cannot matter."""

    together = 1

    def __init__(self, runner: Runner, workers: int, *, joined: bool) -> None:
        self._runner, self._workers, self.joined = runner, workers, joined
        # At the end of a call threads wait for the last one; and all its features are in memory.
        self.at_once = min(8 * workers, 128)

    def __call__(self, images: UInt8) -> Iterator[tuple[list[Tensor], Tensor]]:
        """Give layers (1, C, h, w), or patches so, and embeddings (1, E) of images, in order."""
        each = (images[i : i + 1] for i in range(len(images)))
        ahead = 2 * self._workers
        yield from map(_tensors, in_order(self._run, each, workers=self._workers, ahead=ahead))

    def _run(self, image: UInt8) -> Sequence[Float32]:
        torch.set_flush_denormal(True)  # a thread's arithmetic is its own, and ends with it
        return self._runner(image)


def _tensors(outputs: Sequence[Float32]) -> tuple[list[Tensor], Tensor]:
    *layers, embedding = (torch.from_numpy(output) for output in outputs)
    return [layer.permute(0, 3, 1, 2) for layer in layers], embedding
