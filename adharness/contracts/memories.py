"""What a bank remembers of the training images, and a scorer fits on. All are frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from adharness.arrays import Float32, Int64
from adharness.contracts.records import FeatureSet

MemoryKind: TypeAlias = Literal["bag", "grid", "images", "pixels", "nothing"]
"""What a bank emits and a scorer needs; each names one of the classes below."""


@dataclass(frozen=True, slots=True, eq=False)
class Bag:
    """Patch vectors without their place: what nearest-neighbour scorers search.

    Parameters
    ----------
    rows : (M, D) float32
    images : (M,) int64
        The training image, by position in the feature set, that each row came from.
    """

    rows: Float32
    images: Int64
    kind: Literal["bag"] = "bag"


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """All training features with their place kept, streamed: what per-position models fit."""

    features: FeatureSet
    kind: Literal["grid"] = "grid"


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Image embeddings (M, E) float32, one a training image."""

    rows: Float32
    kind: Literal["images"] = "images"


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """The training images themselves, read from disk when asked for: for models trained end to end.

    Parameters
    ----------
    features
        Of N images; `grid` is their (height, width) in pixels, and `patches` of what is read
        (n, H, W, 3) float32: red, green and blue, whole numbers from 0 to 255. `batches` gives all
        in order, `read` any of them by position, as often as an epoch needs.
    """

    features: FeatureSet
    kind: Literal["pixels"] = "pixels"


@dataclass(frozen=True, slots=True)
class Nothing:
    """No memory: for scorers whose outputs were made elsewhere."""

    kind: Literal["nothing"] = "nothing"


Memory: TypeAlias = Bag | Grid | Images | Pixels | Nothing
"""What `Scorer.fit` is given."""
