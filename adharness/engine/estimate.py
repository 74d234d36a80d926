"""What a run of a plan would take: time, memory and disk, from a short trial on this machine."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adharness.engine.batches import batches_of
from adharness.engine.calibration import Budget, Sampled, sample
from adharness.engine.extraction_job import native_size
from adharness.engine.growth import Span
from adharness.engine.holdings import (
    Holding,
    LoadedExtractor,
    bytes_of,
    image_bytes,
    left_out,
    look_up,
    stored_sizes,
)
from adharness.engine.method_trials import MethodCosts, try_methods
from adharness.engine.reckoning import Judges, fit_and_score, judging, peak_memory, stored_bytes
from adharness.engine.room import used_memory
from adharness.engine.survey import Survey, survey
from adharness.engine.trial_judge import JUDGED_SIDE, try_judge
from adharness.engine.workload import Workload, workload
from adharness.errors import AdharnessError, SuiteError
from adharness.plan import Cell, Plan

JUDGED = 8
"""Made-up images that the trial of the judge reads."""
ON_OTHER_IMAGES = 1.5
"""Extraction was timed on some images of one class: others may be larger, or the disk slower."""


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """Features of one data set under one extractor.

    Parameters
    ----------
    left, left_bytes
        Images still to be extracted, and the exact bytes of their array files.
    seconds
        To extract them.
    """

    dataset: str
    extractor: str
    images: int
    cached: int
    image_bytes: int
    left: int
    left_bytes: int
    seconds: Span


@dataclass(eq=False)
class Estimate:
    """What a run would take, as far as it could be told.

    Parameters
    ----------
    methods
        What each method that was tried takes.
    untold
        What is in none of the numbers, and why.
    loading
        Seconds to load the extractors, which a run does whatever the cache holds.
    stages_s
        Seconds of `extract`, `fit and score` and `judge`.
    memory, held
        Bytes that a run holds at its peak, and those of them that this process holds already.
    results
        Bytes of what a run stores beside the features.
    spent_s
        Seconds that the trials took.
    """

    work: Workload
    features: list[FeatureRow] = field(default_factory=list)
    methods: dict[str, MethodCosts] = field(default_factory=dict)
    untold: list[str] = field(default_factory=list)
    loading: Span = field(default_factory=Span)
    stages_s: dict[str, Span] = field(default_factory=dict)
    memory: Span = field(default_factory=Span)
    held: int = 0
    results: Span = field(default_factory=Span)
    spent_s: float = 0.0

    @property
    def feature_bytes(self) -> int:
        """Exact bytes of the features still to be extracted, where they are known."""
        return sum(row.left_bytes for row in self.features)


def estimate(plan: Plan, cache: Path, *, limit: int | None, budget: Budget) -> Estimate:
    """Try extractors, methods and the judge on a few training images, and reckon from there.

    Parameters
    ----------
    cache
        Folder of the features; hashes of files are kept there, as a run does, and nothing else.
    limit
        As of a run.
    budget
        Once it is spent nothing further is tried. Reading the data sets and loading the networks
        do not count.

    Raises
    ------
    SuiteError
        The suite asks for what a data set does not have. All else is told under `untold`.
    """
    with budget.paused():
        surveys, untold = _surveys(plan, cache, limit)
    made = Estimate(workload(plan, surveys), untold=untold)
    trials = _Trials(plan, cache, budget, surveys, made)
    names = list(dict.fromkeys(cell.method.extractor_name for cell in trials.groups()))
    for number, name in enumerate(names):
        try:
            trials.extractor(name, parts=len(names) - number)
        except Exception as error:  # noqa: BLE001 - a contestant's fault costs its estimate only
            made.untold.append(f"extractor {name}: {_told(error)}")
    trials.judge()
    made.stages_s["extract"] = Span.sum([made.loading, *(row.seconds for row in made.features)])
    made.stages_s["fit and score"] = fit_and_score(made.work, made.methods)
    made.stages_s["judge"] = judging(plan, made.work, made.methods, trials.judged)
    made.held = used_memory()
    made.memory = peak_memory(made.work, made.methods, made.held, trials.judged.pixels)
    made.results = stored_bytes(plan, made.work, made.methods)
    made.spent_s = budget.spent
    return made


def _surveys(plan: Plan, cache: Path, limit: int | None) -> tuple[dict[str, Survey], list[str]]:
    """Survey the data sets that can be read, without their shifts."""
    surveys: dict[str, Survey] = {}
    untold = []
    for bound in {cell.dataset.clean.name: cell.dataset.clean for cell in plan.cells}.values():
        try:
            surveys[bound.name] = survey(plan.suite, bound, limit=limit, cache=cache)
        except SuiteError:
            raise
        except (AdharnessError, OSError) as error:
            untold.append(f"data set {bound.name}: {_told(error)}")
    return surveys, untold


@dataclass(eq=False)
class _Trials:
    """The trials of one estimate, in the order in which they are made."""

    plan: Plan
    cache: Path
    budget: Budget
    surveys: Mapping[str, Survey]
    made: Estimate
    judged: Judges = field(default_factory=Judges)
    seen: set[str] = field(default_factory=set)
    """Keys of the shards that something before extracts."""

    def groups(self, extractor: str | None = None) -> list[Cell]:
        """Give a cell of each data set and extractor, or of one extractor's."""
        firsts = [cells[0] for cells in self.plan.by_features()]
        readable = [cell for cell in firsts if cell.dataset.clean.name in self.surveys]
        return [c for c in readable if extractor in (None, c.method.extractor_name)]

    def extractor(self, name: str, parts: int) -> None:
        """Load an extractor, count what the cache lacks, and try it and its methods.

        It may take one of so many parts of what is left.
        """
        cells = self.groups(name)
        with self.budget.paused():
            begun = self.budget.clock()
            loaded = LoadedExtractor.load(name, cells[0].method.extractor)
            self.made.loading += Span.about(self.budget.clock() - begun)
            holdings = [self._holding(cell, loaded) for cell in cells]
        budget = self.budget.share(parts)
        with tempfile.TemporaryDirectory(prefix="adharness-") as folder:
            sampled = sample(holdings[0], Path(folder), budget)
            methods = {c.method.name: c.method for c in self._cells_of(name)}
            costs, untried = try_methods(list(methods.values()), sampled, budget)
            self._count(holdings, sampled)
        self.made.methods |= costs
        self.made.untold += [f"method {method}: {why}" for method, why in untried.items()]
        for holding in holdings:
            self._look(holding)

    def _cells_of(self, extractor: str) -> list[Cell]:
        return [c for c in self.plan.cells if c.method.extractor_name == extractor]

    def _holding(self, cell: Cell, loaded: LoadedExtractor) -> Holding:
        bound = cell.dataset
        clean = self.surveys[bound.clean.name]
        here = clean.shifted(bound, bound.shift) if bound.shift else clean
        return look_up(here, loaded, self.cache, self.plan.suite.on_error)

    def _count(self, holdings: Sequence[Holding], sampled: Sampled) -> None:
        sizes = stored_sizes(sampled.features.shards[0])
        for holding, counts in left_out(holdings, self.seen):
            computed = sum(batches_of(sampled.job.extractor).filled(count) for count in counts)
            took = Span.about(computed * sampled.image_s, off=ON_OTHER_IMAGES)
            row = FeatureRow(
                dataset=holding.survey.name,
                extractor=holding.loaded.name,
                images=holding.images,
                cached=holding.cached,
                image_bytes=image_bytes(sizes),
                left=sum(counts),
                left_bytes=bytes_of(sizes, counts),
                seconds=took,
            )
            self.made.features.append(row)

    def _look(self, holding: Holding) -> None:
        """See how large the images of a data set are."""
        clean = holding.survey.clean or holding.survey
        train = clean.portion("train")
        if len(train) and holding.survey.name not in self.judged.pixels:
            height, width = native_size(clean.dataset, clean.samples[int(train[0])])
            self.judged.pixels[holding.survey.name] = height * width

    def judge(self) -> None:
        """Judge made-up images, with maps where a method gives some, and without."""
        if not self.judged.pixels:
            return
        drawing = [costs for costs in self.made.methods.values() if costs.map_grid]
        suite, size = self.plan.suite, (JUDGED_SIDE, JUDGED_SIDE)
        self.judged.plain = try_judge(suite, size, None, most=JUDGED)
        if drawing:
            first = drawing[0]
            self.judged.drawn = try_judge(
                suite, size, first.map_grid, most=JUDGED, input_size=first.input_size
            )


def _told(error: BaseException) -> str:
    return (
        error.message if isinstance(error, AdharnessError) else f"{type(error).__name__}: {error}"
    )
