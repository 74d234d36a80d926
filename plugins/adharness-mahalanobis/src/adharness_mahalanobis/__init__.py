"""Mahalanobis distance to a Gaussian. The scorer is imported when it is made, not here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, model_validator

from adharness import Params, Scorer, ScorerSpec, hookimpl

Amount = Annotated[float, Field(ge=0.0, le=1.0)]
Share = Annotated[float, Field(gt=0.0, lt=1.0)]


class MahalanobisParams(Params):
    """Parameters of `mahalanobis`."""

    level: Literal["patch", "image"] | None = Field(
        None,
        description="what is scored; null for images where the bank emits `images`, else patches. "
        "`image` on a `grid` takes the mean of an image's patch vectors",
    )
    layers: tuple[Annotated[int, Field(gt=0)], ...] | None = Field(
        None,
        min_length=1,
        description="widths of the layers that make up a vector: a Gaussian each, their distances "
        "summed; null for one Gaussian of all (Rippel et al. 2021, section III)",
    )
    shrinkage: Literal["ledoit-wolf", "oas", "none"] | Amount = Field(
        "ledoit-wolf",
        description="share of a scaled identity mixed into the covariance: `ledoit-wolf` and `oas` "
        "estimate it, `none` mixes in nothing, a number in [0, 1] fixes it",
    )
    ridge: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] = Field(
        0.0, description="added to the diagonal of the covariance, after the shrinkage"
    )
    pca: Share | None = Field(
        None, description="keep the fewest leading components with more than this share of variance"
    )
    npca: Share | None = Field(
        None, description="keep the fewest trailing components with at least this share of variance"
    )

    @model_validator(mode="after")
    def _one_end(self) -> MahalanobisParams:
        if self.pca is not None and self.npca is not None:
            raise ValueError("pca keeps the leading components, npca the trailing: set one of them")
        return self


def _make(params: MahalanobisParams) -> Scorer:
    from adharness_mahalanobis.scorer import MahalanobisScorer

    return MahalanobisScorer(params)


MAHALANOBIS = ScorerSpec(
    name="mahalanobis",
    params=MahalanobisParams,
    make=_make,
    needs=("bag", "images", "grid"),
    summary="Mahalanobis distance to a Gaussian of all normal patches or images, or one a layer.",
    source="Rippel et al. 2021, section III; shrinkage: Ledoit and Wolf 2004, Chen et al. 2010",
)


@hookimpl
def adharness_scorers() -> Iterable[ScorerSpec]:
    """Yield `mahalanobis`."""
    yield MAHALANOBIS
