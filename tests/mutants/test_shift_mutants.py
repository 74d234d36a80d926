"""Shifts that are wrong in one choice, each rejected by a property that ours has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from adharness.contracts import ContentHash, Sample
from adharness.corruptions import Shift
from adharness.data import TexturesDataset, TexturesParams
from adharness.data.partition import Split
from adharness.data.shifted import ShiftedDataset
from adharness.engine.parts import parts_of
from adharness.engine.survey import Survey
from adharness.suite.bound import BoundDataset

PARAMS = TexturesParams(train=3, good=2, per_defect=1, size=32, classes=("brick",))


def clean_survey() -> Survey:
    dataset = TexturesDataset(PARAMS)
    samples = dataset.samples()
    train = [i for i, s in enumerate(samples) if s.portion == "train"]
    tested = [i for i, s in enumerate(samples) if s.portion == "test"]
    bound: Any = BoundDataset("textures", None, None)  # type: ignore[arg-type]
    hashes = tuple(dataset.fingerprint(s) for s in samples)
    # An anomalous image of the set's test portion calibrates, as under `holdout`.
    split = Split(tuple(train[1:]), (train[0], tested[0]), tuple(tested[1:]))
    return Survey(bound, dataset, samples, hashes, split, ("brick",))


def shifted_survey(corruption: str = "noise", seed: int = 0) -> Survey:
    clean = clean_survey()
    bound = replace(clean.bound, name="x", shift=Shift(corruption, 5, seed), origin="textures")
    assert bound.shift is not None
    return clean.shifted(bound, bound.shift)


def trains_and_calibrates_clean() -> bool:
    clean, shifted = clean_survey(), shifted_survey()
    for i in (*clean.split.train, *clean.split.calibration):
        sample = clean.samples[i]
        same = np.array_equal(clean.dataset.image(sample), shifted.dataset.image(sample))
        if not same or clean.hashes[i] != shifted.hashes[i]:
            return False
    return True


def judges_corrupted_images() -> bool:
    clean, shifted = clean_survey(), shifted_survey()
    return all(
        not np.array_equal(clean.dataset.image(s), shifted.dataset.image(s))
        for s in (clean.samples[i] for i in clean.split.test)
    )


def does_not_depend_on_the_order() -> bool:
    first, second = shifted_survey(), shifted_survey()
    tested = [first.samples[i] for i in first.split.test]
    forwards = {s.path: first.dataset.image(s) for s in tested}
    return all(np.array_equal(forwards[s.path], second.dataset.image(s)) for s in reversed(tested))


def tells_seeds_apart() -> bool:
    hashes = [shifted_survey(seed=seed).hashes for seed in (0, 1)]
    return all(hashes[0][i] != hashes[1][i] for i in clean_survey().split.test)


def moves_masks_with_images() -> bool:
    clean, shifted = clean_survey(), shifted_survey("affine")
    bad = [clean.samples[i] for i in clean.split.test if clean.samples[i].label]
    return any(not np.array_equal(clean.dataset.mask(s), shifted.dataset.mask(s)) for s in bad)


def reuses_clean_features() -> bool:
    clean, shifted = clean_survey(), shifted_survey()
    first, *others = parts_of(shifted)
    (own,) = parts_of(clean)
    same = [first.survey.hashes[i] for i in first.positions] == [
        own.survey.hashes[i] for i in own.positions
    ]
    return same and sum(len(part.positions) for part in others) == len(clean.split.test)


def _everything(self: Survey, bound: BoundDataset, shift: Shift) -> Survey:
    paths = frozenset(s.path for s in self.samples)
    dataset = ShiftedDataset(self.dataset, shift, paths)
    hashes = tuple(dataset.fingerprint(s) for s in self.samples)
    return replace(self, bound=bound, dataset=dataset, hashes=hashes, clean=self)


def _by_portion(self: Survey, bound: BoundDataset, shift: Shift) -> Survey:
    paths = frozenset(s.path for s in self.samples if s.portion == "test")
    dataset = ShiftedDataset(self.dataset, shift, paths)
    hashes = tuple(dataset.fingerprint(s) for s in self.samples)
    return replace(self, bound=bound, dataset=dataset, hashes=hashes, clean=self)


def _unrelated(self: Survey, bound: BoundDataset, shift: Shift) -> Survey:
    return replace(OURS(self, bound, shift), clean=None)


OURS = Survey.shifted


def _nothing(self: Survey, bound: BoundDataset, shift: Shift) -> Survey:
    return replace(self, bound=bound, clean=self)


SHARED = np.random.default_rng(0)


def _seedless(self: ShiftedDataset, sample: Sample, clean: ContentHash) -> ContentHash:
    return ContentHash(f"{clean.image} {sample.path}", clean.mask)


def _unmoved(self: ShiftedDataset, sample: Sample) -> Any:
    return self._clean.mask(sample)


@dataclass(frozen=True)
class Mutant:
    where: Any
    name: str
    wrong: Callable[..., Any]
    holds: Callable[[], bool]


MUTANTS = {
    "training images are corrupted too": Mutant(
        Survey, "shifted", _everything, trains_and_calibrates_clean
    ),
    "held-out anomalies are corrupted too": Mutant(
        Survey, "shifted", _by_portion, trains_and_calibrates_clean
    ),
    "nothing is corrupted": Mutant(Survey, "shifted", _nothing, judges_corrupted_images),
    "one generator for all images": Mutant(
        ShiftedDataset, "_rng", lambda *_: SHARED, does_not_depend_on_the_order
    ),
    "the fingerprint forgets the seed": Mutant(
        ShiftedDataset, "shifted_hash", _seedless, tells_seeds_apart
    ),
    "masks stay where they were": Mutant(ShiftedDataset, "mask", _unmoved, moves_masks_with_images),
    "clean images are extracted again": Mutant(
        Survey, "shifted", _unrelated, reuses_clean_features
    ),
}


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_a_wrong_shift_is_rejected_and_ours_is_not(mutant, monkeypatch):
    assert mutant.holds()
    monkeypatch.setattr(mutant.where, mutant.name, mutant.wrong)
    assert not mutant.holds()
