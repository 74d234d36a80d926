"""The record of a picture of the feature space."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from adharness.store.records import Record


class ViewRecord(Record):
    """Image embeddings of one data set and extractor in a plane, for the eye: it feeds no number.

    The lists have an entry an image. They are empty where there is no view, and `reason` says why.
    """

    schema_: Literal[1] = Field(default=1, alias="schema")
    id: str
    dataset: str
    extractor: str
    projection: str
    """`pca`, `tsne` or `umap`, with what decides the picture in `settings`."""
    settings: dict[str, Any]
    of: int
    """How many images there were to draw from."""
    samples: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    labels: tuple[int, ...] = ()
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()
    explained: tuple[float, float] | None = None
    """Share of the variance along each axis; of `pca` only."""
    reason: str | None = None
