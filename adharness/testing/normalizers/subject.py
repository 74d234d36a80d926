"""A normalizer under trial: fitted on the held-out normal images of three classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from adharness.arrays import AnyArray, Float32, Float64
from adharness.contracts import (
    Calibration,
    ClassNeed,
    FittedNormalizer,
    ImageContext,
    Normalizer,
    NormalizerSpec,
)
from adharness.testing.subject import Arrange, ComponentSubject, as_given

CLASSES = {"brick": (10.0, 1.0), "grass": (30.0, 6.0), "gravel": (100.0, 9.0)}
"""Of each class the mean and the deviation of its normal scores."""
EACH = 12
"""Images a class."""


@dataclass(frozen=True, eq=False)
class Scaled:
    """Images of classes that score on different scales, their embeddings in as many places.

    Parameters
    ----------
    scores : (n,) float64
    maps : (n, 3, 4) float64
    classes
        n names.
    embeddings : (n, 5) float32
    """

    scores: Float64
    maps: Float64
    classes: Sequence[str]
    embeddings: Float32

    def some(self, images: Sequence[int]) -> Scaled:
        """Give the images at these positions, in this order."""
        chosen = np.array(images, dtype=np.int64)
        names = [self.classes[i] for i in images]
        return Scaled(self.scores[chosen], self.maps[chosen], names, self.embeddings[chosen])


def scaled(seed: int, *, factor: float = 1.0) -> Scaled:
    """Draw normal images, the classes one after the other."""
    rng = np.random.default_rng(seed)
    names = [name for name in CLASSES for _ in range(EACH)]
    means, deviations = np.array([CLASSES[name] for name in names]).T
    places = 20.0 * np.eye(5)[[list(CLASSES).index(name) for name in names]]
    drawn = rng.normal(means[:, None], deviations[:, None], (len(names), 13))
    return Scaled(
        factor * drawn[:, 0],
        factor * drawn[:, 1:].reshape(-1, 3, 4),
        names,
        (places + rng.normal(size=places.shape)).astype(np.float32),
    )


@dataclass(frozen=True, eq=False)
class NormalizerSubject(ComponentSubject[NormalizerSpec, Normalizer]):
    """A normalizer with its parameters, told what its record asks for and no more."""

    @property
    def needs_class(self) -> ClassNeed:
        """When it must be told classes, as its record says."""
        return self.spec.needs_class(self.params)

    @property
    def needs_embedding(self) -> bool:
        """Whether it reads embeddings, as its record says."""
        return self.spec.needs_embedding(self.params)

    @cached_property
    def world(self) -> Scaled:
        """The images that it is fitted on."""
        return scaled(0)

    @cached_property
    def tested(self) -> Scaled:
        """The images that it rescales."""
        return scaled(1)

    def calibration(self, world: Scaled, arrange: Arrange = as_given) -> Calibration:
        """Give what a run gives of held-out normal images."""
        told = self.needs_class != "never"
        context = self._context(world, arrange, told=told)
        return Calibration(arrange(world.scores), None, context)

    def context(self, world: Scaled, arrange: Arrange = as_given) -> ImageContext:
        """Give what a run tells of images to rescale."""
        return self._context(world, arrange, told=self.needs_class == "always")

    def _context(self, world: Scaled, arrange: Arrange, *, told: bool) -> ImageContext:
        return ImageContext(
            list(world.classes) if told else None,
            arrange(world.embeddings) if self.needs_embedding else None,
        )

    def fit(self, world: Scaled | None = None, arrange: Arrange = as_given) -> FittedNormalizer:
        """Fit on some images, or on those of the world."""
        return self.make().fit(self.calibration(self.world if world is None else world, arrange))

    @cached_property
    def fitted(self) -> FittedNormalizer:
        """Fitted on the world, once: what is fitted does not change."""
        return self.fit()

    def use(self, arrange: Arrange) -> Mapping[str, AnyArray]:
        """Fit it, and rescale image scores and maps."""
        fitted, tested = self.fit(arrange=arrange), self.tested
        context = self.context(tested, arrange)
        return {
            "image scores": np.asarray(fitted.apply(arrange(tested.scores), context)),
            "maps": np.asarray(fitted.apply(arrange(tested.maps), context)),
        }

    def again(self) -> tuple[Callable[[], object], int]:
        """Give the rescaling of all maps by one fitted normalizer."""
        fitted, tested = self.fitted, self.tested
        context = self.context(tested)
        return lambda: fitted.apply(tested.maps.copy(), context), tested.maps.nbytes
