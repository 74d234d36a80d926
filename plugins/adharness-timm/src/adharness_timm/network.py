"""A timm model as a function from normalised images to the chosen layers."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from adharness import DataError, PluginError, SuiteError
from adharness_timm import TimmParams, bundled
from adharness_timm.folding import folded
from adharness_timm.weights import digest, load_into, read_state_dict


@dataclass(frozen=True, eq=False)
class Network:
    """A model ready to run.

    Parameters
    ----------
    module
        In evaluation mode, on its device, without a classifier.
    layers
        Indices of the chosen layers.
    mean, std
        Of the pixels it was trained with, in [0, 1], one value a channel.
    sha256
        Of its weights.
    """

    module: nn.Module
    layers: tuple[int, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    sha256: str

    def __call__(self, images: Tensor) -> tuple[list[Tensor], Tensor]:
        """Chosen layers (N, C, h, w), shallow first, and the image embedding (N, E)."""
        return _forward(self.module, self.layers, images)


def build(params: TimmParams, device: torch.device) -> Network:
    """Make the model, load its weights, fit it to the input size, and fold it.

    Raises
    ------
    SuiteError
        If the model, a layer or the input size does not exist for it.
    PluginError
        If timm's model cannot give its layers, or a package is missing.
    DataError
        If the weights cannot be had or do not fit.
    """
    _require_known(params.model)
    module = _create(params).eval()
    _require_layers(module, params)
    if params.weights == "bundled":
        load_into(module, bundled.bundled_state(params.model), where="bundled weights")
    elif params.weights not in ("timm", "random"):
        load_into(module, read_state_dict(Path(params.weights)), where=params.weights)
    sha256 = digest(module.state_dict())  # before the size changes position embeddings
    mean, std = _pixel_statistics(module, params)
    module = _ready(module, params).to(device).to(memory_format=torch.channels_last)
    return Network(module, params.layers, mean, std, sha256)


def _require_known(model: str) -> None:
    # A colon would fetch a model from a hub.
    if ":" in model or not timm.is_model(model):
        near = difflib.get_close_matches(model, timm.list_models(), n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "timm.list_models() names them all"
        raise SuiteError(f"timm has no model {model!r}", hint=hint)
    name, _, tag = model.partition(".")
    tagged = timm.list_models(f"{name}.*", pretrained=True)
    if tag and model not in tagged:
        raise SuiteError(
            f"timm has no weights {tag!r} for {name!r}",
            hint=f"it has {', '.join(tagged)}" if tagged else f"model: {name}",
        )


def _create(params: TimmParams) -> nn.Module:
    pretrained = params.weights == "timm"
    try:
        # Initial weights come from torch's own generator: seed it, then give it back as it was.
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(params.seed)
            module: nn.Module = timm.create_model(
                params.model, pretrained=pretrained, num_classes=0
            )
    except Exception as error:
        if not pretrained:
            raise
        raise DataError(
            f"timm could not give the weights of {params.model!r}: {error}",
            hint="without a network use weights: bundled (tf_efficientnet_lite0, 1, 2), or name "
            "a weights file under `weights:`",
        ) from error
    if not hasattr(module, "forward_intermediates"):
        raise PluginError(f"timm's {params.model!r} does not give its layers")
    return module


def _require_layers(module: nn.Module, params: TimmParams) -> None:
    info: Any = module.feature_info
    wrong = [layer for layer in params.layers if layer >= len(info)]
    if wrong:
        raise SuiteError(
            f"layers {wrong} are out of range: {params.model!r} has layers 0 to {len(info) - 1}",
            hint=f"layers: a list out of {list(range(len(info)))}",
        )


def _pixel_statistics(
    module: nn.Module, params: TimmParams
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if params.weights == "bundled":
        return bundled.MEAN, bundled.STD
    config = _config(module)
    return tuple(map(float, config["mean"])), tuple(map(float, config["std"]))


def _config(module: nn.Module) -> dict[str, Any]:
    config: Any = module.pretrained_cfg
    return dict(config)


def _require_whole_patches(module: nn.Module, params: TimmParams) -> None:
    """Raise where timm would silently leave out the last rows: patches would lie elsewhere."""
    patch: Any = getattr(getattr(module, "patch_embed", None), "patch_size", 1)
    steps = (patch, patch) if isinstance(patch, int) else tuple(patch)
    size = params.input_size
    if any(side % step for side, step in zip(size, steps, strict=True)):
        height, width = size
        whole = [max(side // step, 1) * step for side, step in zip(size, steps, strict=True)]
        raise SuiteError(
            f"{params.model!r} cannot take {height} x {width} pixels",
            hint=f"its patches are {steps[0]} x {steps[1]} pixels: {_size_key(params)}: {whole}",
        )


def _size_key(params: TimmParams) -> str:
    return "resize" if params.crop is None else "crop"


def _ready(module: nn.Module, params: TimmParams) -> nn.Module:
    """Fit the module to the input size, try it there, and fold its batch normalizations."""
    _require_whole_patches(module, params)
    noise = torch.Generator().manual_seed(0)
    probe = torch.randn(1, 3, *params.input_size, generator=noise)
    try:
        resize: Any = getattr(module, "set_input_size", None)
        if resize is not None:  # transformers resample their position embeddings
            resize(img_size=params.input_size)
        with torch.inference_mode():
            _forward(module, params.layers, probe)
    except (AssertionError, RuntimeError, ValueError) as error:
        height, width = params.input_size
        raise SuiteError(
            f"{params.model!r} cannot take {height} x {width} pixels: {error}",
            hint=f"its own size is {_size_key(params)}: {list(_config(module)['input_size'][1:])}",
        ) from error
    return folded(module, lambda net, images: _forward(net, params.layers, images)[0], probe)


def _forward(
    module: nn.Module, layers: Sequence[int], images: Tensor
) -> tuple[list[Tensor], Tensor]:
    run: Any = module.forward_intermediates
    settings = {
        "indices": list(layers),
        "intermediates_only": True,
        "stop_early": True,
        "output_fmt": "NCHW",
    }
    if not _has_prefix_tokens(module):
        maps: list[Tensor] = list(run(images, **settings))
        return maps, maps[-1].mean(dim=(2, 3))
    # The final norm is applied to every chosen block, as DINOv2's get_intermediate_layers does.
    pairs = run(images, norm=True, return_prefix_tokens=True, **settings)
    maps = [patches for patches, _ in pairs]
    if getattr(module, "cls_token", None) is None:  # register tokens only
        return maps, maps[-1].mean(dim=(2, 3))
    return maps, pairs[-1][1][:, 0]


def _has_prefix_tokens(module: nn.Module) -> bool:
    run: Any = module.forward_intermediates
    known = "return_prefix_tokens" in inspect.signature(run).parameters
    return known and bool(getattr(module, "num_prefix_tokens", 0))
