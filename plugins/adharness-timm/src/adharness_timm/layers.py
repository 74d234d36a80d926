"""What is read of a timm model: its layers as maps, and one vector an image."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from adharness import PluginError, SuiteError
from adharness_timm import TimmParams

_GEM_POWER, _GEM_LEAST = 3.0, 1e-6


@dataclass(frozen=True)
class Reading:
    """Which layers are read, and how.

    Parameters
    ----------
    layers
        Counted from the start, ascending.
    final_norm
        A transformer's final normalization is applied to every chosen block.
    pooling
        What makes the vector of the image: `token`, `mean` or `gem`, of the deepest layer.
    """

    layers: tuple[int, ...]
    final_norm: bool
    pooling: str


def reading(module: nn.Module, params: TimmParams) -> Reading:
    """Settle what the parameters leave to the model.

    Raises
    ------
    PluginError
        If the model cannot give its layers.
    SuiteError
        If it has no such layer, or no class token where one is asked for.
    """
    if not hasattr(module, "forward_intermediates"):
        raise PluginError(
            f"timm's {params.model!r} does not give its layers",
            hint="choose another model; timm.list_models() names them all",
        )
    return Reading(_layers(module, params), params.final_norm, _pooling(module, params))


def _layers(module: nn.Module, params: TimmParams) -> tuple[int, ...]:
    count = layer_count(module)
    wrong = [layer for layer in params.layers if not -count <= layer < count]
    if wrong:
        raise SuiteError(
            f"layers {wrong} are out of range: {params.model!r} has layers 0 to {count - 1}",
            hint=f"layers: a list out of {list(range(count))}, or counted from the end, out of "
            f"{list(range(-count, 0))}",
        )
    return tuple(layer % count for layer in params.layers)


def _pooling(module: nn.Module, params: TimmParams) -> str:
    if params.pooling == "auto":
        return "token" if _has_class_token(module) else "mean"
    if params.pooling == "token" and not _has_class_token(module):
        raise SuiteError(
            f"{params.model!r} has no class token among its layers", hint="pooling: mean, or gem"
        )
    return params.pooling


def is_plain_transformer(module: nn.Module) -> bool:
    """Tell whether all its blocks have one width and grid, and one norm that fits each of them."""
    run: Any = module.forward_intermediates
    return "return_prefix_tokens" in inspect.signature(run).parameters


def prefix_tokens(module: nn.Module) -> int:
    """Count the class and register tokens that a plain transformer gives apart from patches."""
    return int(getattr(module, "num_prefix_tokens", 0)) if is_plain_transformer(module) else 0


def _has_class_token(module: nn.Module) -> bool:
    # Without one, prefix tokens are registers: they are no summary of the image.
    return prefix_tokens(module) > 0 and getattr(module, "cls_token", None) is not None


def layer_count(module: nn.Module) -> int:
    """How many layers a model has to choose from."""
    info: Any = module.feature_info
    return len(info)


def reductions(module: nn.Module, layers: Sequence[int]) -> list[int]:
    """Pixels from one patch of a layer to the next, as timm states them."""
    info: Any = module.feature_info
    return [int(info[layer]["reduction"]) for layer in layers]


def read(module: nn.Module, how: Reading, images: Tensor) -> tuple[list[Tensor], Tensor]:
    """Chosen layers (N, C, h, w), shallow first, and the image embedding (N, E).

    Notes
    -----
    The final norm of a plain transformer is applied to every chosen block, as DINOv2's
    `get_intermediate_layers` does. Class and register tokens are no patches. The generalized mean
    has power 3, and takes values below 1e-6 for 1e-6.

    References
    ----------
    Radenovic et al., Fine-tuning CNN Image Retrieval with No Human Annotation, TPAMI 2019,
    equation 3.
    """
    run: Any = module.forward_intermediates
    settings: dict[str, Any] = {
        "indices": list(how.layers),
        "intermediates_only": True,
        "stop_early": True,
        "output_fmt": "NCHW",
    }
    if is_plain_transformer(module):
        settings["norm"] = how.final_norm
    if not prefix_tokens(module):
        maps: list[Tensor] = list(run(images, **settings))
        return maps, _pooled(maps[-1], how.pooling)
    pairs = run(images, return_prefix_tokens=True, **settings)
    maps = [patches for patches, _ in pairs]
    if how.pooling == "token":
        return maps, pairs[-1][1][:, 0]
    return maps, _pooled(maps[-1], how.pooling)


def _pooled(layer: Tensor, pooling: str) -> Tensor:
    if pooling == "mean":
        return layer.mean(dim=(2, 3))
    raised = layer.clamp(min=_GEM_LEAST).pow(_GEM_POWER)
    return raised.mean(dim=(2, 3)).pow(1 / _GEM_POWER)
