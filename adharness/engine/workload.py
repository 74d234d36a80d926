"""How much of everything a plan needs: models, scored images, rankings, stored files. Counts only.

Under `routed` the classes of the images are not known before they are extracted: an image counts
for the model of its own class, which a good routing finds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from adharness.engine.survey import Survey
from adharness.plan import PROTOCOLS, Cell, Plan

_Model = tuple[str, str, str | None, int]
"""Data set, method, class or None, seed."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Test images of each row of a board: of each class, and pooled."""

    images: tuple[int, ...]

    @property
    def pooled(self) -> int:
        """All images."""
        return sum(self.images)


@dataclass(eq=False)
class Workload:
    """What the cells of the data sets that can be read come to.

    Parameters
    ----------
    fits
        Training images of each model, by the clean data set, the method, the class and the seed.
    scorings
        Training images of the model and images that it scores, by the data set, its shifts apart,
        and so on.
    rankings
        Cells that share raw scores: what reads only their order is measured once for them.
    sharing
        How many cells share normalized scores: measured once, and their maps stored once.
    cells
        How many cells there are of each data set.
    rows
        Of each data set.
    """

    fits: dict[_Model, int] = field(default_factory=dict)
    scorings: dict[_Model, tuple[int, int]] = field(default_factory=dict)
    rankings: set[tuple[str, str, bool, bool, int]] = field(default_factory=set)
    sharing: Counter[tuple[str, str, str, str, int]] = field(default_factory=Counter)
    cells: Counter[str] = field(default_factory=Counter)
    rows: dict[str, Rows] = field(default_factory=dict)

    def add(self, cell: Cell, survey: Survey) -> None:
        """Count a cell; `survey` is of its clean data set."""
        protocol = PROTOCOLS[cell.protocol]
        name, method, seed = cell.dataset.name, cell.method.name, cell.seed
        for trained_on in survey.classes if protocol.labels_at_train else (None,):
            train = len(survey.portion("train", trained_on))
            held = len(survey.portion("calibration", trained_on))
            held += len(survey.portion("test", trained_on))
            self.fits[cell.dataset.clean.name, method, trained_on, seed] = train
            self.scorings[name, method, trained_on, seed] = train, held
        self.rankings.add((name, method, protocol.labels_at_train, protocol.routed, seed))
        self.sharing[name, method, cell.protocol, cell.normalizer.name, seed] += 1
        self.cells[name] += 1
        if name not in self.rows:
            self.rows[name] = Rows(tuple(len(survey.portion("test", c)) for c in survey.classes))


def workload(plan: Plan, surveys: Mapping[str, Survey]) -> Workload:
    """Count what the cells need whose clean data set is among `surveys`."""
    counted = Workload()
    for cell in plan.cells:
        survey = surveys.get(cell.dataset.clean.name)
        if survey is not None:
            counted.add(cell, survey)
    return counted
