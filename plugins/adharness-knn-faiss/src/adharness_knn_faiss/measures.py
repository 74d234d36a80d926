"""The distances: how vectors are brought to a search, and how they are measured in float64."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import faiss
import numpy as np

from adharness.arrays import Float32, Float64

Metric: TypeAlias = Literal["euclidean", "cosine", "direction"]


@dataclass(frozen=True, eq=False)
class EuclideanMeasure:
    """Euclidean distance, searched around a point and scaled, so that float32 serves best.

    Parameters
    ----------
    centre : (D,) float32
        Scaled, too.
    scale
        A power of two: it changes no digit, and squares neither overflow nor vanish.
    """

    centre: Float32
    scale: float
    faiss_metric: int = faiss.METRIC_L2
    inner: bool = False

    def prepare(self, vectors: Float32) -> Float32:
        """Move the vectors (n, D) to where they are searched; infinite beyond float32."""
        with np.errstate(over="ignore"):
            scaled = vectors * np.float32(self.scale)
            scaled -= self.centre
            return scaled

    def pairs(self, queries: Float32, rows: Float32) -> Float64:
        """Distances (p,) between queries (p, D) and rows (p, D) that belong together."""
        distances: Float64 = np.sqrt(_squared(rows.astype(np.float64) - queries))
        return distances

    def compared(self, distances: Float64) -> Float64:
        """Half the squared distances of the prepared vectors."""
        return (distances * self.scale) ** 2 / 2


@dataclass(frozen=True, eq=False)
class CosineMeasure:
    """One minus the cosine, in [0, 2]; a zero vector is at distance 1 from every other."""

    faiss_metric: int = faiss.METRIC_INNER_PRODUCT
    inner: bool = True

    def prepare(self, vectors: Float32) -> Float32:
        """Bring the vectors (n, D) to unit length."""
        return unit(vectors).astype(np.float32)

    def pairs(self, queries: Float32, rows: Float32) -> Float64:
        """Distances (p,) between queries (p, D) and rows (p, D) that belong together."""
        cosine = np.einsum("pd,pd->p", unit(queries), unit(rows))
        distances: Float64 = np.maximum(1.0 - cosine, 0.0)
        return distances

    def compared(self, distances: Float64) -> Float64:
        """One minus the product of the prepared vectors: the distances themselves."""
        return distances


@dataclass(frozen=True, eq=False)
class DirectionMeasure:
    """Half the squared distance of unit vectors: 1 - cosine, but a zero vector stays zero.

    It is at 1/2 from every other and at 0 from another zero vector.
    """

    faiss_metric: int = faiss.METRIC_L2
    inner: bool = False

    def prepare(self, vectors: Float32) -> Float32:
        """Bring the vectors (n, D) to unit length."""
        return unit(vectors).astype(np.float32)

    def pairs(self, queries: Float32, rows: Float32) -> Float64:
        """Distances (p,) between queries (p, D) and rows (p, D) that belong together."""
        return _squared(unit(rows) - unit(queries)) / 2

    def compared(self, distances: Float64) -> Float64:
        """Half the squared distances of the prepared vectors: the distances themselves."""
        return distances


Measure: TypeAlias = EuclideanMeasure | CosineMeasure | DirectionMeasure


def measure_of(metric: Metric, rows: Float32) -> Measure:
    """Give the measure called `metric` for a memory (M, D)."""
    if metric == "cosine":
        return CosineMeasure()
    if metric == "direction":
        return DirectionMeasure()
    mean = rows.mean(axis=0, dtype=np.float64)
    low, high = (rows.min(axis=0) - mean).min(), (rows.max(axis=0) - mean).max()
    # of the powers of two that float32 holds
    power = int(np.clip(-np.frexp(max(-low, high))[1], -126, 127))
    scale = float(np.ldexp(1.0, power))
    return EuclideanMeasure((mean * scale).astype(np.float32), scale)


def unit(vectors: Float32) -> Float64:
    """Unit-length vectors in float64; a zero vector stays zero."""
    wide = vectors.astype(np.float64)
    length = np.linalg.norm(wide, axis=-1, keepdims=True)
    directions: Float64 = np.divide(wide, length, out=np.zeros_like(wide), where=length > 0)
    return directions


def _squared(difference: Float64) -> Float64:
    squared: Float64 = np.einsum("pd,pd->p", difference, difference)
    return squared
