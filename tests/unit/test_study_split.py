"""The study's lists, as digests of the names in the `clean_splits.json` of its repository."""

from __future__ import annotations

from hashlib import sha256

import pytest

from adharness import Sample
from adharness.data import study_split

COUNTS = {
    "hazelnut": (391, {"crack": 18, "cut": 17, "good": 40, "hole": 18, "print": 17}),
    "carpet": (
        280,
        {"color": 19, "cut": 17, "good": 28, "hole": 17, "metal_contamination": 17, "thread": 19},
    ),
    "zipper": (
        240,
        {"broken_teeth": 19, "combined": 16, "fabric_border": 17, "fabric_interior": 16,
         "good": 32, "rough": 17, "split_teeth": 18, "squeezed_teeth": 16},
    ),
}  # fmt: skip
"""Images of MVTec AD: for training, and for testing by folder."""

LISTS = {
    "hazelnut": {
        "train": (312, 0, "a807064e9762df51"),
        "calibration": (100, 21, "d7e3cc5169905eb3"),
        "test": (89, 49, "e48a72a226d28ebe"),
    },
    "carpet": {
        "train": (224, 0, "c0ec3e84cdf392d4"),
        "calibration": (82, 26, "1f4ab72776d14330"),
        "test": (91, 63, "fa4d4deee15d2951"),
    },
    "zipper": {
        "train": (192, 0, "a6536033c02d1e4a"),
        "calibration": (83, 35, "efd92e1cdf37cbde"),
        "test": (116, 84, "30d978c5cc3b4fe9"),
    },
}
"""Of each portion: images, anomalous ones, and 16 digits of the SHA-256 of the sorted paths,
joined by line ends."""


def listing() -> list[Sample]:
    """The three classes as MVTec AD names its files, in no helpful order."""
    samples = [
        Sample(f"{name}/train/good/{i:03d}.png", name, "train", 0)
        for name, (train, _) in COUNTS.items()
        for i in range(train)
    ]
    samples += [
        Sample(
            f"{name}/test/{defect}/{i:03d}.png", name, "test", 0 if defect == "good" else 1, defect
        )
        for name, (_, tests) in COUNTS.items()
        for defect, count in tests.items()
        for i in range(count)
    ]
    return samples[::-1]


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("portion", ["train", "calibration", "test"])
def test_the_studys_split_is_reproduced_file_for_file(name: str, portion: str) -> None:
    samples = listing()
    found = [samples[i] for i in getattr(study_split(samples), portion)]
    its = [s for s in found if s.class_name == name]
    names = "\n".join(sorted(s.path for s in its))
    told = (len(its), sum(s.label for s in its), sha256(names.encode()).hexdigest()[:16])
    assert told == LISTS[name][portion]


def test_another_seed_draws_other_images() -> None:
    samples = listing()
    assert study_split(samples, seed=43) != study_split(samples)


def test_folders_are_sorted_before_the_names_in_them() -> None:
    # As whole paths `cut-2/0` sorts before `cut/0`, for `-` comes before `/`.
    def split(*defects: str) -> list[int]:
        samples = [Sample(f"a/train/{i}", "a", "train", 0) for i in range(10)]
        samples += [Sample(f"a/test/{d}/{i}", "a", "test", 1, d) for d in defects for i in range(9)]
        return [i for i in study_split(samples).calibration if samples[i].label]

    assert split("cut", "cut-2") == split("cut", "cut1")
