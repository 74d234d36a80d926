"""Exact k-nearest-neighbour scorer. FAISS is imported when a scorer is made, not here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from adharness import Params, Scorer, ScorerSpec, hookimpl


class KnnParams(Params):
    """Parameters of `knn-faiss`."""

    k: int = Field(1, gt=0, description="nearest rows of the memory whose distances are averaged")
    metric: Literal["euclidean", "cosine"] = Field(
        "euclidean", description="Euclidean distance, or 1 - cosine of the angle"
    )


def _make(params: KnnParams) -> Scorer:
    from adharness_knn_faiss.scorer import KnnScorer

    return KnnScorer(params)


KNN = ScorerSpec(
    name="knn-faiss",
    params=KnnParams,
    make=_make,
    needs=("bag", "images"),
    summary="Mean distance to the k nearest normal patches or images, exact.",
    source="Cohen and Hoshen 2020, section 3.2; Roth et al. 2022, section 3.3, no re-weighting",
)


@hookimpl
def adharness_scorers() -> Iterable[ScorerSpec]:
    """Yield `knn-faiss`."""
    yield KNN
