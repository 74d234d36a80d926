"""Every model of a data set and of its shifts, fitted once and asked for the scores of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from adharness.engine.costs import Workplace
from adharness.engine.events import Failed, Listener, StageStarted, StepDone, StepStarted, relayed
from adharness.engine.group import FeatureGroup
from adharness.engine.score import Models, Reuse, ScoringTask, run_tasks, tasks_of
from adharness.engine.verdicts import Outcomes
from adharness.store.folder import RunFolder

ByModel: TypeAlias = Mapping[tuple[str, str | None, int], list[ScoringTask]]
"""What is asked of each model of a group."""


def run_models(
    groups: Sequence[FeatureGroup], folder: RunFolder, reuse: Reuse, listener: Listener
) -> list[Outcomes]:
    """Fit each model and score the images of each group with it.

    Parameters
    ----------
    groups
        A clean data set and its shifts, one extractor: they train on the same images.

    Returns
    -------
    The outcomes of each group. One model is in memory at a time.
    """
    wanted = [_by_model(group) for group in groups]
    listener(StageStarted("fit and score", sum(map(len, wanted)), "models"))
    outcomes: list[Outcomes] = [{} for _ in groups]
    workplace = Workplace()
    for model in dict.fromkeys(model for asked in wanted for model in asked):
        fitted = Models()
        for group, asked, its in zip(groups, wanted, outcomes, strict=True):
            if model in asked:
                found = _run(asked[model], group, folder, reuse, (fitted, workplace), listener)
                its.update(found)
    return outcomes


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


def _by_model(group: FeatureGroup) -> ByModel:
    models: dict[tuple[str, str | None, int], list[ScoringTask]] = {}
    for task in dict.fromkeys(task for cell in group.cells for task in tasks_of(cell, group)):
        models.setdefault(task.model, []).append(task)
    return models
