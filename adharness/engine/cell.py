"""Fit one model and score images with it. No label and no mask is in sight here."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from adharness.arrays import AnyArray, Float32, Float64, Int64, require_finite, require_shape
from adharness.contracts import Bag, FeatureGrid, FittedScorer, Images, Memory, Scores
from adharness.engine.features import CachedFeatures
from adharness.errors import ContractError, DataError
from adharness.store.records import Costs
from adharness.suite.bind import BoundMethod


@dataclass(frozen=True, eq=False)
class RawScores:
    """Scores of n images as the scorer gave them, before any normalizer.

    Parameters
    ----------
    images : (n,) float64
    patches : (n, h, w) float32, optional
    """

    images: Float64
    patches: Float32 | None
    costs: Costs


def fit_and_score(
    method: BoundMethod, train: CachedFeatures, evaluate: CachedFeatures, *, seed: int
) -> RawScores:
    """Reduce the training features, fit the scorer, and score each image on its own.

    Images go to the scorer one by one, so that no score can depend on which other images are in
    the test set. The bank and the scorer each draw from a generator of their own.

    Raises
    ------
    ContractError
        The scorer gave a wrong shape, a value that is not finite, or no score at all.
    DataError
        There is no image to score.
    """
    if not evaluate.count:
        raise DataError("no calibration or test image is left to score")
    bank_rng, scorer_rng = (np.random.default_rng([seed, role]) for role in (1, 2))
    begun = time.perf_counter()
    memory = method.bank.make().reduce(train, bank_rng)
    fitted = method.scorer.make().fit(memory, scorer_rng)
    fit_s = time.perf_counter() - begun
    images, patches, score_ms = _score_all(fitted, evaluate, method.scorer.name)
    return RawScores(images, patches, _costs(memory, fit_s, score_ms, train))


def _score_all(
    fitted: FittedScorer, evaluate: CachedFeatures, name: str
) -> tuple[Float64, Float32 | None, float]:
    images: list[float] = []
    patches: list[Float32] = []
    times: list[float] = []
    for i in range(evaluate.count):
        features = evaluate.read(np.array([i]))
        begun = time.perf_counter()
        scores = fitted.score(features)
        times.append(time.perf_counter() - begun)
        _check(scores, features, name)
        images.append(image_score(scores))
        if scores.patches is not None:
            patches.append(scores.patches[0])
    if len(patches) not in (0, len(images)):
        raise ContractError(f"scorer '{name}' gave patch scores of some images and not of others")
    stacked = np.stack(patches).astype(np.float32) if patches else None
    return np.array(images, dtype=np.float64), stacked, 1000 * float(np.median(times))


def image_score(scores: Scores) -> float:
    """Score of one image: the scorer's own where it gives one, else the highest patch score."""
    if scores.images is not None:
        return float(scores.images[0])
    if scores.patches is None:
        raise ContractError("the scorer gave neither patch scores nor image scores")
    return float(scores.patches.max())


def _check(scores: Scores, features: FeatureGrid, name: str) -> None:
    given: dict[str, tuple[AnyArray | None, tuple[int, ...]]] = {
        "patch": (scores.patches, features.patches.shape[:3]),
        "image": (scores.images, features.patches.shape[:1]),
    }
    for level, (values, shape) in given.items():
        if values is not None:
            require_shape(values, shape, name=f"{level} scores of scorer '{name}'")
            require_finite(values, name=f"{level} scores of scorer '{name}'")


def _costs(memory: Memory, fit_s: float, score_ms: float, train: CachedFeatures) -> Costs:
    rows: Any = memory.rows if isinstance(memory, Bag | Images) else None
    return Costs(
        fit_s=fit_s,
        score_ms=score_ms,
        extract_ms=float(np.mean([shard.entry.extract_ms for shard in train.shards])),
        bank_rows=None if rows is None else len(rows),
        bank_mb=None if rows is None else rows.nbytes / 1e6,
    )


def evaluated(train: Int64, *portions: Int64) -> Int64:
    """Positions to score, sorted; raises where a training image is among them (a leak)."""
    positions = np.unique(np.concatenate(portions)).astype(np.int64)
    leaked = np.intersect1d(positions, train)
    if len(leaked):
        raise ContractError(f"{len(leaked)} training images are also evaluated: the split leaks")
    return positions
