"""From layers to patch vectors: neighbours seen, grids aligned, channels pooled."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from adharness_timm import TimmParams


def join(layers: Sequence[Tensor], params: TimmParams) -> Tensor:
    """Patch vectors (N, h, w, D) on the grid of the finest of `layers`, each (N, C, h, w).

    Parameters
    ----------
    params
        `neighbourhood`, `aggregation`, `layer_dims`, `upsampling` and `dims` are read.

    Notes
    -----
    Each step is linear and acts either on positions or on channels, so that pooling a layer's
    channels before aligning it gives the official code's numbers up to rounding. It interpolates
    `layer_dims` values where the official order would 9 C.

    References
    ----------
    Roth et al., CVPR 2022, section 3.1, equations 1 to 3; PatchMaker, MeanMapper and Aggregator of
    the official code for `unfold` with both widths set; anomalib for `average` with none.
    """
    if params.aggregation == "average":
        return _joined([_averaged(layer, params.neighbourhood) for layer in layers], params)
    # One image at a time: unfolded, a layer is as many times larger as a patch has neighbours.
    images = zip(*(torch.split(layer, 1) for layer in layers), strict=True)
    side = params.neighbourhood
    return torch.cat([_joined([_unfolded(x, side) for x in image], params) for image in images])


def _averaged(layer: Tensor, side: int) -> Tensor:
    return layer if side == 1 else functional.avg_pool2d(layer, side, 1, side // 2)


def _unfolded(layer: Tensor, side: int) -> Tensor:
    """(N, C * side * side, h, w), the neighbours of one channel together; padding is zeros."""
    values = functional.unfold(layer, side, padding=side // 2)
    return values.reshape(*values.shape[:2], *layer.shape[-2:])


def _joined(layers: Sequence[Tensor], params: TimmParams) -> Tensor:
    mapped = [_pooled(layer, params.layer_dims) for layer in layers]
    finest = max((x.shape[-2:] for x in mapped), key=lambda size: size[0] * size[1])
    aligned = [x if x.shape[-2:] == finest else _aligned(x, finest, params) for x in mapped]
    return _pooled(torch.cat(aligned, dim=1), params.dims).permute(0, 2, 3, 1)


def _aligned(layer: Tensor, size: Sequence[int], params: TimmParams) -> Tensor:
    # With the channels last, torch interpolates eight times as fast on a CPU.
    layer = layer.contiguous(memory_format=torch.channels_last)
    if params.upsampling == "nearest":
        return functional.interpolate(layer, size=tuple(size), mode="nearest")
    return functional.interpolate(layer, size=tuple(size), mode="bilinear", align_corners=False)


def _pooled(layer: Tensor, count: int | None) -> Tensor:
    """Adaptive average pooling of the channels of (N, C, h, w); they repeat where C < count."""
    if count is None:
        return layer
    planes = layer.contiguous()  # channels last, the pooling below takes ten times as long
    pooled = functional.adaptive_avg_pool1d(planes.flatten(2).transpose(1, 2), count)
    return pooled.transpose(1, 2).reshape(len(layer), count, *layer.shape[-2:])
