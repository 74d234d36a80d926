"""What a run keeps of the features of a data set, so that its scores can be judged without them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from adharness.store.records import Failure, Record


class PartRecord(Record):
    """Images of a class, or the corrupted ones of a shifted set: `entry.json` of their shard."""

    class_name: str
    shifted: bool
    entry: dict[str, Any]


class FeaturesRecord(Record):
    """One data set under one extractor; its arrays are beside it, in `images.npz`.

    - `routed_to` (N,) int64: under `routed`, the number of the class that each image is taken for;
      -1 for those that are not judged.
    - `positions` (n,) int64 and `vectors` (n, E) float32: of held-out and test images, what
      normalizers may know of an image besides its score.
    """

    schema_: Literal[1] = Field(default=1, alias="schema")
    id: str
    dataset: str
    extractor: str
    identity: dict[str, Any]
    """Of the extractor: its parameters, weights and versions."""
    failures: dict[str, Failure]
    """Classes that could not be extracted."""
    parts: list[PartRecord]
    routed_for: str | None = None
    """Digest of the training and judged images that `routed_to` was made with."""
    files: dict[str, str] = Field(default_factory=dict)
    """SHA-256 of the arrays beside this record."""
