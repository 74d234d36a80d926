"""A scorer under trial: fitted on a small world, and made to score it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from adharness.arrays import AnyArray, Float64
from adharness.contracts import (
    FittedScorer,
    Memory,
    MemoryKind,
    Scorer,
    ScorerSpec,
    Scores,
)
from adharness.testing.scorers.memories import World, arranged
from adharness.testing.subject import Arrange, ComponentSubject, as_given, present


@dataclass(frozen=True, eq=False)
class ScorerSubject(ComponentSubject[ScorerSpec, Scorer]):
    """A scorer with its parameters, on a memory of one of the kinds that it accepts."""

    kind: MemoryKind

    @property
    def apart(self) -> tuple[str, ...]:
        """The kind of memory."""
        return (self.kind,)

    @cached_property
    def world(self) -> World:
        """The world that most checks use."""
        return World.drawn(self.kind, 0)

    def fit(self, memory: Memory | None = None, seed: int = 0) -> FittedScorer:
        """Fit on a memory, or on that of the world."""
        given = self.world.memory(as_given) if memory is None else memory
        return self.make().fit(given, np.random.default_rng(seed))

    def use(self, arrange: Arrange) -> Mapping[str, AnyArray]:
        """Fit it, and score normal and anomalous images."""
        fitted = self.fit(self.world.memory(arrange))
        given = {"normal": self.world.normal(arrange), "anomalous": self.world.anomalous(arrange)}
        return {
            f"{level} scores of {which} images": values
            for which, features in given.items()
            for level, values in arrays_of(fitted.score(features)).items()
        }

    def again(self) -> tuple[Callable[[], object], int]:
        """Give the scoring of all normal images by one fitted scorer."""
        fitted, normal = self.fit(), self.world.normal(as_given)
        given = normal.patches if normal.embeddings is None else normal.embeddings
        size = min(normal.patches.nbytes, given.nbytes)
        return lambda: fitted.score(arranged(normal, np.copy)), size


def arrays_of(scores: Scores) -> dict[str, AnyArray]:
    """Name the arrays that a scorer gave."""
    return present({"patch": scores.patches, "image": scores.images, "nearest": scores.nearest})


def image_scores(scores: Scores) -> Float64:
    """Give one score an image (N,): its own, or the highest of its patches."""
    if scores.images is not None:
        return scores.images.astype(np.float64)
    assert scores.patches is not None  # noqa: S101  one of the two is there
    highest: Float64 = scores.patches.reshape(len(scores.patches), -1).max(axis=1)
    return highest.astype(np.float64)
