"""A thresholder under trial, at one of the levels that it decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from adharness.arrays import AnyArray
from adharness.contracts import (
    BatchRule,
    Calibration,
    DecisionLevel,
    Threshold,
    ThresholderSpec,
)
from adharness.testing.subject import Arrange, ComponentSubject, as_given
from adharness.testing.thresholders.calibrations import DrawnMaps, Scored, scored


@dataclass(frozen=True, eq=False)
class ThresholderSubject(ComponentSubject[ThresholderSpec, Any]):
    """A thresholder with its parameters, deciding images, pixels, or a batch of images."""

    level: DecisionLevel

    @property
    def apart(self) -> tuple[str, ...]:
        """The level."""
        return (self.level,)

    @cached_property
    def world(self) -> Scored:
        """The calibration images that most checks use."""
        return scored(0)

    def choose(
        self, world: Scored | None = None, arrange: Arrange = as_given, thresholder: Any = None
    ) -> Threshold:
        """Let it, or the thresholder given, choose from some images, or from those of the world."""
        given = self.world if world is None else world
        thresholder = self.make() if thresholder is None else thresholder
        if self.level == "pixel":
            chosen = thresholder.pixel_threshold(DrawnMaps(given.maps, arrange))
        elif self.spec.batch:
            rule: BatchRule = thresholder.rule(self.calibration(given, arrange))
            chosen = rule.decide(arrange(given.batch))
        else:
            chosen = thresholder.threshold(self.calibration(given, arrange))
        assert isinstance(chosen, Threshold), f"it gives a {type(chosen).__name__}"  # noqa: S101
        return chosen

    def calibration(self, world: Scored, arrange: Arrange) -> Calibration:
        """Give what its record lets it know."""
        if self.spec.needs_labels:
            return Calibration(arrange(world.scores), arrange(world.labels))
        return Calibration(arrange(world.normals))

    def use(self, arrange: Arrange) -> Mapping[str, AnyArray]:
        """Let it choose from normal images, and from anomalous ones where it may."""
        return {"threshold": np.array([self.choose(arrange=arrange).value])}

    def again(self) -> tuple[Callable[[], object], int]:
        """Give the choosing from all images by one thresholder."""
        thresholder, world = self.make(), replace(self.world, maps=self.world.maps[:3])
        size = sum(one.nbytes for one in world.maps) if self.level == "pixel" else 0
        return lambda: self.choose(world, np.copy, thresholder), size or world.scores.nbytes
