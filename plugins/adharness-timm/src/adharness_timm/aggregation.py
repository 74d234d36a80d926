"""From layers to patch vectors: neighbours seen, grids aligned, channels pooled."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from adharness_timm import TimmParams


def join(layers: Sequence[Tensor], params: TimmParams, out: Tensor | None = None) -> Tensor:
    """Patch vectors (N, h, w, D) on the grid of the finest of `layers`, each (N, C, h, w).

    Parameters
    ----------
    params
        `neighbourhood`, `aggregation`, `layer_dims`, `upsampling` and `dims` are read.
    out : (N, h, w, D) float32, optional
        Where to put them, of the size that `joined_size` says; made where it is missing.

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
    if out is None:
        size = (len(layers[0]), *joined_size(layers, params))
        out = torch.empty(size, dtype=layers[0].dtype, device=layers[0].device)
    if params.aggregation == "average":
        _join_into(out, [_averaged(layer, params.neighbourhood) for layer in layers], params)
        return out
    # One image at a time: unfolded, a layer is as many times larger as a patch has neighbours.
    images = zip(*(torch.split(layer, 1) for layer in layers), strict=True)
    for place, image in zip(torch.split(out, 1), images, strict=True):
        _join_into(place, [_unfolded(x, params.neighbourhood) for x in image], params)
    return out


def joins_in_a_graph(params: TimmParams) -> bool:
    """Whether `joined_in_a_graph` can do what `join` does."""
    return params.aggregation == "average" and params.layer_dims is None and params.dims is None


def joined_in_a_graph(layers: Sequence[Tensor], params: TimmParams) -> Tensor:
    """As `join`, without writing in place: what can be written as a graph."""
    averaged = [_averaged(layer, params.neighbourhood) for layer in layers]
    size = tuple(int(side) for side in _finest(averaged))  # fixed in a graph
    aligned = [x if x.shape[-2:] == size else _aligned(x, size, params) for x in averaged]
    return torch.cat(aligned, dim=1).permute(0, 2, 3, 1)


def joined_size(layers: Sequence[Tensor], params: TimmParams) -> tuple[int, int, int]:
    """(h, w, D) of what `join` makes of these layers."""
    height, width = _finest(layers)
    neighbours = params.neighbourhood**2 if params.aggregation == "unfold" else 1
    widths = [params.layer_dims or layer.shape[1] * neighbours for layer in layers]
    return height, width, params.dims or sum(widths)


def _finest(layers: Sequence[Tensor]) -> tuple[int, int]:
    height, width = max((x.shape[-2:] for x in layers), key=lambda size: size[0] * size[1])
    return height, width


def _averaged(layer: Tensor, side: int) -> Tensor:
    return layer if side == 1 else functional.avg_pool2d(layer, side, 1, side // 2)


def _unfolded(layer: Tensor, side: int) -> Tensor:
    """(N, C * side * side, h, w), the neighbours of one channel together; padding is zeros."""
    values = functional.unfold(layer, side, padding=side // 2)
    return values.reshape(*values.shape[:2], *layer.shape[-2:])


def _join_into(out: Tensor, layers: Sequence[Tensor], params: TimmParams) -> None:
    finest = _finest(layers)
    mapped = (_pooled(layer, params.layer_dims) for layer in layers)
    aligned = (x if x.shape[-2:] == finest else _aligned(x, finest, params) for x in mapped)
    if params.dims is not None:
        out.copy_(_pooled(torch.cat(list(aligned), dim=1), params.dims).permute(0, 2, 3, 1))
        return
    done = 0
    for layer in aligned:  # each straight to its place: joined first, all would be copied twice
        out[..., done : done + layer.shape[1]].copy_(layer.permute(0, 2, 3, 1))
        done += layer.shape[1]


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
