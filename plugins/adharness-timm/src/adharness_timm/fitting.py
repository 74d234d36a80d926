"""Fitting a model to the size of the images: what it cannot take is refused with the nearest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from adharness import SuiteError
from adharness_timm import TimmParams
from adharness_timm.folding import folded
from adharness_timm.layers import Reading, layer_count, read, reductions

_REFUSALS = (AssertionError, IndexError, RuntimeError, ValueError)  # what timm's models raise


def fitted(module: nn.Module, params: TimmParams, how: Reading) -> nn.Module:
    """Fit the module to the input size, try it there, and fold its batch normalizations.

    Raises
    ------
    SuiteError
        If the model cannot take images of this size, leaves out their last rows, or scales them
        to a size of its own: patches would lie elsewhere than maps say.
    """
    _require_whole_patches(module, params)
    noise = torch.Generator().manual_seed(0)
    probe = torch.randn(1, 3, *params.input_size, generator=noise)
    try:
        resize: Any = getattr(module, "set_input_size", None)
        if resize is not None:  # transformers resample their position embeddings
            resize(img_size=params.input_size)
        result, layers = folded(module, lambda net, images: read(net, how, images)[0], probe)
    except _REFUSALS as error:
        raise _refusal(params, str(error), _worth_trying(module, params)) from error
    _require_covered(module, params, how, _grids(layers))
    return result


def _require_whole_patches(module: nn.Module, params: TimmParams) -> None:
    """Raise where timm would silently leave out the last rows: patches would lie elsewhere."""
    steps, size = _patch_size(module), params.input_size
    if any(side % step for side, step in zip(size, steps, strict=True)):
        height, width = size
        raise SuiteError(
            f"{params.model!r} cannot take {height} x {width} pixels",
            hint=f"its patches are {steps[0]} x {steps[1]} pixels: "
            f"{_size_key(params)}: {_nearest(params, steps)}",
        )


def _patch_size(module: nn.Module) -> tuple[int, int]:
    """(height, width) of the patches that the images are cut into; (1, 1) where they overlap."""
    embed: Any = getattr(module, "patch_embed", None)
    patch: Any = getattr(embed, "patch_size", 1)
    height, width = (patch, patch) if isinstance(patch, int) else tuple(patch)
    cut: Any = getattr(embed, "proj", None)
    overlap = isinstance(cut, nn.Conv2d) and cut.stride != (height, width)
    return (1, 1) if overlap else (height, width)


def _require_covered(
    module: nn.Module, params: TimmParams, how: Reading, grids: Sequence[tuple[int, int]]
) -> None:
    """Raise where the grids of the layers do not stand for the whole image.

    A layer of reduction r has ceil(side / r) rows where the model pads, and rarely one fewer where
    its convolutions lose the border on both sides. Where it has fewer because a remainder does not
    fill a patch, the rows before it would be stretched over it.
    """
    steps, size = reductions(module, how.layers), params.input_size
    most = [(math.ceil(size[0] / step), math.ceil(size[1] / step)) for step in steps]
    if any(h > rows or w > columns for (h, w), (rows, columns) in zip(grids, most, strict=True)):
        fact = "it scales images to a size of its own"
        raise _refusal(params, fact, _own_size(module, params))
    spans = [(h * step, w * step) for (h, w), step in zip(grids, steps, strict=True)]
    lost = max(max(size[0] - height, size[1] - width) for height, width in spans)
    uneven = any(side % max(steps) for side in size)
    if lost > 0 and uneven and _drops_remainders(module, how, size):
        fact = f"it leaves out up to {lost} pixels at the lower and right border"
        raise _refusal(params, fact, _multiple(params, max(steps)))


def _drops_remainders(module: nn.Module, how: Reading, size: tuple[int, int]) -> bool:
    """Tell whether the grids are exact at whole multiples, so that a remainder is what is lost.

    Else they are short at every size, as those of nets that pad nothing: that is their own grid.
    """
    steps = reductions(module, how.layers)
    whole = max(steps)
    height, width = (max(side // whole, 1) * whole for side in size)
    try:
        with torch.inference_mode():
            grids = _grids(read(module, how, torch.zeros(1, 3, height, width))[0])
    except _REFUSALS:  # this size alone is its own
        return False
    exact = [(height // step, width // step) for step in steps]
    return grids == exact


def _grids(layers: Sequence[Tensor]) -> list[tuple[int, int]]:
    return [(layer.shape[-2], layer.shape[-1]) for layer in layers]


def _refusal(params: TimmParams, why: str, hint: str) -> SuiteError:
    height, width = params.input_size
    return SuiteError(f"{params.model!r} cannot take {height} x {width} pixels: {why}", hint=hint)


def _worth_trying(module: nn.Module, params: TimmParams) -> str:
    """Name the nearest whole multiple for all its layers; its own size where that is not it."""
    config: Any = module.pretrained_cfg
    whole = max(reductions(module, range(layer_count(module))))
    if config.get("fixed_input_size") or not any(side % whole for side in params.input_size):
        return _own_size(module, params)
    return _multiple(params, whole)


def _own_size(module: nn.Module, params: TimmParams) -> str:
    config: Any = module.pretrained_cfg
    return f"its own size is {_size_key(params)}: {list(config['input_size'][1:])}"


def _multiple(params: TimmParams, whole: int) -> str:
    return f"a multiple of {whole} pixels: {_size_key(params)}: {_nearest(params, (whole, whole))}"


def _nearest(params: TimmParams, steps: tuple[int, int]) -> list[int]:
    """Whole multiples nearest to the input size; no larger where they must fit into the resize."""
    count = round if params.crop is None and params.tile is None else int
    sides = zip(params.input_size, steps, strict=True)
    return [max(count(side / step), 1) * step for side, step in sides]


def _size_key(params: TimmParams) -> str:
    if params.tile is not None:
        return "tile.size"
    return "resize" if params.crop is None else "crop"
