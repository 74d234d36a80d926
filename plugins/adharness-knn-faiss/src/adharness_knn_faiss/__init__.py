"""k-nearest-neighbour scorer. FAISS is imported when a scorer is made, not here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field, model_validator

from adharness import SETTING, Params, Scorer, ScorerSpec, hookimpl

# What each index can be told; anything else would be read by nobody, so it is refused.
OPTIONS = {
    "flat": frozenset[str](),
    "ivf": frozenset({"lists", "probes", "candidates"}),
    "pq": frozenset({"lists", "probes", "candidates", "sub_vectors", "bits"}),
}


class KnnParams(Params):
    """Parameters of `knn-faiss`. Those of an approximate index are null where it is not used."""

    k: int = Field(1, gt=0, description="nearest rows of the memory whose distances are averaged")
    metric: Literal["euclidean", "cosine"] = Field(
        "euclidean", description="Euclidean distance, or 1 - cosine of the angle"
    )
    index: Literal["flat", "ivf", "pq"] = Field(
        "flat",
        description="flat compares with every row; ivf and pq with some, at a recall below 1",
    )
    lists: int | None = Field(
        None, gt=0, description="cells the memory is cut into; 4 sqrt(M), at least 39 rows each"
    )
    probes: int | None = Field(None, gt=0, description="cells looked into for each query; 16")
    sub_vectors: int | None = Field(
        None, gt=0, description="parts of a vector coded apart; the largest divisor of D up to 64"
    )
    bits: int | None = Field(None, ge=1, le=8, description="bits a part's code has; 8")
    candidates: int | None = Field(
        None, gt=0, description="rows measured again exactly for each query; k + 3, or 10 k for pq"
    )

    search: Literal["auto", "flat", "two-stage"] = Field(
        "auto",
        description="how index flat compares: flat in float32 with FAISS, two-stage in bfloat16 "
        "with torch; the results are the same",
        json_schema_extra=SETTING,
    )

    @model_validator(mode="after")
    def _are_read_by_the_index(self) -> KnnParams:
        idle = [
            name
            for name in ("lists", "probes", "sub_vectors", "bits", "candidates")
            if getattr(self, name) is not None and name not in OPTIONS[self.index]
        ]
        if self.search != "auto" and self.index != "flat":
            idle.append("search")
        if idle:
            raise ValueError(f"index '{self.index}' has no parameter {', '.join(idle)}")
        if self.candidates is not None and self.candidates < self.k:
            raise ValueError(f"candidates = {self.candidates} is less than k = {self.k}")
        return self


def _make(params: KnnParams) -> Scorer:
    from adharness_knn_faiss.scorer import KnnScorer

    return KnnScorer(params)


KNN = ScorerSpec(
    name="knn-faiss",
    params=KnnParams,
    make=_make,
    needs=("bag", "images"),
    deterministic=False,  # flat draws nothing, but ivf and pq draw the start of their k-means
    summary="Mean distance to the k nearest normal patches or images.",
    source="Cohen and Hoshen 2020, section 3.2; Roth et al. 2022, section 3.3, no re-weighting",
)


@hookimpl
def adharness_scorers() -> Iterable[ScorerSpec]:
    """Yield `knn-faiss`."""
    yield KNN
