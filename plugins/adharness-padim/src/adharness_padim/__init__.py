"""PaDiM: one Gaussian for each patch position. The scorer is imported when it is made."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from adharness import Params, Scorer, ScorerSpec, hookimpl


class PadimParams(Params):
    """Parameters of `padim`."""

    dims: int | None = Field(
        100, gt=0, description="features kept of each patch vector, drawn at random; null for all"
    )
    epsilon: float = Field(0.01, gt=0.0, description="added to the diagonal of each covariance")


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
