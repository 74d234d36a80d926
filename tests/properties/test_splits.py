from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adharness import DataError, Sample, SuiteError
from adharness.data import Split, make_split
from split_cases import DEFECTS, class_of_samples, plain

SHARES = {"normal": st.floats(0, 0.5), "anomalous": st.floats(0, 0.9), "seed": st.integers(0, 9)}
COMMON = settings(max_examples=60, deadline=None)


def named(samples: list[Sample], split: Split, class_name: str) -> list[list[str]]:
    """The paths of one class in each portion, sorted."""
    return [
        sorted(samples[i].path for i in portion if samples[i].class_name == class_name)
        for portion in (split.train, split.calibration, split.test)
    ]


@COMMON
@given(a=class_of_samples("a"), b=class_of_samples("b"), **SHARES)
def test_a_split_is_disjoint_complete_and_deterministic(
    a: list[Sample], b: list[Sample], normal: float, anomalous: float, seed: int
) -> None:
    samples = a + b
    split = make_split(samples, policy="holdout", normal=normal, anomalous=anomalous, seed=seed)
    assert sorted(split.train + split.calibration + split.test) == list(range(len(samples)))
    assert split == make_split(
        samples, policy="holdout", normal=normal, anomalous=anomalous, seed=seed
    )
    assert all(samples[i].portion == "train" for i in split.train)
    assert all(samples[i].portion == "test" for i in split.test)
    assert not any(samples[i].portion == "test" and samples[i].label == 0
                   and samples[i].group is None for i in split.calibration)  # fmt: skip


@COMMON
@given(a=class_of_samples("a"), b=class_of_samples("b"), c=class_of_samples("c"), **SHARES)
def test_a_class_is_split_the_same_whatever_the_other_classes(
    a: list[Sample],
    b: list[Sample],
    c: list[Sample],
    normal: float,
    anomalous: float,
    seed: int,
) -> None:
    def of_b(samples: list[Sample]) -> list[list[str]]:
        split = make_split(samples, policy="holdout", normal=normal, anomalous=anomalous, seed=seed)
        return named(samples, split, "b")

    assert of_b(b) == of_b(a + b) == of_b(c + b + a)


@COMMON
@given(a=class_of_samples("a"), **SHARES, order=st.randoms(use_true_random=False))
def test_the_order_of_the_samples_does_not_matter(
    a: list[Sample], normal: float, anomalous: float, seed: int, order: object
) -> None:
    shuffled = list(a)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    splits = [
        named(
            s, make_split(s, policy="holdout", normal=normal, anomalous=anomalous, seed=seed), "a"
        )
        for s in (a, shuffled)
    ]
    assert splits[0] == splits[1]


@COMMON
@given(a=class_of_samples("a"), **SHARES)
def test_groups_never_straddle_two_portions(
    a: list[Sample], normal: float, anomalous: float, seed: int
) -> None:
    split = make_split(a, policy="holdout", normal=normal, anomalous=anomalous, seed=seed)
    homes: dict[str, set[str]] = {}
    for name in ("train", "calibration", "test"):
        for i in getattr(split, name):
            if a[i].group is not None:
                homes.setdefault(str(a[i].group), set()).add(name)
    assert all(len(home) == 1 for home in homes.values())


@COMMON
@given(a=class_of_samples("a"), **SHARES)
def test_training_images_do_not_depend_on_test_images_or_their_labels(
    a: list[Sample], normal: float, anomalous: float, seed: int
) -> None:
    flipped = [
        replace(s, label=1 - s.label, defect="good" if s.label else "crack")
        if s.portion == "test"
        else s
        for s in a
    ]
    fewer = [s for s in a if s.portion != "test"]
    trains = [
        named(
            s, make_split(s, policy="holdout", normal=normal, anomalous=anomalous, seed=seed), "a"
        )[0]
        for s in (a, flipped, fewer)
    ]
    assert trains[0] == trains[1] == trains[2]


@COMMON
@given(
    counts=st.lists(st.integers(1, 12), min_size=3, max_size=3),
    share=st.floats(0, 0.95),
    seed=st.integers(0, 5),
)
def test_anomalies_are_taken_in_proportion_by_defect(
    counts: list[int], share: float, seed: int
) -> None:
    samples = [Sample("t/0", "a", "train", 0), Sample("t/1", "a", "train", 0)] + [
        Sample(f"{defect}/{i}", "a", "test", 1, defect)
        for defect, count in zip(DEFECTS, counts, strict=True)
        for i in range(count)
    ]
    split = make_split(samples, policy="holdout", normal=0, anomalous=share, seed=seed)
    taken = Counter(samples[i].defect for i in split.calibration)
    expected = min(int(sum(counts) * share + 0.5 + 1e-9), sum(counts) - 1)
    assert sum(taken.values()) == expected
    for defect, count in zip(DEFECTS, counts, strict=True):
        assert abs(taken[defect] - count * share) <= 1.0 + 1e-9
    assert any(samples[i].label == 1 for i in split.test)


def test_holdout_takes_the_shares_it_was_given() -> None:
    split = make_split(plain(validation=4), policy="holdout", normal=0.2, anomalous=0.3, seed=0)
    assert (len(split.train), len(split.calibration), len(split.test)) == (8, 2 + 4 + 3, 12)


def test_different_seeds_hold_out_different_images() -> None:
    splits = [make_split(plain(), policy="holdout", seed=seed) for seed in range(8)]
    assert len({split.train for split in splits}) > 4
    assert len({split.test for split in splits}) > 4


def test_a_small_share_still_holds_out_one_normal() -> None:
    split = make_split(plain(train=3), policy="holdout", normal=0.01, anomalous=0, seed=0)
    assert len(split.calibration) == 1


def test_official_keeps_the_owners_portions() -> None:
    split = make_split(plain(validation=4), policy="official")
    assert (len(split.train), len(split.calibration), len(split.test)) == (10, 4, 15)


def test_official_without_validation_names_the_class_and_points_to_holdout() -> None:
    samples = plain("a", validation=2) + plain("b")
    with pytest.raises(DataError, match="no validation images") as caught:
        make_split(samples, policy="official")
    assert caught.value.message.endswith(" for b")
    assert "policy: holdout" in str(caught.value.hint)


def test_a_class_that_would_keep_no_training_image_is_an_error() -> None:
    with pytest.raises(DataError, match=r"'a' has 1 training image.*leave none"):
        make_split(plain(train=1), policy="holdout", normal=0.2)


def test_a_class_without_training_images_is_an_error() -> None:
    with pytest.raises(DataError, match="'a' has no training image"):
        make_split(plain(train=0), policy="holdout", normal=0)


def test_an_anomalous_training_image_is_an_error() -> None:
    bad = Sample("a/train/x", "a", "train", 1, "bent")
    with pytest.raises(DataError, match="'a/train/x' is anomalous, but lies in train"):
        make_split([*plain(), bad], policy="holdout")


def test_a_group_in_two_portions_of_the_set_is_an_error() -> None:
    views = [
        Sample("a/train/x", "a", "train", 0, group="cup 1"),
        Sample("a/test/x", "a", "test", 0, group="cup 1"),
    ]
    with pytest.raises(DataError, match="group 'cup 1' of class 'a' has images in both"):
        make_split([*plain(), *views], policy="holdout")


@pytest.mark.parametrize("share", [-0.1, 1.0, 20.0, float("nan")])
def test_a_share_outside_zero_to_one_is_an_error(share: float) -> None:
    with pytest.raises(SuiteError, match=r"split\.calibration\.normal is"):
        make_split(plain(), policy="holdout", normal=share)


def test_an_unknown_policy_is_an_error() -> None:
    with pytest.raises(SuiteError, match="unknown split policy 'random'"):
        make_split(plain(), policy="random")  # type: ignore[arg-type]


def test_no_samples_give_an_empty_split() -> None:
    assert make_split([], policy="holdout") == Split((), (), ())
