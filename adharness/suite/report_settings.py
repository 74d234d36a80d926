"""`report:` and `views:` of a suite: what the page shows beside the numbers; no cell changes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from adharness.suite.split import Seed


class ReportSettings(BaseModel):
    """What stands beside the measured rows.

    `reference`: published numbers of the same data sets under the same protocols, greyed and never
    ranked: `primary` ones, read from their authors' own files; `all`; or `none`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    reference: Literal["primary", "all", "none"] = "primary"


class ViewSettings(BaseModel):
    """Pictures of the feature space on the board; a list alone stands for `projections`.

    Of each extractor that gives image embeddings, at most `images` of them, as many of every class
    and label as there are, drawn with `seed`. They change no number and no cell.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    projections: tuple[Literal["pca", "tsne", "umap"], ...] = ()
    images: Annotated[int, Field(ge=2, le=5000)] = 1000
    seed: Seed = 0

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return {"projections": value} if isinstance(value, list | tuple) else value
