"""PatchCore: a coreset bank and a re-weighted nearest-neighbour scorer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from adharness import SETTING, Bank, BankSpec, Params, Scorer, ScorerSpec, hookimpl
from adharness.sampling import BalanceParams, balances_classes
from adharness_patchcore import recipes
from adharness_patchcore.greedy import k_center_greedy, k_center_greedy_from_anchors

__all__ = [
    "CORESET",
    "PATCHCORE",
    "CoresetParams",
    "PatchcoreParams",
    "k_center_greedy",
    "k_center_greedy_from_anchors",
]


class CoresetParams(BalanceParams):
    """Parameters of `coreset`. The defaults are the recipe `paper`."""

    recipe: recipes.Recipe | None = Field(
        None,
        description="values for all parameters that are not written: official, paper, anomalib, "
        "study",
        json_schema_extra=SETTING,  # its values count, its name does not
    )
    ratio: float = Field(
        0.1, gt=0.0, le=1.0, description="share of all training patches kept, rounded down"
    )
    projection: Literal["gaussian", "linear", "sparse"] = Field(
        "gaussian", description="how the random projection used to choose is drawn"
    )
    projection_dims: Annotated[int, Field(gt=0)] | Literal["johnson-lindenstrauss"] | None = Field(
        128,
        description="length of the projection; johnson-lindenstrauss follows the number of "
        "patches; null for none",
    )
    anchors: int = Field(
        0,
        ge=0,
        description="random patches, not kept themselves, from whose mean distance the choice "
        "begins; 0: it begins with one random patch, which is kept",
    )
    memory_mb: int = Field(
        1024,
        gt=0,
        description="projected patches beyond it are kept in a temporary file, in MB",
        json_schema_extra=SETTING,
    )

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, values: Any) -> Any:
        return recipes.filled(values, recipes.BANK)


class PatchcoreParams(Params):
    """Parameters of `patchcore`. The defaults are the recipe `paper`."""

    recipe: recipes.Recipe | None = Field(
        None,
        description="values for all parameters that are not written: official, paper, anomalib, "
        "study",
        json_schema_extra=SETTING,
    )
    distance: Literal["euclidean", "squared"] = Field(
        "euclidean", description="patch score: the distance to the nearest bank row, or its square"
    )
    neighbours: int = Field(
        9, ge=2, description="bank rows that weigh the image score; b of equation 7"
    )
    reweight: Literal["equation-7", "study", "none"] = Field(
        "equation-7",
        description="weight of the image score, by the rows near the nearest bank row "
        "(equation-7) or near the test patch (study); none: the largest patch score",
    )
    search: Literal["auto", "flat", "two-stage"] = Field(
        "auto",
        description="how the bank is searched, see adharness-knn-faiss; the results are the same",
        json_schema_extra=SETTING,
    )

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, values: Any) -> Any:
        return recipes.filled(values, recipes.SCORER)

    @model_validator(mode="after")
    def _fit_together(self) -> PatchcoreParams:
        if self.distance == "squared" and self.reweight == "equation-7":
            raise ValueError(
                "distance: squared does not go with reweight: equation-7, which is written for "
                "Euclidean distances; set distance: euclidean, or reweight: none or study"
            )
        return self


def _make_bank(params: CoresetParams) -> Bank:
    from adharness_patchcore.bank import CoresetBank

    return CoresetBank(params)


def _make_scorer(params: PatchcoreParams) -> Scorer:
    from adharness_patchcore.scorer import PatchcoreScorer

    return PatchcoreScorer(params)


CORESET = BankSpec(
    name="coreset",
    params=CoresetParams,
    make=_make_bank,
    emits="bag",
    needs_class=balances_classes,
    examples=({}, {"balance": "class"}),
    summary="Patches that cover all training patches: greedy farthest-first selection.",
    source="Roth et al. 2022, section 3.2, algorithm 1; Sener and Savarese 2018, algorithm 1",
)

PATCHCORE = ScorerSpec(
    name="patchcore",
    params=PatchcoreParams,
    make=_make_scorer,
    needs="bag",
    summary="Distance to the nearest normal patch, the image score re-weighted.",
    source="Roth et al. 2022, section 3.3, equations 6 and 7",
)


@hookimpl
def adharness_banks() -> Iterable[BankSpec]:
    """Yield `coreset`."""
    yield CORESET


@hookimpl
def adharness_scorers() -> Iterable[ScorerSpec]:
    """Yield `patchcore`."""
    yield PATCHCORE
