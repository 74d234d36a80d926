"""Which images are extracted together: a class, and of a shifted set its corrupted images apart.

So the clean images of a shifted set are those of the clean set, and found in the cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from adharness.arrays import Int64
from adharness.engine.survey import Survey

PartKey: TypeAlias = tuple[str, bool]
"""A class, and whether its images are the corrupted ones."""


@dataclass(frozen=True)
class Part:
    """Images of one class, by their positions in the survey that has their pixels."""

    key: PartKey
    survey: Survey
    positions: Int64

    @property
    def class_name(self) -> str:
        """The class of the images."""
        return self.key[0]

    @property
    def label(self) -> str:
        """How the progress names it."""
        return f"{self.survey.name}/{self.class_name}"


def parts_of(survey: Survey) -> list[Part]:
    """List the parts: every class; of a shifted set those of the clean one, then the corrupted."""
    clean = survey.clean or survey
    parts = [Part((name, False), clean, clean.of_class(name)) for name in survey.classes]
    if survey.clean:
        tested = ((name, survey.clean.portion("test", name)) for name in survey.classes)
        parts += [Part((name, True), survey, images) for name, images in tested if len(images)]
    return parts


def count_of(survey: Survey) -> int:
    """How many images are extracted, or found in the cache."""
    return sum(len(part.positions) for part in parts_of(survey))


def places_of(survey: Survey) -> list[tuple[PartKey, int]]:
    """For each position its part and its row in that part's shard."""
    places: list[tuple[PartKey, int]] = [(("", False), 0)] * len(survey.samples)
    for part in parts_of(survey):
        for row, position in enumerate(part.positions.tolist()):
            places[position] = (part.key, row)
    return places
