"""The extractor: images in, patch vectors and image embeddings out."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import torch

from adharness import (
    ContractError,
    FeatureGrid,
    Preprocess,
    SuiteError,
    Tile,
    check_images,
)
from adharness.arrays import UInt8
from adharness_timm import TimmParams, compiled
from adharness_timm.contest import Contest
from adharness_timm.gathering import Engine, gather
from adharness_timm.graphs import RECIPE as GRAPH_RECIPE
from adharness_timm.graphs import GraphEngine
from adharness_timm.network import Network, build
from adharness_timm.torch_engine import LanesEngine, TorchEngine


class TimmExtractor:
    """Layers of a timm model, joined on the grid of the finest one.

    Each layer is averaged over `neighbourhood` x `neighbourhood` patches (stride 1, zero padding
    counted in, at the layer's own grid) or unfolded over them, brought to the finest chosen grid by
    bilinear interpolation (pixel centres aligned), and concatenated shallow to deep. `layer_dims`
    and `dims` pool the values of a layer and of the whole, as PatchCore's own code does.

    The image embedding is the class token of the deepest chosen block where the model has one, and
    else the plain mean over the deepest chosen layer, before the neighbourhood pooling; or what
    `pooling` says.

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
        self._device = _device(params)
        self._network = build(params)
        self._engine: Engine = _by_torch(self._network, self._device, params)
        self._distributions: tuple[str, ...] = ()
        name = "torch"
        if self._device.type == "cpu":
            name = self._take(params)
        self._params = params.model_copy(update={"backend": name})

    def _take(self, params: TimmParams) -> str:
        """Take the engine of the backend that is asked for, or of the fastest, and name it."""
        if params.backend == "torch":
            return "torch"
        if params.backend == compiled.NAME:
            self._engine = compiled.CompiledEngine(self._network)
            return compiled.NAME
        contest = Contest(self._network, params, _facts(params, self._network))
        backend = contest.winner()
        if backend is None:
            return "torch"
        self._engine, self._distributions = contest.engine(backend), backend.distributions
        return backend.name

    @property
    def chosen(self) -> TimmParams:
        """The parameters with the backend that runs, where `auto` was asked for."""
        return self._params

    @property
    def made_with(self) -> tuple[str, ...]:
        """Distributions, besides this one, whose versions can change a feature."""
        return self._distributions

    @property
    def together(self) -> int:
        """Images that the network sees together, whatever a call gives."""
        return self._engine.together

    @property
    def at_once(self) -> int:
        """Images that a call should give: enough for every thread, or every GPU."""
        return self._engine.at_once

    @property
    def preprocess(self) -> Preprocess:
        """The resize, the crop and the tiles the engine makes before `extract`."""
        how, tile = self._params, self._params.tile
        cut = None if tile is None else Tile(*tile.size, tile.overlap, tile.blend)
        return Preprocess(*how.resize, how.interpolation, how.crop, how.pad, cut)

    def fingerprint(self) -> str:
        """SHA-256 of the model's name, its weights as loaded and its pixel statistics."""
        facts = _facts(self._params, self._network)
        if isinstance(self._engine, GraphEngine):
            facts["graph"] = GRAPH_RECIPE
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def extract(self, images: UInt8) -> FeatureGrid:
        """Features of (N, H, W, 3) uint8 RGB images of the input size in `preprocess`.

        Raises
        ------
        ContractError
            If the images have another shape or type, or there is none.
        """
        check_images(images, self._params.input_size)
        if not len(images):
            raise ContractError("there is no image to extract features of")
        return gather(self._engine, images, self._params, self._device)


def _by_torch(network: Network, device: torch.device, params: TimmParams) -> Engine:
    if device.type == "cpu":
        return TorchEngine(network)
    seen = [torch.device("cuda", i) for i in range(torch.cuda.device_count())]
    return LanesEngine(network, seen if len(seen) > 1 else 2 * seen, params)


def _facts(params: TimmParams, network: Network) -> dict[str, Any]:
    return {
        "recipe": network.recipe,
        "model": params.model,
        "weights": network.sha256,
        "mean": network.mean,
        "std": network.std,
    }


def _device(params: TimmParams) -> torch.device:
    """Where the network runs; a backend that is named, but for torch, runs on the CPU."""
    available = torch.cuda.is_available()
    if params.device == "cuda" and not available:
        raise SuiteError("device cuda was asked for, but torch sees none", hint="device: cpu")
    on_cpu = params.backend not in ("torch", "auto")
    if params.device == "cuda" and on_cpu:
        raise SuiteError(
            f"backend {params.backend!r} runs on the CPU, and device cuda was asked for",
            hint="backend: torch",
        )
    cpu = params.device == "cpu" or on_cpu or not available
    return torch.device("cpu" if cpu else "cuda")
