from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adharness import DataError, Sample
from adharness.data import file_split, read_split_file
from adharness.engine.division import divide
from adharness.suite.split import SplitSettings

SAMPLES = [
    *(Sample(f"nut/train/good/{i}.png", "nut", "train", 0) for i in range(4)),
    *(Sample(f"nut/test/good/{i}.png", "nut", "test", 0) for i in range(2)),
    *(Sample(f"nut/test/bent/{i}.png", "nut", "test", 1, "bent") for i in range(3)),
]
GOOD: dict[str, Any] = {
    "train": {"images": ["nut/train/good/0.png", "nut/test/good/0.png"], "masks": [None, None]},
    "val": {"images": ["nut/train/good/1.png", "nut/test/bent/2.png"], "labels": [0, 1]},
    "test": {"images": ["nut/test/good/1.png", "nut/test/bent/0.png"], "labels": [0, 1]},
}
Write = Callable[[Any], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(value: Any) -> Path:
        path = tmp_path / "clean.json"
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
        return path

    return write


def nut(**changes: Any) -> dict[str, Any]:
    return {"splits": {"nut": {**GOOD, **changes}}, "metadata": {"seed": 42}}


def bound(*classes: str) -> Any:
    return SimpleNamespace(name="nuts", classes=classes or None)


def test_a_file_decides_and_what_it_leaves_out_is_counted(write: Write) -> None:
    settings = SplitSettings(policy="file", path=write(nut()))
    division = divide(settings, bound(), SAMPLES)
    paths = [s.path for s in division.samples]
    split = division.split
    assert [paths[i] for i in split.train] == ["nut/train/good/0.png", "nut/test/good/0.png"]
    assert [paths[i] for i in split.calibration] == GOOD["val"]["images"]
    assert [paths[i] for i in split.test] == GOOD["test"]["images"]
    assert division.left_out == 3
    assert sorted(split.train + split.calibration + split.test) == list(range(6))


def test_a_limit_counts_by_the_files_portions(write: Write) -> None:
    settings = SplitSettings(policy="file", path=write(nut()))
    split = divide(settings, bound(), SAMPLES, limit=1).split
    assert [len(p) for p in (split.train, split.calibration, split.test)] == [1, 2, 2]


def test_a_folder_holds_one_file_a_data_set(write: Write) -> None:
    path = write(nut())
    path.rename(path.with_name("nuts.json"))
    settings = SplitSettings(policy="file", path=path.parent)
    assert divide(settings, bound(), SAMPLES).left_out == 3
    with pytest.raises(DataError) as caught:
        divide(settings, SimpleNamespace(name="bolts", classes=None), SAMPLES)  # type: ignore[arg-type]
    assert caught.value.where == str(path.with_name("bolts.json"))


ENTRIES: list[tuple[dict[str, Any], str, str]] = [
    ({"train": {"images": ["nut/train/good/9.png"]}}, "lists 'nut/train/good/9.png'", "train[0]"),
    ({"test": {"images": ["../nut/test/good/1.png"]}}, "data set has not", "test[0]"),
    (
        {"test": {"images": ["nut/test/good/1.png", "nut/train/good/1.png"]}},
        "'nut/train/good/1.png' is listed twice, in val and in test",
        "test[1]",
    ),
    (
        {"test": {"images": ["nut/test/good/1.png"] * 2}},
        "'nut/test/good/1.png' is listed twice, in test and in test",
        "test[1]",
    ),
    (
        {"train": {"images": ["nut/train/good/0.png", "nut/test/bent/1.png"]}},
        "'nut/test/bent/1.png' is anomalous, but listed in train",
        "train[1]",
    ),
    (
        {"val": {"images": ["nut/test/bent/2.png"], "labels": [0]}},
        "'nut/test/bent/2.png' has label 1 in the data set, not 0",
        "val[0]",
    ),
]


@pytest.mark.parametrize(("change", "fact", "entry"), ENTRIES, ids=lambda value: str(value)[:40])
def test_a_wrong_entry_is_named(
    write: Write, change: dict[str, Any], fact: str, entry: str
) -> None:
    path = write(nut(**change))
    with pytest.raises(DataError) as caught:
        file_split(SAMPLES, read_split_file(path))
    assert fact in caught.value.message
    portion, number = entry.split("[")
    assert caught.value.where == f"{path}:splits.nut.{portion}.images[{number}"


@pytest.mark.parametrize(
    ("content", "fact", "place"),
    [
        ("{", "is not JSON", ""),
        ('{"splits": {"nut": {}, "nut": {}}}', "the key 'nut' is given twice", ""),
        ({"splits": {"nut": {"tarin": {"images": []}}}}, "Input should be 'train'", "splits.nut"),
        ({"splits": {"nut": {"train": {"images": [3]}}}}, "valid string", "splits.nut.train"),
        ({"splits": {"nut": {"train": {}}}}, "Field required", "splits.nut.train.images"),
        ([], "valid dictionary", ""),
        (nut(val={"images": [], "labels": [0]}), "1 labels for 0 images", "splits.nut.val"),
        ("[" * 100_000, "is not JSON", ""),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_file_of_another_layout_is_an_error(
    write: Write, content: Any, fact: str, place: str
) -> None:
    path = write(content)
    with pytest.raises(DataError) as caught:
        read_split_file(path)
    assert fact in caught.value.message
    assert str(caught.value.where).startswith(f"{path}:{place}" if place else str(path))


def test_a_missing_file_is_an_error_that_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read the split file: No such file") as caught:
        read_split_file(tmp_path / "no.json")
    assert caught.value.where == str(tmp_path / "no.json")


def test_the_classes_of_file_and_set_must_be_the_same_unless_they_are_chosen(write: Write) -> None:
    bolt = Sample("bolt/train/0.png", "bolt", "train", 0)
    file = read_split_file(write(nut()))
    with pytest.raises(DataError, match="class 'bolt' is not in the split file") as caught:
        file_split([*SAMPLES, bolt], file)
    assert caught.value.hint == "choose `classes: [nut]` of the data set"
    more = nut()
    more["splits"]["screw"] = GOOD
    wider = read_split_file(write(more))
    with pytest.raises(DataError, match="a class 'screw', which the data set has not"):
        file_split(SAMPLES, wider)
    assert file_split(SAMPLES, wider, classes=["nut"]) == file_split(SAMPLES, file)


def test_an_image_listed_under_another_class_is_an_error(write: Write) -> None:
    content = {"splits": {"nut": GOOD, "bolt": {"train": {"images": ["nut/train/good/3.png"]}}}}
    bolt = Sample("bolt/train/0.png", "bolt", "train", 0)
    with pytest.raises(DataError, match=r"'nut/train/good/3.png' is of class 'nut', not 'bolt'"):
        file_split([*SAMPLES, bolt], read_split_file(write(content)))


def test_a_class_without_training_images_is_an_error(write: Write) -> None:
    with pytest.raises(DataError, match="'nut' has no training image in the split file"):
        file_split(SAMPLES, read_split_file(write(nut(train={"images": []}))))


def test_a_file_that_divides_a_group_is_an_error(write: Write) -> None:
    views = [Sample(s.path, "nut", s.portion, s.label, s.defect, group="cup") for s in SAMPLES[:2]]
    with pytest.raises(DataError, match="group 'cup' of class 'nut' has images in both train and"):
        file_split([*views, *SAMPLES[2:]], read_split_file(write(nut())))


@pytest.mark.parametrize(
    ("name", "hint"), [("nuts", "did you mean 'nut'?"), ("zebra", "its classes are: nut")]
)
def test_an_unknown_class_is_told_with_the_nearest_or_with_all(name: str, hint: str) -> None:
    with pytest.raises(DataError, match=f"no class '{name}'") as caught:
        divide(SplitSettings(), bound(name), SAMPLES)
    assert caught.value.hint == hint


def test_a_limit_keeps_the_first_of_each_class_portion_and_label() -> None:
    samples = divide(SplitSettings(), bound(), SAMPLES, limit=2).samples
    assert samples == tuple(SAMPLES[i] for i in (0, 1, 4, 5, 6, 7))
    assert divide(SplitSettings(), bound(), SAMPLES).samples == tuple(SAMPLES)
