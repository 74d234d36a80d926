"""The two distances: how vectors are brought to FAISS, and how they are measured in float64."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import faiss
import numpy as np

from adharness.arrays import Float32, Float64


@dataclass(frozen=True, eq=False)
class EuclideanMeasure:
    """Euclidean distance, searched around a point (D,) to keep float32 digits."""

    centre: Float32
    faiss_metric: int = faiss.METRIC_L2

    def prepare(self, vectors: Float32) -> Float32:
        """Move the vectors (n, D) to where they are searched."""
        return vectors - self.centre

    def between(self, queries: Float32, neighbours: Float32) -> Float64:
        """Distances (n, c) of queries (n, D) to their neighbours (n, c, D)."""
        difference = neighbours - queries[:, None].astype(np.float64)
        distances: Float64 = np.sqrt(np.einsum("ncd,ncd->nc", difference, difference))
        return distances


@dataclass(frozen=True, eq=False)
class CosineMeasure:
    """One minus the cosine, in [0, 2]; a zero vector is at distance 1 from every other."""

    faiss_metric: int = faiss.METRIC_INNER_PRODUCT

    def prepare(self, vectors: Float32) -> Float32:
        """Bring the vectors (n, D) to unit length."""
        return _unit(vectors).astype(np.float32)

    def between(self, queries: Float32, neighbours: Float32) -> Float64:
        """Distances (n, c) of queries (n, D) to their neighbours (n, c, D)."""
        cosine = np.einsum("nd,ncd->nc", _unit(queries), _unit(neighbours))
        distances: Float64 = np.maximum(1.0 - cosine, 0.0)
        return distances


Measure: TypeAlias = EuclideanMeasure | CosineMeasure


def measure_of(metric: str, rows: Float32) -> Measure:
    """Give the measure called `metric` for a memory (M, D)."""
    if metric == "cosine":
        return CosineMeasure()
    return EuclideanMeasure(rows.mean(axis=0, dtype=np.float64).astype(np.float32))


def _unit(vectors: Float32) -> Float64:
    """Unit-length vectors in float64; a zero vector stays zero."""
    wide = vectors.astype(np.float64)
    length = np.linalg.norm(wide, axis=-1, keepdims=True)
    unit: Float64 = np.divide(wide, length, out=np.zeros_like(wide), where=length > 0)
    return unit
