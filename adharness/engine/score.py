"""Scorings: each model a plan needs is fitted once, however many cells use it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from adharness.arrays import AnyArray, Int64
from adharness.engine.cell import Fitted, RawScores, evaluated, fit, score_images
from adharness.engine.costs import Workplace
from adharness.engine.failures import failure_of
from adharness.engine.group import FeatureGroup
from adharness.engine.looked_up import image_names, imported_scorer, look_up_scores
from adharness.errors import DataError, StoreError
from adharness.plan import PROTOCOLS, Cell
from adharness.store.folder import RunFolder
from adharness.store.identity import digest
from adharness.store.records import Costs, Failure, ScoringRecord
from adharness.suite.bind import BoundMethod


@dataclass(frozen=True)
class Reuse:
    """What stored results a run may use: none if `fresh`; other versions' if `keep_stale`."""

    fresh: bool = False
    keep_stale: bool = False

    def allows(self, stored: dict[str, str], now: dict[str, str]) -> bool:
        """Whether a result made with versions `stored` may stand in for one made `now`."""
        return not self.fresh and (self.keep_stale or stored == now)


@dataclass(frozen=True)
class ScoringTask:
    """One model to fit: a method, on one class or (None) on all, with a seed."""

    method: BoundMethod = field(compare=False)
    trained_on: str | None
    seed: int
    name: str
    """Of the method, unique in its suite."""

    routed: bool = False
    """Whether it scores the images that are taken for its class, not those that are of it."""

    @property
    def label(self) -> str:
        """How the progress names it."""
        return f"{self.name} on {self.trained_on or 'all classes'}"

    @property
    def model(self) -> tuple[str, str | None, int]:
        """What tells the model apart; tasks with equal ones are scored by one fit."""
        return self.name, self.trained_on, self.seed


@dataclass(frozen=True)
class ScoringOutcome:
    """The id under which the raw scores are stored, or why there are none."""

    id: str
    failure: Failure | None = None
    costs: Costs | None = None
    facts: Mapping[str, float] = field(default_factory=dict)
    reused: bool = False
    versions: Mapping[str, str] = field(default_factory=dict)
    """What a stored result was made with; `Reuse.keep_stale` may have taken others for these."""
    awaited: Mapping[str, Any] | None = None
    """The task's identity where its model has still to be fitted; None once the task was run."""


@dataclass
class Models:
    """Models of one task that were fitted already, and fits that failed, by their identity."""

    made: dict[str, Fitted | Exception] = field(default_factory=dict)

    def get(self, identity: str, make: Callable[[], Fitted]) -> Fitted:
        """Give the model, fitted now where it was not; raises as the fit did."""
        if identity not in self.made:
            try:
                self.made[identity] = make()
            except Exception as error:  # noqa: BLE001 - raised below, and wherever asked for again
                self.made[identity] = error
        found = self.made[identity]
        if isinstance(found, Exception):
            raise found
        return found


def tasks_of(cell: Cell, group: FeatureGroup) -> list[ScoringTask]:
    """Models that a cell needs: one a class where the protocol knows the class at train time.

    Under `routed` those that an image is routed to; without features of every class, all of them.
    """
    protocol, names = PROTOCOLS[cell.protocol], group.survey.classes
    if protocol.routed and not group.failures:
        names = tuple(c for number, c in enumerate(names) if number in group.routed_to)
    trained_on = names if protocol.labels_at_train else [None]
    method, seed = cell.method, cell.seed
    return [ScoringTask(method, name, seed, method.name, protocol.routed) for name in trained_on]


def run_tasks(
    tasks: Sequence[ScoringTask],
    group: FeatureGroup,
    folder: RunFolder,
    reuse: Reuse,
    models: Models,
    workplace: Workplace,
) -> dict[ScoringTask, ScoringOutcome]:
    """Fit one model and score what its tasks ask for; stored results are found, not made again.

    A model that is in `models` is not fitted again: a shift of the test images leaves it as it is.
    `workplace` tells under what circumstances the costs are measured.
    Whatever a plugin raises becomes the outcomes' failure; a StoreError is passed on.
    """
    outcomes = {task: find_outcome(task, group, folder, reuse) for task in tasks}
    missing = {task: found.awaited for task, found in outcomes.items() if found.awaited}
    if not missing:
        return outcomes
    try:
        positions, raw = _fit(list(missing), group, models)
        raw = replace(raw, costs=workplace.named_in(raw.costs))
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 - a contestant's fault is a failed row, not a lost run
        failure = failure_of("fit and score", error)
        return outcomes | {t: ScoringOutcome(outcomes[t].id, failure) for t in missing}
    for task, identity in missing.items():
        chosen = np.isin(positions, _portions(task, group)[1])
        mine = raw.where(np.flatnonzero(chosen))
        record = _record(task, group, outcomes[task].id, identity, mine)
        folder.put_scoring(record, {"scores.npz": _arrays(group, positions[chosen], mine)})
        outcomes[task] = ScoringOutcome(record.id, costs=record.costs, facts=record.facts)
    return outcomes


def find_outcome(
    task: ScoringTask, group: FeatureGroup, folder: RunFolder, reuse: Reuse
) -> ScoringOutcome:
    """Find the stored result of a task, or why there can be none, or that it is awaited."""
    needed: Sequence[str] = group.survey.classes  # the router learns from every class
    if task.trained_on is not None and not task.routed:
        needed = (task.trained_on,)
    failed = next((group.failures[c] for c in needed if c in group.failures), None)
    try:
        identity = task_identity(task, group)
    except Exception as error:  # noqa: BLE001 - files of an imported method that cannot be read
        nameless = digest([group.survey.name, *task.model, task.routed])
        return ScoringOutcome(nameless, failed or failure_of("fit and score", error))
    scoring_id = digest(identity)
    if failed:
        return ScoringOutcome(scoring_id, failed)
    stored = folder.scoring(scoring_id)
    if stored and reuse.allows(stored.versions, task_versions(task.method, group)):
        return ScoringOutcome(
            scoring_id,
            costs=stored.costs,
            facts=stored.facts,
            reused=True,
            versions=stored.versions,
        )
    return ScoringOutcome(scoring_id, awaited=identity)


def _record(
    task: ScoringTask,
    group: FeatureGroup,
    scoring_id: str,
    identity: Mapping[str, Any],
    raw: RawScores,
) -> ScoringRecord:
    return ScoringRecord(
        id=scoring_id,
        dataset=group.survey.name,
        method=task.method.name,
        trained_on=task.trained_on,
        seed=task.seed,
        costs=raw.costs,
        facts=dict(raw.facts),
        versions=task_versions(task.method, group),
        identity=dict(identity),
    )


def _portions(task: ScoringTask, group: FeatureGroup) -> tuple[Int64, Int64]:
    survey = group.survey
    train = survey.portion("train", task.trained_on)
    if task.routed and task.trained_on is not None:
        number = survey.classes.index(task.trained_on)
        return train, evaluated(train, np.flatnonzero(group.routed_to == number))
    held = (survey.portion("calibration", task.trained_on), survey.portion("test", task.trained_on))
    return train, evaluated(train, *held)


def _fit(
    tasks: Sequence[ScoringTask], group: FeatureGroup, models: Models
) -> tuple[Int64, RawScores]:
    """Fit the model that these tasks share and score each image that any of them asks for."""
    method, seed = tasks[0].method, tasks[0].seed
    portions = [_portions(task, group) for task in tasks]
    train = portions[0][0]
    positions = evaluated(train, *(judged for _, judged in portions))
    scorer = imported_scorer(method.scorer)
    if scorer:
        tested = np.isin(positions, group.survey.portion("test"))
        return look_up_scores(scorer, group, positions, tested)
    if not len(positions):
        raise DataError("no calibration or test image is left to score")
    features = group.training(train)
    model = models.get(
        digest(_model_identity(tasks[0], group)), lambda: fit(method, features, seed=seed)
    )
    evaluate = group.features.subset(positions)
    return positions, score_images(model, method.scorer.name, features, evaluate)


def task_identity(task: ScoringTask, group: FeatureGroup) -> dict[str, Any]:
    """Everything that can change the raw scores of a task."""
    _, positions = _portions(task, group)
    scorer = imported_scorer(task.method.scorer)
    content = scorer.fingerprint(image_names(group, positions)) if scorer else None
    elsewhere = {"imported": content} if scorer else {}
    evaluate = {"evaluate": group.survey.pixels(positions)}
    return elsewhere | evaluate | _model_identity(task, group)


def _model_identity(task: ScoringTask, group: FeatureGroup) -> dict[str, Any]:
    """Everything that can change a model, and so its scores of any image."""
    train, _ = _portions(task, group)
    return {
        "train": group.survey.pixels(train),
        "train_classes": group.survey.known_classes(train),
        "extractor": group.identity,
        "bank": task.method.bank.identity(),
        "scorer": task.method.scorer.identity(),
        "seed": task.seed,
    }


def task_versions(method: BoundMethod, group: FeatureGroup) -> dict[str, str]:
    """Versions of the harness and of every distribution that takes part in a task."""
    parts = (method.extractor, method.bank, method.scorer, group.survey.bound.bound)
    named = {"adharness", *(p.component.distribution for p in parts)}
    return group.installed.versions(sorted(named | set(group.identity.get("made_with", ()))))


def _arrays(group: FeatureGroup, positions: Int64, raw: RawScores) -> dict[str, AnyArray]:
    arrays: dict[str, AnyArray] = {
        "samples": np.array([group.survey.samples[i].path for i in positions]),
    }
    given = {"own": raw.own, "patches": raw.patches, "neighbours": raw.neighbours}
    given |= {"found": raw.found}
    return arrays | {name: values for name, values in given.items() if values is not None}
