"""Surveys of every data set of a plan: the clean one is listed once, whatever its shifts."""

from __future__ import annotations

from pathlib import Path

from adharness.engine.events import Listener, StageStarted, StepDone, StepStarted
from adharness.engine.survey import Survey, survey
from adharness.plan import Plan


def survey_all(plan: Plan, limit: int | None, cache: Path, listener: Listener) -> dict[str, Survey]:
    """List, hash and split the images of every data set; by name.

    Raises
    ------
    DataError, StoreError
        As `survey`.
    """
    data = list({cell.dataset.name: cell.dataset for cell in plan.cells}.values())
    listener(StageStarted("survey", len(data), "data sets"))
    surveys: dict[str, Survey] = {}
    clean: dict[str, Survey] = {}
    for bound in data:
        listener(StepStarted("survey", bound.name))
        name = bound.clean.name
        if name not in clean:
            clean[name] = survey(plan.suite, bound.clean, limit=limit, cache=cache)
        here = clean[name]
        surveys[bound.name] = here.shifted(bound, bound.shift) if bound.shift else here
        listener(StepDone("survey"))
    return surveys
