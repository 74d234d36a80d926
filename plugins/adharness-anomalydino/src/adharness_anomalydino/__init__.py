"""AnomalyDINO's scorer. FAISS is imported when a scorer is made, not here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from adharness import SETTING, Params, Scorer, ScorerSpec, hookimpl


class AnomalyDinoParams(Params):
    """Parameters of `anomalydino`."""

    top_ratio: float = Field(
        0.01, gt=0.0, le=1.0, description="share of the patches whose mean is the image score"
    )
    search: Literal["auto", "flat", "two-stage"] = Field(
        "auto",
        description="how the bank is searched, see adharness-knn-faiss; the results are the same",
        json_schema_extra=SETTING,
    )


def _make(params: AnomalyDinoParams) -> Scorer:
    from adharness_anomalydino.scorer import AnomalyDinoScorer

    return AnomalyDinoScorer(params)


ANOMALYDINO = ScorerSpec(
    name="anomalydino",
    params=AnomalyDinoParams,
    make=_make,
    needs="bag",
    summary="Cosine distance to the nearest normal patch; image score from the top 1 %.",
    source="Damm et al. 2025, without the foreground mask; turned references are the bank's",
)


@hookimpl
def adharness_scorers() -> Iterable[ScorerSpec]:
    """Yield `anomalydino`."""
    yield ANOMALYDINO
