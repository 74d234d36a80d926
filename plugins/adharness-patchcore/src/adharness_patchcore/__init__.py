"""PatchCore: a coreset bank and a re-weighted nearest-neighbour scorer."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from adharness import Bank, BankSpec, Params, Scorer, ScorerSpec, hookimpl
from adharness_patchcore.greedy import k_center_greedy, k_center_greedy_from_anchors

__all__ = [
    "CORESET",
    "PATCHCORE",
    "CoresetParams",
    "PatchcoreParams",
    "k_center_greedy",
    "k_center_greedy_from_anchors",
]


class CoresetParams(Params):
    """Parameters of `coreset`."""

    ratio: float = Field(
        0.1, gt=0.0, le=1.0, description="share of all training patches kept, rounded down"
    )
    projection_dims: int | None = Field(
        128, gt=0, description="length of the random projection used to choose; null for none"
    )


class PatchcoreParams(Params):
    """Parameters of `patchcore`."""

    neighbours: int = Field(
        9, ge=2, description="b of equation 7: bank rows near the nearest one that weigh its score"
    )
    reweight: bool = Field(
        True, description="image score by equation 7; the largest patch score otherwise"
    )


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
