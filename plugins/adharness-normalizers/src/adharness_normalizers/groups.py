"""Which images share a scale: one class, one cluster of embeddings, or all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from adharness import ContractError, DataError, FittedNormalizer, ImageContext
from adharness.arrays import Float64, Int64
from adharness_normalizers.normals import MORE, Normals, distances, each_image, place_of


class Router(Protocol):
    """Finds the group of an image."""

    def group(self, context: ImageContext) -> int:
        """Give the number of the group of the one image of a context."""


@dataclass(frozen=True)
class Pooled:
    """All images are one group."""

    def group(self, context: ImageContext) -> int:  # noqa: ARG002  whatever the image
        """Give 0."""
        return 0


@dataclass(frozen=True)
class Told:
    """The group is the class, which must be known."""

    name: str
    classes: tuple[str, ...]

    def group(self, context: ImageContext) -> int:
        """Look the class up; raises ContractError without one, DataError for an unseen one."""
        if context.classes is None:
            raise ContractError(
                f"{self.name} needs the class of every image, and the protocol gives none",
                hint="choose a way by cluster, or a protocol with labels at evaluation",
            )
        (name,) = context.classes
        if name not in self.classes:
            raise DataError(
                f"no calibration image of class {name!r}",
                hint=f"{self.name} was fitted on {', '.join(map(repr, self.classes))}",
            )
        return self.classes.index(name)


@dataclass(frozen=True, eq=False)
class NearestCentroid:
    """The group whose centroid (G, E) is nearest; of equally near ones the first."""

    name: str
    centroids: Float64

    def group(self, context: ImageContext) -> int:
        """Compare the image's embedding with every centroid."""
        place = place_of(context, self.name, self.centroids.shape[1])
        return int(distances(self.centroids, place).argmin())


@dataclass(frozen=True, eq=False)
class Vote:
    """The group of most of the `k` nearest calibration images; the nearest breaks a tie."""

    name: str
    places: Float64
    groups: Int64
    k: int

    def group(self, context: ImageContext) -> int:
        """Let the neighbours of the image's embedding vote."""
        away = distances(self.places, place_of(context, self.name, self.places.shape[1]))
        nearest = np.argsort(away, kind="stable")[: self.k]
        votes = Counter(self.groups[nearest].tolist())
        return int(votes.most_common(1)[0][0])


@dataclass(frozen=True, eq=False)
class Grouping:
    """The group of each calibration image (n,), and how to find that of another image."""

    groups: Int64
    router: Router
    names: tuple[str, ...]

    def fit(self, scores: Float64, learn: LearnScale, *, at_least: int) -> FittedNormalizer:
        """Learn a scale a group from its scores, sorted ascending.

        Raises DataError where a group has fewer than `at_least` images, or cannot be learnt from.
        """
        scales = []
        for number, name in enumerate(self.names):
            own = scores[self.groups == number]
            if len(own) < at_least:
                count = f"{len(own)} normal calibration image{'s' * (len(own) != 1)}"
                raise DataError(f"{name} has {count}, and {at_least} are needed", hint=MORE)
            scales.append(learn(own, name))
        return _Grouped(self.router, tuple(scales))


class Scale(Protocol):
    """A strictly increasing transform."""

    def rescale(self, values: Float64) -> Float64:
        """Rescale values of any shape, one by one."""


class LearnScale(Protocol):
    """Learns a scale."""

    def __call__(self, scores: Float64, of: str, /) -> Scale:
        """Learn from the sorted scores (n,) of a group; `of` names it in errors."""


@dataclass(frozen=True, eq=False)
class _Grouped:
    router: Router
    scales: Sequence[Scale]

    def apply(self, values: Float64, context: ImageContext) -> Float64:
        """Rescale image scores (n,), or maps (n, H, W), each by the scale of its image's group.

        Raises
        ------
        ContractError
            The router needs a class or an embedding that is not given.
        DataError
            An image is of a class that calibration did not see.
        """
        return each_image(
            values, context, lambda one, its: self.scales[self.router.group(its)].rescale(one)
        )


def pooled(normals: Normals) -> Grouping:
    """Put all images into one group."""
    return Grouping(np.zeros(len(normals.scores), np.int64), Pooled(), ("the calibration set",))


def by_told_class(normals: Normals, name: str) -> Grouping:
    """One group a class, which is told at `apply` too."""
    groups, classes = _class_groups(normals, name)
    return Grouping(groups, Told(name, classes), _class_titles(classes))


def by_predicted_class(normals: Normals, name: str, *, neighbours: int | None) -> Grouping:
    """One group a class, predicted at `apply` from the embedding.

    Parameters
    ----------
    neighbours
        How many calibration images vote; None for the class with the nearest mean embedding.
    """
    groups, classes = _class_groups(normals, name)
    places = normals.places(name)
    titles = _class_titles(classes)
    if neighbours is not None:
        return Grouping(groups, Vote(name, places, groups, neighbours), titles)
    means = [places[groups == number].mean(axis=0) for number in range(len(classes))]
    return Grouping(groups, NearestCentroid(name, np.stack(means)), titles)


def _class_groups(normals: Normals, name: str) -> tuple[Int64, tuple[str, ...]]:
    given = normals.names(name)
    classes = tuple(sorted(set(given)))
    return np.array([classes.index(c) for c in given], dtype=np.int64), classes


def _class_titles(classes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"class {name!r}" for name in classes)
