"""Mahalanobis distance to one Gaussian. SciPy is imported when a scorer is made, not here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from adharness import Params, Scorer, ScorerSpec, hookimpl

Amount = Annotated[float, Field(ge=0.0, le=1.0)]


class MahalanobisParams(Params):
    """Parameters of `mahalanobis`."""

    shrinkage: Literal["ledoit-wolf", "none"] | Amount = Field(
        "ledoit-wolf",
        description="share of a scaled identity mixed into the covariance: `ledoit-wolf` "
        "estimates it, `none` mixes in nothing, a number in [0, 1] fixes it",
    )


def _make(params: MahalanobisParams) -> Scorer:
    from adharness_mahalanobis.scorer import MahalanobisScorer

    return MahalanobisScorer(params)


MAHALANOBIS = ScorerSpec(
    name="mahalanobis",
    params=MahalanobisParams,
    make=_make,
    needs=("bag", "images"),
    summary="Mahalanobis distance to one Gaussian of all normal patches or images.",
    source="Rippel et al. 2021, section III; shrinkage: Ledoit and Wolf 2004",
)


@hookimpl
def adharness_scorers() -> Iterable[ScorerSpec]:
    """Yield `mahalanobis`."""
    yield MAHALANOBIS
