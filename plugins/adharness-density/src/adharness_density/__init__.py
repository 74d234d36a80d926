"""Density scorers. scikit-learn is imported when a scorer is made, not here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from adharness import Params, Scorer, ScorerSpec, hookimpl


class GmmParams(Params):
    """Parameters of `gmm`. The defaults are the harness's own."""

    dims: int | None = Field(32, gt=0, description="principal components kept; null for all")
    components: int = Field(8, gt=0, description="Gaussians of the mixture")
    covariance: Literal["full", "tied", "diag", "spherical"] = Field(
        "full", description="shape of each Gaussian"
    )
    sample_rows: int = Field(20_000, gt=1, description="patches learnt from, drawn at random")
    epsilon: float = Field(
        1e-3, gt=0.0, description="added to each covariance, in mean variances of the components"
    )
    residual: bool = Field(
        True, description="add the likelihood of what the principal components left out"
    )
    max_iter: int = Field(100, gt=0, description="most EM steps")


def _make(params: GmmParams) -> Scorer:
    from adharness_density.scorer import GmmScorer

    return GmmScorer(params)


GMM = ScorerSpec(
    name="gmm",
    params=GmmParams,
    make=_make,
    needs=("bag", "grid"),
    deterministic=False,
    summary="Negative log-likelihood under a Gaussian mixture of PCA-reduced patches.",
    source="Moghaddam and Pentland 1997, section 3, with a mixture within the subspace",
    examples=({"components": 2, "dims": 8},),
)


@hookimpl
def adharness_scorers() -> Iterable[ScorerSpec]:
    """Yield `gmm`."""
    yield GMM
