"""SPADE: nearest images, then nearest patches. FAISS is imported when a scorer is made."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from adharness import Params, Scorer, ScorerSpec, hookimpl


class SpadeParams(Params):
    """Parameters of `spade`."""

    k: int = Field(50, gt=0, description="nearest normal images, by their embeddings")
    kappa: int = Field(1, gt=0, description="nearest patches of those images")
    squared: bool = Field(False, description="average squared distances instead of distances")


def _make(params: SpadeParams) -> Scorer:
    from adharness_spade.scorer import SpadeScorer

    return SpadeScorer(params)


SPADE = ScorerSpec(
    name="spade",
    params=SpadeParams,
    make=_make,
    needs="grid",
    summary="Mean distance to the nearest normal images; patches against those images only.",
    source="Cohen and Hoshen 2020, sections 3.2 and 3.3",
)


@hookimpl
def adharness_scorers() -> Iterable[ScorerSpec]:
    """Yield `spade`."""
    yield SPADE
