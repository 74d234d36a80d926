"""A data set and its shifts under one extractor, opened: where their units are worked on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import scipy
from pydantic import TypeAdapter

from adharness.engine.cells import CellWorker
from adharness.engine.costs import Workplace
from adharness.engine.events import Failed, Listener, StepDone, relayed
from adharness.engine.group import FeatureGroup
from adharness.engine.judge import Referee
from adharness.engine.kept import recalled
from adharness.engine.score import Reuse, ScoringOutcome, ScoringTask, tasks_of
from adharness.engine.tasks import Asked, asked_of, find_outcomes, fit_model
from adharness.engine.verdicts import Outcomes, judge_method, methods_of
from adharness.engine.work.units import Fit, Judge, Limited
from adharness.errors import StoreError
from adharness.plan import Cell
from adharness.store.files import explained
from adharness.store.folder import RunFolder
from adharness.store.records import CellRecord, Failure
from adharness.suite.bound import BoundSuite

Done: TypeAlias = list[Outcomes] | list[CellRecord]
"""What came of a unit: of each group the outcomes of a model, or the records of cells."""
_OUTCOMES = TypeAdapter(list[list[ScoringOutcome]])


@dataclass(frozen=True, eq=False)
class Bench:
    """Groups that share models, and where their results go.

    Parameters
    ----------
    groups
        The clean data set, then its shifts.
    cache
        Where pixels are sorted that don't fit in memory: on the disk meant for large files.
    workplace
        What costs are measured beside: how many units are worked on at the same time.
    """

    suite: BoundSuite
    groups: Sequence[FeatureGroup]
    folder: RunFolder
    reuse: Reuse
    cache: Path
    workplace: Workplace = field(default_factory=Workplace)

    def __post_init__(self) -> None:
        """Have the groups know what the folder keeps of their features."""
        told = [
            group if group.kept else recalled(group, self.folder, self.suite.on_error)
            for group in self.groups
        ]
        object.__setattr__(self, "groups", told)

    @cached_property
    def _asked(self) -> list[Asked]:
        return [asked_of(group) for group in self.groups]

    @cached_property
    def _workers(self) -> dict[int, CellWorker]:
        return {}

    def fits(self) -> list[Fit]:
        """One unit a model, by first need."""
        return [
            Fit(model=model, label=f"{model[0]} on {model[1] or 'all classes'}")
            for model in dict.fromkeys(model for its in self._asked for model in its)
        ]

    def groups_asking(self, unit: Fit) -> int:
        """Count the groups whose cells need a model."""
        return sum(bool(tasks) for tasks in self.tasks(unit))

    def judgings(self, group: int, outcomes: Outcomes) -> Iterator[Judge]:
        """Give a unit for the cells of each method, protocol of training and seed."""
        here = self.groups[group]
        for cells in methods_of(here):
            first = here.cells[cells[0]]
            yield Judge(
                group=group,
                cells=tuple(cells),
                outcomes=tuple(outcomes[task] for task in tasks_of(first, here)),
                label=f"{first.method.name}, {first.protocol}",
            )

    def stored(self, unit: Limited) -> Done | None:
        """Find what a unit would give; None where any of it has still to be made."""
        if isinstance(unit, Fit):
            its = self._found(unit)
            return None if any(o.awaited for one in its for o in one.values()) else its
        worker, cells = self._worker(unit.group), self._cells(unit)
        found = [worker.stored(cell, unit.outcomes) for cell in cells]
        return [record for record in found if record] if all(found) else None

    def do(self, unit: Limited, listener: Listener) -> Done:
        """Work on a unit. Whatever a plugin raises becomes a failure in what is given.

        Raises
        ------
        StoreError
            Results cannot be written, or features not read.
        """
        if isinstance(unit, Fit):
            asked = self.tasks(unit)
            how = self.folder, self.reuse, listener, self.workplace
            return fit_model(asked, self.groups, *how)
        cells = self._cells(unit)
        tasks = tasks_of(cells[0], self.groups[unit.group])
        outcomes = dict(zip(tasks, unit.outcomes, strict=True))
        with relayed(listener, "judge"):  # a normalizer may read features that were pruned
            return judge_method(self._worker(unit.group), cells, outcomes, listener)

    def lost(self, unit: Limited, failure: Failure, listener: Listener) -> Done:
        """Give what stands for a unit that nobody could finish: failed rows, with the reason."""
        listener(Failed(unit.label, failure))
        if isinstance(unit, Fit):
            listener(StepDone("fit and score"))
            return [
                {t: replace(o, failure=failure, awaited=None) if o.awaited else o for t, o in its}
                for its in (found.items() for found in self._found(unit))
            ]
        failed = tuple(replace(o, failure=o.failure or failure) for o in unit.outcomes)
        return self.do(unit.model_copy(update={"outcomes": failed}), listener)

    def told(self, unit: Limited, done: Done) -> Any:
        """Write as JSON what came of a unit: cells by their ids, for they are stored."""
        if isinstance(unit, Judge):
            return [one.id for one in done if isinstance(one, CellRecord)]
        its = [list(one.values()) for one in done if isinstance(one, dict)]
        return _OUTCOMES.dump_python(its, mode="json")

    def read(self, unit: Limited, told: Any) -> Done:
        """Read what `told` wrote elsewhere. Raises StoreError where a cell is not stored here."""
        if isinstance(unit, Judge):
            return [self._record(identity) for identity in told]
        found = _OUTCOMES.validate_python(told)
        return [
            dict(zip(tasks, its, strict=True))
            for tasks, its in zip(self.tasks(unit), found, strict=True)
        ]

    def _record(self, identity: str) -> CellRecord:
        record = self.folder.cell(identity)
        if record is None:
            raise StoreError(
                f"cell {identity} was made, and is not in {self.folder.path}",
                hint="every process of a run must see one folder; is --out shared?",
            )
        return record

    def warm(self, unit: Limited) -> None:
        """Make what units like this one share; no code of a plugin runs."""
        if isinstance(unit, Judge):
            self._worker(unit.group)
            _ = scipy.ndimage, scipy.stats
        else:
            self.tasks(unit)

    def tasks(self, unit: Fit) -> list[list[ScoringTask]]:
        """Give what each group asks of a model."""
        return [asked.get(unit.model, []) for asked in self._asked]

    def _found(self, unit: Fit) -> list[Outcomes]:
        return find_outcomes(self.tasks(unit), self.groups, self.folder, self.reuse)

    def _cells(self, unit: Judge) -> list[Cell]:
        return [self.groups[unit.group].cells[i] for i in unit.cells]

    def _worker(self, group: int) -> CellWorker:
        """Give who judges a group; the draws of its images are made once."""
        if group not in self._workers:
            here, suite = self.groups[group], self.suite
            referee = Referee(
                here.survey,
                here.truth,
                suite.metrics,
                suite.statistics,
                _spill_folder(self.cache),
                suite.deployment,
            )
            self._workers[group] = CellWorker(suite, here, referee, self.folder, self.reuse)
        return self._workers[group]


def _spill_folder(cache: Path) -> Path:
    folder = cache / "sorting"
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder
