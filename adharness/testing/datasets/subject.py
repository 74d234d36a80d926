"""A data set under trial: a few of its samples, of every class, portion and label."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import cycle
from unittest import SkipTest

import numpy as np

from adharness.arrays import AnyArray
from adharness.contracts import Dataset, DatasetSpec, DeclaredRegions, Sample
from adharness.errors import DataError
from adharness.testing.subject import Arrange, ComponentSubject

READ = 12
"""Samples whose pixels are read."""


@dataclass(frozen=True, eq=False)
class DatasetSubject(ComponentSubject[DatasetSpec, Dataset]):
    """A data set with its parameters."""

    @cached_property
    def dataset(self) -> Dataset:
        """Made once, for checks of what it gives."""
        return self.make()

    @cached_property
    def samples(self) -> Sequence[Sample]:
        """All samples; raises SkipTest where there is no data and nobody said where it is."""
        try:
            return self.dataset.samples()
        except DataError as error:
            if self.example:
                raise
            raise SkipTest(f"its data is not here: give examples ({error.message})") from error

    @cached_property
    def some(self) -> Sequence[Sample]:
        """A few samples: one of each kind in turn, until there are enough."""
        kinds: dict[tuple[int, str, str], list[Sample]] = {}
        for sample in self.samples:
            kinds.setdefault((1 - sample.label, sample.portion, sample.class_name), []).append(
                sample
            )
        found = [
            kinds[kind][i]
            for i in range(max(map(len, kinds.values()), default=0))
            for kind in _spread(sorted(kinds))
            if i < len(kinds[kind])
        ]
        return found[:READ]

    def use(self, arrange: Arrange) -> Mapping[str, AnyArray]:  # noqa: ARG002  it is given none
        """Make it, list the samples, and read some."""
        some = self.some
        dataset = self.make()
        listed = dataset.samples()
        found: dict[str, AnyArray] = {"labels": np.array([sample.label for sample in listed])}
        for sample in some:
            found[f"pixels of {sample.path}"] = dataset.image(sample)
            mask = mask_of(dataset, sample)
            if mask is not None:
                found[f"mask of {sample.path}"] = mask
        return found

    def again(self) -> tuple[Callable[[], object], int]:
        """Give the reading of one image after the other."""
        dataset, some = self.dataset, cycle(self.some)
        size = min(dataset.image(sample).nbytes for sample in self.some)
        return lambda: dataset.image(next(some)), max(size, 1024)


def _spread(kinds: Sequence[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """Order kinds so that those of one label and portion do not stand together."""
    first = {kind[:2]: 0 for kind in kinds}
    turns = []
    for kind in kinds:
        turns.append((first[kind[:2]], kind))
        first[kind[:2]] += 1
    return [kind for _, kind in sorted(turns)]


def mask_of(dataset: Dataset, sample: Sample) -> AnyArray | None:
    """Give the mask (H, W) of a sample, the union of its regions where it declares them."""
    found = dataset.mask(sample)
    if not isinstance(found, DeclaredRegions):
        return found
    union: AnyArray = np.any([np.asarray(one) != 0 for one in found.masks], axis=0)
    return union
