"""PaDiM: one Gaussian for each patch position. The scorer is imported when it is made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from adharness import Params, Scorer, ScorerSpec, hookimpl


class PadimParams(Params):
    """Parameters of `padim`."""

    dims: Annotated[int, Field(gt=0)] | Literal["all"] = Field(
        100,
        description="features kept of each patch vector, drawn at random, or `all`; the paper "
        "keeps 100 of a resnet18 and 550 of a wide_resnet50_2 (section IV-B)",
    )
    epsilon: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] = Field(
        0.01, description="added to the diagonal of each covariance (section III-B, equation 1)"
    )


def _make(params: PadimParams) -> Scorer:
    from adharness_padim.scorer import PadimScorer

    return PadimScorer(params)


PADIM = ScorerSpec(
    name="padim",
    params=PadimParams,
    make=_make,
    needs="grid",
    deterministic=False,
    summary="Mahalanobis distance to the Gaussian of the patch's position.",
    source="Defard et al. 2021, section III, equations 1 and 2",
)


@hookimpl
def adharness_scorers() -> Iterable[ScorerSpec]:
    """Yield `padim`."""
    yield PADIM
