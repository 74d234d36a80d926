"""A scorer that keeps every clause, and a wrong version of it for each fault that the kit names."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from pydantic import Field

from adharness import (
    Bag,
    FeatureGrid,
    Grid,
    Memory,
    Params,
    ScorerSpec,
    Scores,
    check_query,
    check_rows,
    check_state,
)
from adharness.arrays import AnyArray, Float32

LAYOUT: Any = {"mean": ("float32", ("D",)), "spread": ("float32", ("D",))}


class RightParams(Params):
    """Parameters of the scorer that is right."""

    floor: float = Field(1e-3, gt=0, description="least deviation")


class Right:
    """Distance to the mean patch, in deviations."""

    def __init__(self, params: RightParams) -> None:
        self.params = params

    def fit(self, memory: Memory, rng: np.random.Generator) -> RightFitted:
        return self.fitted(*self.moments(rows_of(memory)))

    def moments(self, rows: Float32) -> tuple[Float32, Float32]:
        return rows.mean(axis=0), np.maximum(rows.std(axis=0), np.float32(self.params.floor))

    def fitted(self, mean: Float32, spread: Float32) -> RightFitted:
        return RightFitted(mean, spread)

    def restore(self, state: Mapping[str, AnyArray]) -> RightFitted:
        found = check_state(state, LAYOUT, scorer="right")
        return self.fitted(found["mean"], found["spread"])


class RightFitted:
    def __init__(self, mean: Float32, spread: Float32) -> None:
        self.mean, self.spread = mean, spread

    def score(self, features: FeatureGrid) -> Scores:
        return Scores(patches=self.measured(check_query(features, len(self.mean))))

    def measured(self, patches: Float32) -> Float32:
        return np.abs((patches - self.mean) / self.spread).mean(axis=-1)

    def state(self) -> Mapping[str, AnyArray]:
        return {"mean": self.mean, "spread": self.spread}


def rows_of(memory: Memory) -> Float32:
    """All patches of a bag or of a grid."""
    if isinstance(memory, Grid):
        rows = [
            batch.patches.reshape(-1, memory.features.dim) for batch in memory.features.batches()
        ]
        joined = np.concatenate(rows) if rows else np.empty((0, 1), dtype=np.float32)
        memory = Bag(joined, np.zeros(len(joined), dtype=np.int64))
    return check_rows(memory, scorer="right")


def spec(make: Callable[[Any], Any], **more: Any) -> ScorerSpec:
    """The record of the scorer that is right, made in another way."""
    given: dict[str, Any] = {
        "name": "right",
        "params": RightParams,
        "needs": ("bag", "grid"),
        "summary": "Distance to the mean patch.",
    }
    return ScorerSpec(make=make, **{**given, **more})


def fitting(fitted: type[RightFitted], **more: Any) -> ScorerSpec:
    """The record of a scorer whose fitted half is another."""

    class Wrong(Right):
        def fitted(self, mean: Float32, spread: Float32) -> RightFitted:
            return fitted(mean, spread)

    return spec(Wrong, **more)


class Inverted(RightFitted):
    def measured(self, patches: Float32) -> Float32:
        return -super().measured(patches)


class BatchScaled(RightFitted):
    def measured(self, patches: Float32) -> Float32:
        scores = super().measured(patches)
        return scores / scores.max()


class CentredInPlace(RightFitted):
    def score(self, features: FeatureGrid) -> Scores:
        check_query(features, len(self.mean))
        features.patches[...] -= self.mean  # what ann-benchmarks' adapter for faiss did
        return Scores(patches=np.abs(features.patches / self.spread).mean(axis=-1))


class Unchecked(RightFitted):
    def score(self, features: FeatureGrid) -> Scores:
        return Scores(patches=np.nan_to_num(self.measured(features.patches), posinf=9.0))


class Truncated(RightFitted):
    def score(self, features: FeatureGrid) -> Scores:
        check_query(features, features.patches.shape[-1])
        return Scores(patches=self.measured(features.patches[..., : len(self.mean)]))


class Hoarding(RightFitted):
    def __init__(self, mean: Float32, spread: Float32) -> None:
        super().__init__(mean, spread)
        self.seen: list[Float32] = []

    def measured(self, patches: Float32) -> Float32:
        self.seen.append(patches.copy())
        return super().measured(patches)


class Doubled(RightFitted):
    def score(self, features: FeatureGrid) -> Scores:
        scores = super().score(features).patches
        assert scores is not None
        return Scores(patches=scores.astype(np.float64))  # type: ignore[arg-type]


class Pooled(RightFitted):
    def score(self, features: FeatureGrid) -> Scores:
        scores = super().score(features).patches
        assert scores is not None
        return Scores(patches=scores[:, ::2])


class Overflowing(RightFitted):
    def measured(self, patches: Float32) -> Float32:
        scores = super().measured(patches)
        return np.where(scores > np.median(scores), np.float32(np.inf), scores)


class NamingTooMany(RightFitted):
    def score(self, features: FeatureGrid) -> Scores:
        scores = super().score(features).patches
        assert scores is not None
        return Scores(patches=scores, nearest=np.full(scores.shape, 10**6))


class Undecided(RightFitted):
    def facts(self) -> Mapping[str, float]:
        return {"recall": float("nan")}


class Rounded(RightFitted):
    def state(self) -> Mapping[str, AnyArray]:
        return {
            name: a.astype(np.float16).astype(np.float32) for name, a in super().state().items()
        }


class Printing(RightFitted):
    def measured(self, patches: Float32) -> Float32:
        print("scoring", len(patches))  # noqa: T201  that is the fault
        return super().measured(patches)


class WritingNatively(RightFitted):
    def measured(self, patches: Float32) -> Float32:
        os.write(1, b"scoring\n")
        return super().measured(patches)


class GloballyRandom(RightFitted):
    def measured(self, patches: Float32) -> Float32:
        noise = np.random.normal(size=patches.shape[:3])  # noqa: NPY002
        return super().measured(patches) + np.float32(1e-3) * noise.astype(np.float32)


class FreshlyRandom(RightFitted):
    def measured(self, patches: Float32) -> Float32:
        noise = np.random.default_rng().normal(size=patches.shape[:3])
        return super().measured(patches) + np.float32(1e-6) * noise.astype(np.float32)


class TakingThreads(Right):
    def __init__(self, params: RightParams) -> None:
        super().__init__(params)
        os.environ["OMP_NUM_THREADS"] = str(int(os.environ.get("OMP_NUM_THREADS", "2")) % 64 + 1)


class Downloading(Right):
    def __init__(self, params: RightParams) -> None:
        super().__init__(params)
        with suppress(Exception):  # no weights today
            socket.create_connection(("192.0.2.1", 443), timeout=0.01).close()


class Himself(Right):
    mean: Float32
    spread: Float32

    def fit(self, memory: Memory, rng: np.random.Generator) -> RightFitted:
        self.mean, self.spread = self.moments(rows_of(memory))
        return self  # type: ignore[return-value]

    score = RightFitted.score
    measured = RightFitted.measured
    state = RightFitted.state


class Jittered(Right):
    def fit(self, memory: Memory, rng: np.random.Generator) -> RightFitted:
        mean, spread = self.moments(rows_of(memory))
        return self.fitted((mean + 0.01 * rng.normal(size=len(mean))).astype(np.float32), spread)


class Unguarded(Right):
    def moments(self, rows: Float32) -> tuple[Float32, Float32]:
        return rows.mean(axis=0), rows.std(axis=0) + np.float32(0)


class TakingNothing(Right):
    def fit(self, memory: Memory, rng: np.random.Generator) -> RightFitted:
        bag = memory if isinstance(memory, Bag) else None
        if bag is not None and not len(bag.rows):
            dim = bag.rows.shape[1]
            return self.fitted(np.zeros(dim, np.float32), np.ones(dim, np.float32))
        return super().fit(memory, rng)


class NakedParams(RightParams):
    """A parameter that nobody describes."""

    window: int = 3


class LossyParams(RightParams):
    """Parameters whose identity is not what they are."""

    def identity(self) -> dict[str, Any]:
        return {"floor": round(self.floor, 2)}
