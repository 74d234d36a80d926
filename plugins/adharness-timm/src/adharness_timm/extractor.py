"""The extractor: images in, patch vectors and image embeddings out."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from adharness import ContractError, FeatureGrid, Preprocess, SuiteError
from adharness.arrays import Float32, UInt8, require_shape
from adharness_timm import TimmParams
from adharness_timm.aggregation import join, joined_size
from adharness_timm.network import build

_RECIPE = 1  # raise it when the way from image to feature changes
_CHUNK = {"cpu": 8, "cuda": 64}  # larger batches fall out of a CPU's cache: lite0 halves its speed


class TimmExtractor:
    """Layers of a timm model, joined on the grid of the finest one.

    Each layer is averaged over `neighbourhood` x `neighbourhood` patches (stride 1, zero padding
    counted in, at the layer's own grid) or unfolded over them, brought to the finest chosen grid by
    bilinear interpolation (pixel centres aligned), and concatenated shallow to deep. `layer_dims`
    and `dims` pool the values of a layer and of the whole, as PatchCore's own code does.

    The image embedding is the class token of the deepest chosen block where the model has one, and
    else the plain mean over the deepest chosen layer, before the neighbourhood pooling.

    Raises
    ------
    SuiteError, PluginError, DataError
        As `network.build`; SuiteError also where CUDA is asked for and absent.

    References
    ----------
    Roth et al., Towards Total Recall in Industrial Anomaly Detection, CVPR 2022, section 3.1;
    by default with plain average pooling and concatenation as in anomalib.
    """

    def __init__(self, params: TimmParams) -> None:
        self._params = params
        self._device = _device(params.device)
        self._network = build(params, self._device)
        mean, std = self._network.mean, self._network.std
        self._mean = torch.tensor(mean, device=self._device).view(1, 3, 1, 1) * 255
        self._std = torch.tensor(std, device=self._device).view(1, 3, 1, 1) * 255

    @property
    def preprocess(self) -> Preprocess:
        """The resize and the crop the engine does before `extract`."""
        height, width = self._params.resize
        return Preprocess(height, width, self._params.interpolation, self._params.crop)

    def fingerprint(self) -> str:
        """SHA-256 of the model's name, its weights as loaded and its pixel statistics."""
        facts = {
            "recipe": _RECIPE,
            "model": self._params.model,
            "weights": self._network.sha256,
            "mean": self._network.mean,
            "std": self._network.std,
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def extract(self, images: UInt8) -> FeatureGrid:
        """Features of (N, H, W, 3) uint8 RGB images of the input size in `preprocess`.

        Raises
        ------
        ContractError
            If the images have another shape or type, or there is none.
        """
        require_shape(images, (None, *self._params.input_size, 3), name="images")
        if images.dtype != np.uint8 or len(images) == 0:
            raise ContractError(f"expected uint8 images, got {len(images)} of {images.dtype}")
        size = _CHUNK[self._device.type]
        gathered = _Gathered(len(images), self._params)
        with torch.inference_mode(), _exact_convolutions(), _no_denormals(), self._reduced():
            for i in range(0, len(images), size):
                gathered.append(*self._layers(images[i : i + size]))
        return gathered.features()

    def _layers(self, images: UInt8) -> tuple[list[Tensor], Tensor]:
        """Chosen layers (n, C, h, w) and embeddings (n, E)."""
        pixels = torch.from_numpy(np.array(images)).to(self._device)  # a copy: maps are read-only
        # As (N, 3, H, W) these bytes lie channels-last already.
        inputs = (pixels.permute(0, 3, 1, 2).float() - self._mean) / self._std
        layers, embedding = self._network(inputs)
        return [layer.float() for layer in layers], embedding.float()

    def _reduced(self) -> torch.autocast:
        """Products in bfloat16 where the params ask for it; sums and norms stay in float32."""
        enabled = self._params.precision == "bfloat16"
        return torch.autocast(self._device.type, torch.bfloat16, enabled=enabled)


class _Gathered:
    """Features of `count` images, chunk after chunk, joined where they are to lie."""

    def __init__(self, count: int, params: TimmParams) -> None:
        self._count, self._done, self._params = count, 0, params
        self._patches: Float32 | None = None
        self._embeddings: list[Tensor] = []

    def append(self, layers: list[Tensor], embedding: Tensor) -> None:
        if self._patches is None:
            # NumPy asks for huge pages: torch's own memory takes twice as long to fill.
            size = joined_size(layers, self._params)
            self._patches = np.empty((self._count, *size), dtype=np.float32)
        place = torch.from_numpy(self._patches[self._done : self._done + len(embedding)])
        if layers[0].device == place.device:
            join(layers, self._params, place)
        else:  # joined over there: layer by layer, the strided copies would cross the bus
            place.copy_(join(layers, self._params))
        self._embeddings.append(embedding.cpu())
        self._done += len(embedding)

    def features(self) -> FeatureGrid:
        assert self._patches is not None  # noqa: S101  there is an image: checked before
        embeddings = torch.cat(self._embeddings).numpy() if self._params.embedding else None
        return FeatureGrid(self._patches, embeddings)


def _device(name: str) -> torch.device:
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise SuiteError("device cuda was asked for, but torch sees none", hint="device: cpu")
    return torch.device("cuda" if available and name != "cpu" else "cpu")


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
