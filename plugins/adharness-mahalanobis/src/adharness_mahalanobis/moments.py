"""Moments of many vectors, streamed: each function is one pass, for all layers at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from adharness.arrays import Float64


def mean_of(blocks: Iterable[Float64], count: int) -> Float64:
    """Mean (D,) of M = `count` vectors; of a constant feature exactly its value."""
    stream = iter(blocks)
    first = next(stream)
    origin = first[0]  # summed from here, so that a constant has no variance, not even by rounding
    total: Float64 = (first - origin).sum(axis=0)
    for block in stream:
        total += (block - origin).sum(axis=0)
    mean: Float64 = origin + total / count
    return mean


def covariances_of(
    blocks: Iterable[Float64], mean: Float64, layers: Sequence[slice], count: int
) -> list[Float64]:
    """Covariance (d, d) of each layer, divided by M as Ledoit and Wolf and scikit-learn do."""
    scatters = [np.zeros((s.stop - s.start,) * 2) for s in layers]
    for block in blocks:
        centred = block - mean
        for number, layer in enumerate(layers):
            scatters[number] += centred[:, layer].T @ centred[:, layer]
    return [scatter / count for scatter in scatters]


def fourths_of(
    blocks: Iterable[Float64], mean: Float64, layers: Sequence[slice], axes: Sequence[Float64]
) -> list[float]:
    """Sum of the fourth powers of the distances to the mean, along the axes (d, k) of a layer."""
    fourths = [0.0] * len(layers)
    for block in blocks:
        centred = block - mean
        for number, (layer, kept) in enumerate(zip(layers, axes, strict=True)):
            along = centred[:, layer] @ kept
            squares = np.einsum("mk,mk->m", along, along)
            fourths[number] += float(squares @ squares)
    return fourths
