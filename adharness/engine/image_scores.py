"""One score an image, from its patches or as the scorer gave it. Part of the referee."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adharness.arrays import Float32, Float64, mean_of_highest
from adharness.engine.scored_maps import NativeMaps
from adharness.errors import ContractError
from adharness.suite.schema import ImageScore


def image_scores(
    rule: ImageScore,
    own: Float64 | None,
    patches: Sequence[Float32] | Float32 | None,
    maps: NativeMaps | None,
) -> tuple[Float64, str]:
    """Score images by a rule.

    Parameters
    ----------
    own : (n,) float64, optional
        The scorer's own image scores.
    patches : (n, h, w) float32, optional
        At least one of the two is there. Of scores made elsewhere: the maps as they were found.
    maps
        Of the same images, where there are patches.

    Returns
    -------
    (n,) float64, and how the board calls what was done: `scorer's own` where the rule says so or
    where there are no patches.
    """
    if own is not None and (rule.use == "scorer" or patches is None):
        return own, ImageScore().label
    if patches is None or maps is None:
        raise ContractError("a method's models gave patch scores of some classes and not of others")
    applied = ImageScore(use="max") if rule.use == "scorer" else rule
    of_pixels = applied.use == "pooled" or applied.of == "pixels"
    read = maps.at_input if of_pixels else patches.__getitem__
    scores = [_aggregate(applied, read(i)) for i in range(len(patches))]
    return np.array(scores, dtype=np.float64), applied.label


def _aggregate(rule: ImageScore, values: Float32) -> float:
    if rule.use == "top":
        return mean_of_highest(values, rule.ratio)
    return highest_mean(values, rule.side_px) if rule.use == "pooled" else float(values.max())


def highest_mean(values: Float32, side: int) -> float:
    """Highest mean over a window of `side` x `side` pixels that lies inside the map (H, W).

    A map that is smaller is one window along that axis. Sums are float64.

    References
    ----------
    You et al., UniAD, NeurIPS 2022, and its code: average pooling 16 x 16 with stride 1, then max.
    """
    height, width = min(side, values.shape[0]), min(side, values.shape[1])
    sums = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
    np.cumsum(np.cumsum(values, axis=0, dtype=np.float64), axis=1, out=sums[1:, 1:])
    windows = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width]
    windows += sums[:-height, :-width]
    return float(windows.max() / (height * width))
