"""Every model of a data set and of its shifts, fitted once and asked for the scores of each."""

from __future__ import annotations

from collections.abc import Sequence

from adharness.engine.events import Failed, Listener, StageStarted, StepDone, StepStarted, relayed
from adharness.engine.group import FeatureGroup
from adharness.engine.score import Models, Reuse, ScoringTask, run_task, tasks_of
from adharness.engine.verdicts import Outcomes
from adharness.store.folder import RunFolder


def run_tasks(
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
    wanted = [_tasks(group) for group in groups]
    listener(StageStarted("fit and score", sum(map(len, wanted)), "models"))
    outcomes: list[Outcomes] = [{} for _ in groups]
    for task in dict.fromkeys(task for tasks in wanted for task in tasks):
        models = Models()
        for group, tasks, its in zip(groups, wanted, outcomes, strict=True):
            if task not in tasks:
                continue
            listener(StepStarted("fit and score", _label(task, group)))
            with relayed(listener, "fit and score"):
                its[task] = run_task(task, group, folder, reuse, models)
            failure = its[task].failure
            if failure and failure.stage != "extract":
                listener(Failed(_label(task, group), failure))
            listener(StepDone("fit and score", reused=its[task].reused))
    return outcomes


def _tasks(group: FeatureGroup) -> list[ScoringTask]:
    wanted = [task for cell in group.cells for task in tasks_of(cell, group.survey.classes)]
    return list(dict.fromkeys(wanted))


def _label(task: ScoringTask, group: FeatureGroup) -> str:
    return f"{task.label}, {group.survey.name}" if group.survey.clean else task.label
