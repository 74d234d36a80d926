from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adharness import DataError, Sample, SuiteError
from adharness.data import (
    Split,
    file_split,
    fold_split,
    make_split,
    read_split_file,
    split_document,
    study_split,
)
from split_cases import class_of_samples, plain

COMMON = settings(max_examples=60, deadline=None)
Divide = Callable[[list[Sample], int], Split]
POLICIES: dict[str, Divide] = {
    "holdout": lambda samples, seed: make_split(samples, policy="holdout", seed=seed),
    "study": lambda samples, seed: study_split(samples, seed=seed),
    "k-fold": lambda samples, seed: fold_split(samples, folds=3, fold=1, seed=seed),
}
EVERY = pytest.mark.parametrize("divide", POLICIES.values(), ids=POLICIES)


def portions(samples: list[Sample], split: Split) -> dict[str, str]:
    """Path -> portion; fails where an image is in two."""
    homes: dict[str, str] = {}
    for name in ("train", "calibration", "test"):
        for i in getattr(split, name):
            assert homes.setdefault(samples[i].path, name) == name
    return homes


@EVERY
@COMMON
@given(a=class_of_samples("a", train=3), b=class_of_samples("b", train=3), seed=st.integers(0, 9))
def test_every_image_is_in_one_portion_and_no_group_is_divided(
    divide: Divide, a: list[Sample], b: list[Sample], seed: int
) -> None:
    samples = a + b
    homes = portions(samples, divide(samples, seed))
    assert len(homes) == len(samples)
    of_group: dict[tuple[str, str], set[str]] = {}
    for s in samples:
        if s.group is not None:
            of_group.setdefault((s.class_name, s.group), set()).add(homes[s.path])
    assert all(len(its) == 1 for its in of_group.values())
    assert not any(homes[s.path] == "train" and s.label == 1 for s in samples)
    assert all(homes[s.path] == "calibration" for s in samples if s.portion == "validation")


@EVERY
@COMMON
@given(
    a=class_of_samples("a", train=3),
    b=class_of_samples("b", train=3),
    order=st.randoms(use_true_random=False),
)
def test_neither_the_order_nor_another_class_changes_a_split(
    divide: Divide, a: list[Sample], b: list[Sample], order: object
) -> None:
    mixed = a + b
    order.shuffle(mixed)  # type: ignore[attr-defined]
    alone, among = portions(a, divide(a, 7)), portions(mixed, divide(mixed, 7))
    assert alone == {s.path: among[s.path] for s in a}


@COMMON
@given(a=class_of_samples("a", train=5), folds=st.integers(2, 5), seed=st.integers(0, 9))
def test_over_all_folds_each_normal_calibrates_once_and_the_test_images_stay(
    a: list[Sample], folds: int, seed: int
) -> None:
    splits = [fold_split(a, folds=folds, fold=i, seed=seed) for i in range(folds)]
    held = [
        {i for i in s.calibration if a[i].portion == "train"} for s in splits
    ]  # fmt: skip
    assert sorted(i for fold in held for i in fold) == [
        i for i, s in enumerate(a) if s.portion == "train"
    ]
    assert len({s.test for s in splits}) == 1
    assert splits[0].test == make_split(a, policy="holdout", seed=seed).test


@EVERY
@COMMON
@given(a=class_of_samples("a", train=3), b=class_of_samples("b", train=3))
def test_a_split_written_and_read_is_the_same_split(
    divide: Divide, a: list[Sample], b: list[Sample]
) -> None:
    samples = a + b
    split = divide(samples, 3)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "split.json"
        path.write_text(json.dumps(split_document(samples, split, {})), encoding="utf-8")
        assert file_split(samples, read_split_file(path)) == split
    backwards = samples[::-1]
    assert split_document(backwards, divide(backwards, 3), {}) == split_document(samples, split, {})


def test_folds_differ_by_at_most_one_in_size() -> None:
    held = [len(fold_split(plain(train=11, bad=0), folds=4, fold=i, seed=0).calibration)
            for i in range(4)]  # fmt: skip
    assert sorted(held) == [2, 3, 3, 3]


def test_more_folds_than_training_images_is_an_error() -> None:
    with pytest.raises(DataError, match=r"'a' has 4 training .* fewer than the 5 folds") as caught:
        fold_split(plain(train=4), seed=0)
    assert caught.value.hint == "lower split.folds, or leave this class out"


@pytest.mark.parametrize(("folds", "fold"), [(5, 5), (5, -1), (1, 0)])
def test_a_fold_that_does_not_exist_is_an_error(folds: int, fold: int) -> None:
    with pytest.raises(SuiteError, match=f"split.fold is {fold} of {folds} folds"):
        fold_split(plain(), folds=folds, fold=fold, seed=0)


def test_the_studys_rule_cuts_its_shares_where_holdout_rounds_them() -> None:
    split = study_split(plain(train=9, bad=9))
    assert (len(split.train), len(split.calibration), len(split.test)) == (7, 2 + 2, 5 + 7)
    with pytest.raises(DataError, match="would leave none to train on"):
        study_split(plain(train=1))
