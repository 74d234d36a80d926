"""Every model of a data set and of its shifts, fitted once and asked for the scores of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from adharness.engine.costs import Workplace
from adharness.engine.events import Failed, Listener, StepDone, StepStarted, relayed
from adharness.engine.group import FeatureGroup
from adharness.engine.score import Models, Reuse, ScoringTask, find_outcome, run_tasks, tasks_of
from adharness.engine.verdicts import Outcomes
from adharness.store.folder import RunFolder

ModelKey: TypeAlias = tuple[str, str | None, int]
"""Method, class that it is trained on (None: all), seed."""
Asked: TypeAlias = dict[ModelKey, list[ScoringTask]]
"""What the cells of a group ask of each model."""


def asked_of(group: FeatureGroup) -> Asked:
    """Sort what the cells of a group ask for by model."""
    models: Asked = {}
    for task in dict.fromkeys(task for cell in group.cells for task in tasks_of(cell, group)):
        models.setdefault(task.model, []).append(task)
    return models


def fit_model(
    tasks: Sequence[Sequence[ScoringTask]],
    groups: Sequence[FeatureGroup],
    folder: RunFolder,
    reuse: Reuse,
    listener: Listener,
    workplace: Workplace,
) -> list[Outcomes]:
    """Fit one model and score the images of each group with it.

    Parameters
    ----------
    tasks
        What each group asks of the model; nothing where its cells don't need it.
    groups
        A clean data set and its shifts, one extractor: they train on the same images.
    workplace
        Under what circumstances the costs are measured.

    Returns
    -------
    The outcomes of each group.
    """
    how = Models(), workplace
    return [
        _run(its, group, folder, reuse, how, listener) if its else {}
        for its, group in zip(tasks, groups, strict=True)
    ]


def find_outcomes(
    tasks: Sequence[Sequence[ScoringTask]],
    groups: Sequence[FeatureGroup],
    folder: RunFolder,
    reuse: Reuse,
) -> list[Outcomes]:
    """Find what a model was asked for before; `awaited` where it was not."""
    return [
        {task: find_outcome(task, group, folder, reuse) for task in its}
        for its, group in zip(tasks, groups, strict=True)
    ]


def _run(
    tasks: Sequence[ScoringTask],
    group: FeatureGroup,
    folder: RunFolder,
    reuse: Reuse,
    how: tuple[Models, Workplace],
    listener: Listener,
) -> Outcomes:
    label = f"{tasks[0].label}, {group.survey.name}" if group.survey.clean else tasks[0].label
    listener(StepStarted("fit and score", label))
    with relayed(listener, "fit and score"):
        found = run_tasks(tasks, group, folder, reuse, *how)
    failure = next((outcome.failure for outcome in found.values() if outcome.failure), None)
    if failure and failure.stage != "extract":
        listener(Failed(label, failure))
    listener(StepDone("fit and score", reused=all(o.reused for o in found.values())))
    return found
