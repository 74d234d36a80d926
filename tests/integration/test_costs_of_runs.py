"""What a run records of its costs: for every cell, by stage, and of what is reused as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from adharness.contracts import Bag, FeatureSet, NoParams, ScorerSpec, Scores
from adharness.store.folder import RunFolder

HELD_MB, FITTED_MB = 20, 60
FEW = {"protocols": ["per-class", "absolute-unified"], "thresholders": [{"use": "f1"}],
       "metrics": ["image_auroc", "pixel_auroc"], "statistics": {"bootstrap": 0}}  # fmt: skip


class Heavy:
    """Needs memory to fit, and keeps some of it."""

    def fit(self, memory: Bag, rng: np.random.Generator) -> Heavy:
        needed = np.ones(FITTED_MB * 10**6, np.uint8)
        self.kept = needed[: HELD_MB * 10**6].copy()
        return self

    def score(self, features: Any) -> Scores:
        return Scores(patches=features.patches.mean(axis=-1))


HEAVY = ScorerSpec(
    name="heavy", params=NoParams, make=lambda _: Heavy(), summary="Heavy.", needs="bag"
)


@pytest.fixture
def ran(bench: Any) -> Any:
    method = {"name": "heavy", "extractor": "px", "bank": {"use": "random", "ratio": 0.5},
              "scorer": {"use": "heavy"}}  # fmt: skip
    return bench, bench.run(**FEW, methods=[method], registry=HEAVY)


def test_placeholder(ran: Any) -> None:
    assert FeatureSet and RunFolder
