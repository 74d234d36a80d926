"""Methods fitted and scored on a few training images, to see what they take and how it grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from adharness.engine.calibration import Budget, Sampled
from adharness.engine.cell import fit, score_images
from adharness.engine.growth import Growth
from adharness.engine.looked_up import imported_scorer
from adharness.errors import AdharnessError
from adharness.store.records import Costs
from adharness.suite.bound import BoundMethod

SMALLEST = 5
"""Images that a trial of a method fits at least; every further one takes twice as many."""
SCORED = 3
"""Images scored in a trial: their median counts."""


@dataclass(frozen=True, slots=True)
class MethodCosts:
    """What a method takes as its training images grow.

    Parameters
    ----------
    fit_s, score_s
        Seconds to fit a model, and to score an image with it.
    memory
        Bytes at the peak of the fit and of the scoring, beyond those of before.
    map_grid : (h, w), optional
        Of the patch scores; None where the scorer gives none.
    input_size : (H, W), optional
        In pixels, of what the extractor was given.
    """

    fit_s: Growth
    score_s: Growth
    memory: Growth
    map_grid: tuple[int, int] | None
    input_size: tuple[int, int] | None = None


def try_methods(
    methods: Sequence[BoundMethod], sampled: Sampled, budget: Budget
) -> tuple[dict[str, MethodCosts], dict[str, str]]:
    """Fit and score each method at growing sizes, as far as the budget goes.

    All methods are tried at one size before any is at the next; one whose next trial would take
    more than its share of what is left stays where it is.

    Returns
    -------
    What each method takes by its name, and why the others were not tried or failed.
    """
    trials = {m.name: _Trial(m) for m in methods}
    sizes = _sizes(sampled.features.count)
    for size in sizes:
        open_ = [t for t in trials.values() if not t.stopped]
        for number, trial in enumerate(open_):
            trial.go(sampled, size, budget, share=len(open_) - number)
    costs = {name: t.costs() for name, t in trials.items() if t.fit_s}
    untried = {name: t.problem or "the time was spent" for name, t in trials.items() if not t.fit_s}
    return costs, untried


def _sizes(count: int) -> list[int]:
    """All there are, half of them, and so on: sizes that lie close show noise, not growth."""
    sizes = [count]
    while sizes[0] // 2 >= SMALLEST:
        sizes.insert(0, sizes[0] // 2)
    return sizes


@dataclass
class _Trial:
    """One method, tried at one size after the other."""

    method: BoundMethod
    fit_s: dict[int, float] = field(default_factory=dict)
    score_s: dict[int, float] = field(default_factory=dict)
    memory: dict[int, float] = field(default_factory=dict)
    last_s: float = 0.0
    map_grid: tuple[int, int] | None = None
    input_size: tuple[int, int] | None = None
    problem: str | None = None
    stopped: bool = False

    def go(self, sampled: Sampled, size: int, budget: Budget, share: int) -> None:
        """Try the method on `size` images, unless that is likely to take more than its share.

        What fails on few images, such as more neighbours than there are, is tried on more.
        """
        if budget.left <= 0 or (self.fit_s and 4 * self.last_s > budget.left / share):
            self.stopped = True
            return
        try:
            if not self.fit_s:
                with budget.paused():  # libraries are loaded in it
                    self._once(sampled, size)
            begun = budget.clock()
            self._watch(sampled, size)
            self.last_s = budget.clock() - begun
        except Exception as error:  # noqa: BLE001 - a contestant's fault costs its estimate only
            told = error.message if isinstance(error, AdharnessError) else str(error)
            self.problem = f"{type(error).__name__}: {told}"

    def _watch(self, sampled: Sampled, size: int) -> None:
        """Keep what a trial took; memory as the record of a cell has it."""
        costs = self._once(sampled, size)
        self.fit_s[size] = costs.fit_s if costs else 0.0
        self.score_s[size] = costs.score_ms / 1000 if costs else 0.0
        self.memory[size] = 1e6 * ((costs and costs.peak_memory_mb) or 0.0)

    def _once(self, sampled: Sampled, size: int) -> Costs | None:
        """Fit a model and score images, as a run does; None where that was done elsewhere."""
        if imported_scorer(self.method.scorer):
            return None
        with sampled.turning() as features:
            train = features.subset(np.arange(size)).labelled(np.zeros(size, dtype=np.int64))
            model = fit(self.method, train, seed=0)
            scored = features.subset(np.arange(min(SCORED, features.count)))
            raw = score_images(model, self.method.scorer.name, train, scored)
            self.input_size = features.shards[0].entry.input_size
        self.map_grid = None if raw.patches is None else raw.patches.shape[1:3]
        return raw.costs

    def costs(self) -> MethodCosts:
        """Give what was measured, by size."""
        fit_s = _grown(self.fit_s, steepest=2.0)
        score_s, memory = (_grown(one, steepest=1.0) for one in (self.score_s, self.memory))
        return MethodCosts(fit_s, score_s, memory, self.map_grid, self.input_size)


def _grown(measured: Mapping[int, float], steepest: float) -> Growth:
    sizes = tuple(sorted(measured))
    return Growth(sizes, tuple(measured[size] for size in sizes), steepest)
