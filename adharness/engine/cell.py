"""Fit one model and score images with it. No label and no mask is in sight here."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from adharness.arrays import AnyArray, Float32, Float64, Int64, require_finite, require_shape
from adharness.contracts import (
    Bag,
    BankSpec,
    FeatureGrid,
    FittedScorer,
    Informative,
    Memory,
    Pixels,
    Scores,
)
from adharness.engine.costs import FitSpent, ScoreSpent, model_costs
from adharness.engine.features import CachedFeatures
from adharness.engine.meter import Meter
from adharness.errors import ContractError, DataError
from adharness.store.records import Costs
from adharness.suite.bind import Bound, BoundMethod


@dataclass(frozen=True, eq=False)
class RawScores:
    """Scores of n images as the scorer gave them, before any rule or normalizer; one is there.

    Parameters
    ----------
    own : (n,) float64, optional
    patches : (n, h, w) float32, optional
    neighbours : (n, C) int64, optional
        How many patches of each image have their nearest row in each of the C classes; None where
        the scorer names no row, or one class was trained on.
    facts
        What the fitted scorer says of itself.
    costs
        None where the scores were made elsewhere.
    found : (n, 2) int64, optional
        Size of each map that was made elsewhere and stays where it is.
    """

    own: Float64 | None
    patches: Float32 | None
    neighbours: Int64 | None
    facts: Mapping[str, float]
    costs: Costs | None
    found: Int64 | None = None

    def where(self, images: Int64) -> RawScores:
        """Keep the images at these rows; facts and costs are the model's and stay."""

        def kept(values: AnyArray | None) -> AnyArray | None:
            return None if values is None else values[images]

        return replace(
            self,
            own=kept(self.own),
            patches=kept(self.patches),
            neighbours=kept(self.neighbours),
            found=kept(self.found),
        )


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted scorer, and the memory that it was fitted on."""

    memory: Memory
    scorer: FittedScorer
    spent: FitSpent


def fit(method: BoundMethod, train: CachedFeatures, *, seed: int) -> Fitted:
    """Reduce the training features and fit the scorer; each draws from a generator of its own.

    Raises
    ------
    ContractError
        The bank names training images that do not exist.
    """
    bank_rng, scorer_rng = generators(seed)
    told = train if needs_class(method.bank) else replace(train, classes=None)
    bank, scorer = method.bank.make(), method.scorer.make()  # imports of libraries are no cost
    with Meter() as reducing:
        memory = bank.reduce(told, bank_rng)
    _check_origins(memory, train.count, method.bank.name)
    with Meter() as fitting:
        fitted = scorer.fit(memory, scorer_rng)
    return Fitted(memory, fitted, FitSpent(reducing.spent, fitting.spent))


def generators(seed: int) -> tuple[np.random.Generator, np.random.Generator]:
    """Make the generators of the bank and of the scorer."""
    return np.random.default_rng([seed, 1]), np.random.default_rng([seed, 2])


def needs_class(bank: Bound) -> bool:
    """Whether the bank declares that it must be told the class of each training image."""
    spec = bank.component.spec
    return isinstance(spec, BankSpec) and spec.needs_class(bank.params)


def score_images(
    model: Fitted, name: str, train: CachedFeatures, evaluate: CachedFeatures
) -> RawScores:
    """Score each image on its own.

    Images go to the scorer one by one, so that no score can depend on which other images are in
    the test set.

    Parameters
    ----------
    name
        Of the scorer, for messages.
    train
        What the model was fitted on.

    Raises
    ------
    ContractError
        The scorer gave a wrong shape, a value that is not finite, or no score at all.
    DataError
        There is no image to score.
    """
    if not evaluate.count:
        raise DataError("no calibration or test image is left to score")
    classes = 0 if train.classes is None else int(train.classes.max()) + 1
    rows = _row_classes(model.memory, train.classes)
    collected = _Collected(name, rows, classes, isinstance(model.memory, Pixels))
    with Meter() as scoring:
        for i in range(evaluate.count):
            features = evaluate.read(np.array([i]))
            begun = time.perf_counter()
            scores = model.scorer.score(features)
            collected.add(scores, features, time.perf_counter() - begun)
    collected.spent.whole = scoring.spent
    facts = model.scorer.facts() if isinstance(model.scorer, Informative) else {}
    return RawScores(
        own=collected.own(),
        patches=collected.stacked(),
        neighbours=np.array(collected.neighbours) if collected.neighbours else None,
        facts=_finite_facts(facts, name),
        costs=model_costs(model.memory, train.shards, model.spent, collected.spent),
    )


@dataclass(eq=False)
class _Collected:
    """What the scorer gave, image by image."""

    name: str
    row_classes: Int64 | None
    """Of each row of the memory; None where there is no need to count."""
    classes: int
    any_grid: bool = False
    """Whether the scorer chooses its own grid, as on pixels."""
    images: list[float] = field(default_factory=list)
    patches: list[Float32] = field(default_factory=list)
    neighbours: list[Int64] = field(default_factory=list)
    spent: ScoreSpent = field(default_factory=ScoreSpent)

    def add(self, scores: Scores, features: FeatureGrid, seconds: float) -> None:
        """Check the scores of one image and keep them."""
        check_scores(scores, features, self.name, any_grid=self.any_grid)
        self.spent.each_ms.append(1000 * seconds)
        if scores.images is not None:
            self.images.append(float(scores.images[0]))
        if scores.patches is not None:
            self._require_same_grid(scores.patches)
            self.patches.append(scores.patches[0])
        if scores.nearest is not None and self.row_classes is not None:
            self.neighbours.append(self._classes_of(scores.nearest.ravel()))
        done = len(self.spent.each_ms)
        if any(len(kept) not in (0, done) for kept in (self.images, self.patches)):
            raise ContractError(
                f"scorer '{self.name}' gave patch or image scores of some images and not of others"
            )

    def _require_same_grid(self, patches: Float32) -> None:
        if self.patches:
            shape = (1, *self.patches[0].shape)
            name = f"patch scores of scorer '{self.name}', whose grid is that of the first image,"
            require_shape(patches, shape, name=name)

    def _classes_of(self, nearest: Int64) -> Int64:
        assert self.row_classes is not None  # noqa: S101  asked for above
        if len(nearest) and not 0 <= nearest.min() <= nearest.max() < len(self.row_classes):
            raise ContractError(f"scorer '{self.name}' names rows that its memory does not have")
        return np.bincount(self.row_classes[nearest], minlength=self.classes)

    def own(self) -> Float64 | None:
        """Image scores (n,); None where the scorer gives none."""
        return np.array(self.images, dtype=np.float64) if self.images else None

    def stacked(self) -> Float32 | None:
        """Patch scores (n, h, w); None where the scorer gives none."""
        return np.stack(self.patches).astype(np.float32) if self.patches else None


def check_scores(
    scores: Scores, features: FeatureGrid, name: str, *, any_grid: bool = False
) -> None:
    """Raise ContractError where a scorer's answer is not what its contract says.

    Patch scores are one a patch; of `any_grid`, one a place of whatever grid the scorer chose.
    """
    if scores.images is None and scores.patches is None:
        raise ContractError(f"scorer '{name}' gave neither patch scores nor image scores")
    count, *grid = features.patches.shape[:3]
    if any_grid and scores.patches is not None and scores.patches.ndim == 3:
        grid = [max(length, 1) for length in scores.patches.shape[1:]]
    given: dict[str, tuple[AnyArray | None, tuple[int, ...]]] = {
        "patch": (scores.patches, (count, *grid)),
        "image": (scores.images, (count,)),
        "nearest rows of": (scores.nearest, (count, *grid)),
    }
    for level, (values, shape) in given.items():
        if values is not None:
            require_shape(values, shape, name=f"{level} scores of scorer '{name}'")
            require_finite(values, name=f"{level} scores of scorer '{name}'")


def _row_classes(memory: Memory, classes: Int64 | None) -> Int64 | None:
    """Give the class of each row of a bag (M,); None where it is no bag, or of one class only."""
    if classes is None or not isinstance(memory, Bag) or len(np.unique(classes)) == 1:
        return None
    return classes[memory.images]


def _check_origins(memory: Memory, images: int, bank: str) -> None:
    if not isinstance(memory, Bag):
        return
    require_shape(memory.images, (len(memory.rows),), name=f"images of bank '{bank}'")
    if len(memory.images) and not 0 <= memory.images.min() <= memory.images.max() < images:
        raise ContractError(f"bank '{bank}' names training images beyond the {images} it was given")


def _finite_facts(facts: Mapping[str, float], name: str) -> dict[str, float]:
    told = {str(key): float(value) for key, value in facts.items()}
    for key, value in told.items():
        if not np.isfinite(value):
            raise ContractError(f"scorer '{name}' says that its {key} is {value}")
    return told


def evaluated(train: Int64, *portions: Int64) -> Int64:
    """Positions to score, sorted; raises where a training image is among them (a leak)."""
    positions = np.unique(np.concatenate(portions)).astype(np.int64)
    leaked = np.intersect1d(positions, train)
    if len(leaked):
        raise ContractError(f"{len(leaked)} training images are also evaluated: the split leaks")
    return positions
