"""A short trial of an extractor on a few training images. No test image is read.

Features are extracted into a folder of their own, or read from the cache, which stays as it is.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from adharness.arrays import Int64
from adharness.engine.batches import batches_of
from adharness.engine.extraction_job import ExtractionJob
from adharness.engine.features import CachedFeatures
from adharness.engine.holdings import Holding
from adharness.engine.parts import PartKey
from adharness.engine.shard_entry import Shard
from adharness.engine.shards import ensure_shard
from adharness.engine.turned import Turner
from adharness.errors import DataError

MOST_IMAGES = 64
"""Training images that are tried on at most."""


@dataclass
class Budget:
    """Seconds that all trials may take together."""

    seconds: float
    clock: Callable[[], float] = time.monotonic
    begun: float = field(init=False)

    def __post_init__(self) -> None:
        self.begun = self.clock()

    @property
    def spent(self) -> float:
        """Seconds that trials took so far."""
        return self.clock() - self.begun

    @property
    def left(self) -> float:
        """Seconds that are left; never below 0."""
        return max(self.seconds - self.spent, 0.0)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the block out of what is spent: it takes what it takes."""
        begun = self.clock()
        try:
            yield
        finally:
            self.begun += self.clock() - begun

    def share(self, of: int) -> Budget:
        """Give a part of what is left, counted from now."""
        return Budget(self.left / of, self.clock)


@dataclass(frozen=True, eq=False)
class Sampled:
    """Features of some training images of one class, and what it took to extract them.

    Parameters
    ----------
    image_s
        Seconds an image that is computed, warm; as it was, where features came from the cache.
    native : (H, W)
        Of the first image, in pixels.
    """

    features: CachedFeatures
    image_s: float
    native: tuple[int, int]
    job: ExtractionJob

    @contextmanager
    def turning(self) -> Iterator[CachedFeatures]:
        """Give the features with an empty folder for those of turned images, removed at the end."""
        with tempfile.TemporaryDirectory(prefix="adharness-") as folder:
            yield replace(self.features, turn=Turner(lambda: self.job, Path(folder)))


def sample(holding: Holding, folder: Path, budget: Budget) -> Sampled:
    """Read features of training images from the cache, or extract some into `folder`.

    At most `MOST_IMAGES`, and no longer than a quarter of what is left of the budget, but for two
    batches: the first warms up and is not counted.

    Raises
    ------
    DataError
        No class has a training image; or as extraction does.
    """
    key, rows = _largest_class(holding)
    shard = holding.shards.get(key)
    job = holding.jobs[key].narrowed(rows)
    batches = batches_of(job.extractor)
    if shard is not None:
        kept = rows[:MOST_IMAGES]
        features = CachedFeatures.over({0: shard}, [(0, int(row)) for row in kept])
        return Sampled(
            features, shard.entry.extract_ms / 1000, shard.entry.sizes[int(rows[0])], job
        )
    enough = budget.left / 4
    begun = budget.clock()
    shards: dict[int, Shard] = {}
    took: list[float] = []
    for start in range(0, min(len(rows), MOST_IMAGES), batches.most):
        lap = budget.clock()
        some = job.narrowed(np.arange(start, min(start + batches.most, len(rows))))
        shards[start] = ensure_shard(folder, some, lambda *_: None)
        took.append((budget.clock() - lap) / batches.filled(len(some.samples)))
        if budget.clock() - begun > enough and len(took) > 1:
            break
    places = [(start, row) for start, one in shards.items() for row in range(one.entry.count)]
    native = shards[0].entry.sizes[0]
    return Sampled(CachedFeatures.over(shards, places), min(took[1:] or took), native, job)


def _largest_class(holding: Holding) -> tuple[PartKey, Int64]:
    """Find the class with the most training images, and their rows in its part."""
    survey = holding.survey.clean or holding.survey
    rows = {
        name: np.flatnonzero(np.isin(survey.of_class(name), survey.portion("train", name)))
        for name in survey.classes
    }
    name = max(rows, key=lambda one: len(rows[one]), default=None)
    if name is None or not len(rows[name]):
        raise DataError(f"data set '{survey.name}' has no training image to try methods on")
    return (name, False), rows[name]
