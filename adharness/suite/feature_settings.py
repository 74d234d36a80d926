"""`features:` of a suite: how features are kept in the cache."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

FeatureType: TypeAlias = Literal["float32", "float16"]
StoredType: TypeAlias = Literal["float32", "float16", "uint8"]
"""What the cache holds: features as the suite says, and pixels as bytes, whatever it says."""


class FeatureSettings(BaseModel):
    """How features are kept in the cache, for all extractors of the suite.

    `dtype`: `float16` takes half the room and half the reading, and rounds each feature to 11
    significant bits before any method sees it. That changes scores, so results of the two are never
    taken for each other; docs/features.md says by how much. A feature beyond 65504 is refused.
    Pixels are kept as bytes, exactly, whatever is asked for here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    dtype: FeatureType = "float32"
