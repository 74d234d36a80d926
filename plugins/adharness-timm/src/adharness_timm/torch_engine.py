"""The network run by torch itself: on the CPU, or on every GPU that it sees."""

from __future__ import annotations

import contextlib
import copy
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from adharness.arrays import UInt8
from adharness_timm import TimmParams
from adharness_timm.aggregation import join
from adharness_timm.network import Network

CPU_CHUNK = 8  # larger batches fall out of a CPU's cache: lite0 halves its speed
GPU_CHUNK = 32


class TorchEngine:
    """A network on the CPU, some images at a time.

    It is called under the arithmetic of `settings`.
    """

    joined = False
    together = CPU_CHUNK
    at_once = 2 * CPU_CHUNK

    def __init__(self, network: Network) -> None:
        self._network, self._pixels = network, Pixels.of(network, torch.device("cpu"))

    def __call__(self, images: UInt8) -> Iterator[tuple[list[Tensor], Tensor]]:
        """Layers (n, C, h, w) and embeddings (n, E) of the images, in order."""
        for chunk in chunks(images, self.together):
            layers, embedding = self._network(self._pixels(torch.from_numpy(chunk)))
            yield [layer.float() for layer in layers], embedding.float()


class LanesEngine:
    """A network on each of some devices, their turns taken chunk by chunk.

    Every lane is a copy of the network's tensors on a device, and a stream: while one computes,
    the pixels of the next go there and the patches of the last come back, through pinned memory.
    A single GPU has two lanes. An image has the features it has on one device: the chunks are the
    same whatever their number.

    Parameters
    ----------
    devices
        Where the network runs: one lane for each that is named, so one may be named twice.
    """

    joined = True
    together = GPU_CHUNK

    def __init__(
        self, network: Network, devices: Sequence[torch.device], params: TimmParams
    ) -> None:
        placed = {device: _placed(network, device) for device in devices}
        self._lanes = [_Lane(placed[device], device, params) for device in devices]
        self.at_once = GPU_CHUNK * len(devices)

    def __call__(self, images: UInt8) -> Iterator[tuple[list[Tensor], Tensor]]:
        """Patches (n, D, h, w) and embeddings (n, E) of the images, in order, on the CPU."""
        running: deque[_Running] = deque()
        for i, chunk in enumerate(chunks(images, self.together)):
            if len(running) == len(self._lanes):
                yield running.popleft().done()
            running.append(self._lanes[i % len(self._lanes)].begin(chunk))
        while running:
            yield running.popleft().done()


@dataclass(frozen=True)
class _Running:
    """What a lane was given to do, and where it will lie."""

    patches: Tensor
    embedding: Tensor
    end: torch.cuda.Event | None

    def done(self) -> tuple[list[Tensor], Tensor]:
        if self.end is not None:
            self.end.synchronize()
        return [self.patches.permute(0, 3, 1, 2)], self.embedding


class _Lane:
    """A network on a device, and a stream of its own there."""

    def __init__(self, network: Network, device: torch.device, params: TimmParams) -> None:
        self._network, self._params, self._device = network, params, device
        self._pixels = Pixels.of(network, device)
        made: Any = torch.cuda.Stream  # torch leaves it without types
        self._stream = made(device) if device.type == "cuda" else None

    def begin(self, images: UInt8) -> _Running:
        """Hand the images over, and come back at once."""
        with torch.cuda.stream(self._stream):  # None, on the CPU, is no stream
            there = self._pinned(torch.from_numpy(images)).to(self._device, non_blocking=True)
            layers, embedding = self._network(self._pixels(there))
            # Joined over there: layer by layer, strided copies would cross the bus.
            patches = join([layer.float() for layer in layers], self._params)
            back = self._back(patches), self._back(embedding.float())
            end = None if self._stream is None else self._stream.record_event()
        return _Running(*back, end)

    def _pinned(self, values: Tensor) -> Tensor:
        return values if self._stream is None else values.pin_memory()

    def _back(self, values: Tensor) -> Tensor:
        place = torch.empty(values.shape, pin_memory=self._stream is not None)
        return place.copy_(values, non_blocking=True)


@dataclass(frozen=True)
class Pixels:
    """Makes of bytes (N, H, W, 3) what the network was trained with, (N, 3, H, W) float32."""

    mean: Tensor
    std: Tensor

    @classmethod
    def of(cls, network: Network, device: torch.device) -> Pixels:
        """Give those that the network was trained with, on a device."""
        return cls(
            *(
                torch.tensor(values, device=device).view(1, 3, 1, 1) * 255
                for values in (network.mean, network.std)
            )
        )

    def __call__(self, pixels: Tensor) -> Tensor:
        """Normalize; pixels must be where the network is."""
        # As (N, 3, H, W) these bytes lie channels-last already.
        return (pixels.permute(0, 3, 1, 2).float() - self.mean) / self.std


def chunks(images: UInt8, size: int) -> Iterator[UInt8]:
    """Give so many images at a time, the last ones fewer, and writable."""
    for start in range(0, len(images), size):
        yield np.array(images[start : start + size])  # a copy: maps are read-only


def _placed(network: Network, device: torch.device) -> Network:
    return replace(network, module=copy.deepcopy(network.module).to(device))


@contextlib.contextmanager
def settings(device: torch.device, *, reduced: bool) -> Iterator[None]:
    """Compute without gradients, repeatably, and denormals as zero, for as long as this lasts.

    Parameters
    ----------
    reduced
        Whether products are in bfloat16; sums and norms stay in float32.
    """
    products = torch.autocast(device.type, torch.bfloat16, enabled=reduced)
    with torch.inference_mode(), _exact_convolutions(), _no_denormals(), products:
        yield


@contextlib.contextmanager
def _exact_convolutions() -> Iterator[None]:
    """On CUDA: full float32 and one algorithm each run, only for as long as this lasts."""
    with torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    ):
        yield


@contextlib.contextmanager
def _no_denormals() -> Iterator[None]:
    """Flush denormal numbers to zero, only for as long as this lasts.

    An untrained network runs several times slower without. The switch is the processor's, so left
    on it would change the arithmetic of everything else in the process.
    """
    before = bool(torch.tensor(1e-40) * 1 == 0)  # torch has no way to ask
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)
