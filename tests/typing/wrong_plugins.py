"""Type-checked, never run: mistakes that a plugin author's type checker must find.

Each is silenced by its own error code; mypy warns of an ignore that silences nothing, so that a
mistake which is found no more fails the check.
"""

from __future__ import annotations

import numpy as np

import adharness
from adharness import (
    BankSpec,
    Calibration,
    FeatureGrid,
    FittedScorer,
    Memory,
    Params,
    Sample,
    Scorer,
    ScorerSpec,
    Scores,
    Threshold,
    Thresholder,
    ThresholderSpec,
)
from adharness.testing import no_such_check  # type: ignore[attr-defined]

adharness.no_such_name  # type: ignore[attr-defined]  # noqa: B018
no_such_check()


class Fitted:
    """A fitted scorer that is right."""

    def score(self, features: FeatureGrid) -> Scores:
        return Scores(patches=features.patches[..., 0])


class Unseeded:
    """`fit` takes no generator."""

    def fit(self, memory: Memory) -> Fitted:
        return Fitted()


class FitsItself:
    """`fit` returns nothing: an object that was not fitted could be expressed."""

    def fit(self, memory: Memory, rng: np.random.Generator) -> None:
        return None


class Bare:
    """`score` gives an array, not `Scores`."""

    def score(self, features: FeatureGrid) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return features.patches


class Peeping:
    """A thresholder that asks for test data."""

    def threshold(self, calibration: Calibration, test: Calibration) -> Threshold:
        return Threshold(value=0.0, normals=1, anomalies=0)


A: Scorer = Unseeded()  # type: ignore[assignment]
B: Scorer = FitsItself()  # type: ignore[assignment]
C: FittedScorer = Bare()  # type: ignore[assignment]
D: Thresholder = Peeping()  # type: ignore[assignment]
E: FittedScorer = Fitted()

ScorerSpec(name="a", params=Params, make=Unseeded, needs="bag", summary="A.")  # type: ignore[arg-type]
ScorerSpec(name="a", params=dict, make=FitsItself, needs="bag", summary="A.")  # type: ignore[arg-type]
ScorerSpec(name="a", params=Params, make=lambda _: None, needs="bag", summary="A.")  # type: ignore[arg-type,return-value]
ScorerSpec(name="a", params=Params, make=lambda _: E, needs="bags", summary="A.")  # type: ignore[arg-type,return-value]
ScorerSpec(name="a", params=Params, make=Fitted, summary="A.")  # type: ignore[call-arg,arg-type]
Threshold("0.5", 1, 0)  # type: ignore[arg-type]
BankSpec(name="a", params=Params, make=Fitted, emits="bag", summary="A.")  # type: ignore[arg-type]
ThresholderSpec(name="a", params=Params, make=lambda _: D, levels=("map",), summary="A.")  # type: ignore[arg-type]
Sample(path="a", class_name="b", portion="training", label=0)  # type: ignore[arg-type]
Sample(path="a", class_name="b", portion="train", label=2)  # type: ignore[arg-type]


class Changed(Params):
    """Parameters are frozen, and know their fields."""

    k: int = 1


Changed().k = 2  # type: ignore[misc]
Changed(j=2)  # type: ignore[call-arg]


def writes(features: FeatureGrid, scores: Scores) -> None:
    """Records are frozen too; what may be missing must be looked at."""
    features.patches = features.patches * 2  # type: ignore[misc]
    scores.patches.max()  # type: ignore[union-attr]
