from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from adharness import DataError
from adharness.data import GLOBS, FolderDataset
from adharness.data.globs import GlobsParams
from miniatures import BOX, OTHER, mask, picture, write


def read(root: Path, **params: object) -> FolderDataset:
    made = GLOBS.make(GlobsParams.model_validate({"root": root, **params}))
    assert isinstance(made, FolderDataset)
    return made


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {f"{c}/ok/{i:02d}.bmp": picture(kind="BMP") for c in ("nut", "bolt") for i in range(10)}
    files |= {f"{c}/ng/dent/größe 1.JPG": picture(kind="JPEG") for c in ("nut", "bolt")}
    files |= {f"{c}/masks/größe 1_{i}.png": mask(7, other=bool(i)) for c in ("nut", "bolt")
              for i in range(2)}  # fmt: skip
    return write(tmp_path, files)


PATTERNS = {
    "normal": "{class}/ok/*.bmp",
    "anomalous": "{class}/ng/{defect}/*",
    "mask": "{class}/masks/{stem}_*.png",
}


def test_patterns_tell_class_defect_and_masks_and_the_split_is_drawn(root: Path) -> None:
    dataset = read(root, **PATTERNS, train=0.8)
    counts = Counter((s.class_name, s.portion, s.defect) for s in dataset.samples())
    assert counts == {
        (name, *kind): n
        for name in ("bolt", "nut")
        for kind, n in ((("train", "good"), 8), (("test", "good"), 2), (("test", "dent"), 1))
    }
    bad = next(s for s in dataset.samples() if s.label)
    ground = dataset.mask(bad)
    assert isinstance(ground, np.ndarray)
    assert ground.sum() == BOX + OTHER


def test_the_draw_follows_the_seed_and_not_the_other_classes(root: Path) -> None:
    def trained(**params: object) -> set[str]:
        samples = read(root, **PATTERNS, **params).samples()
        return {s.path for s in samples if s.portion == "train" and s.class_name == "nut"}

    assert trained() == trained(classes=["nut"])
    assert trained() != trained(seed=1)


def test_normal_test_images_may_have_patterns_of_their_own(root: Path) -> None:
    dataset = read(
        root, normal="nut/ok/*", normal_test="nut/ok/09.*", validation="nut/ok/08", class_name="x"
    )
    assert Counter(s.portion for s in dataset.samples()) == {
        "train": 8, "validation": 1, "test": 1,
    }  # fmt: skip
    assert {s.class_name for s in dataset.samples()} == {"x"}


def test_images_for_validation_are_not_drawn(root: Path) -> None:
    dataset = read(root, normal="nut/ok/*", validation="nut/ok/0{stem=8}", train=0.8)
    assert [s.path for s in dataset.samples() if s.portion == "validation"] == ["nut/ok/08.bmp"]
    assert Counter(s.portion for s in dataset.samples()) == {
        "train": 7, "validation": 1, "test": 2,
    }  # fmt: skip


def test_without_patterns_of_masks_there_are_none(root: Path) -> None:
    dataset = read(root, normal=PATTERNS["normal"], anomalous=PATTERNS["anomalous"])
    assert not any(s.has_mask for s in dataset.samples())


def test_an_anomaly_without_its_mask_is_named_with_what_was_expected(root: Path) -> None:
    write(root, {"nut/ng/dent/2.png": picture()})
    with pytest.raises(DataError, match=r"dent/2\.png has no mask") as caught:
        read(root, **PATTERNS).samples()
    assert "nut/masks/2_*" in str(caught.value.hint)


def test_a_group_is_remembered(tmp_path: Path) -> None:
    write(tmp_path, {f"ok/item{i}/{view}.png": picture() for i in range(4) for view in range(2)})
    dataset = read(tmp_path, normal="ok/{group}/*", normal_test="ok/{group=item3}/*")
    assert {s.group for s in dataset.samples()} == {"item0", "item1", "item2", "item3"}


def test_masks_that_belong_to_no_anomaly_are_told(root: Path) -> None:
    write(root, {"nut/masks/77_0.png": mask()})
    assert read(root, **PATTERNS).unpaired_masks() == ("nut/masks/77_0.png",)


def test_a_root_without_such_images_is_refused_with_the_patterns(root: Path) -> None:
    with pytest.raises(DataError, match="holds no image") as caught:
        read(root, normal="good/*").samples()
    assert "<root>/good/*" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("params", "fact"),
    [
        ({}, "normal"),
        ({"normal": "../x/*"}, "leaves its folder"),
        ({"normal": "{klass}/*"}, "names 'klass'"),
        ({"normal": "ok/*", "mask": "gt/*.png"}, "no {stem}"),
        ({"normal": []}, "at least 1"),
    ],
)
def test_wrong_patterns_are_refused_before_anything_is_read(
    params: dict[str, object], fact: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        GlobsParams.model_validate(params)
    assert fact in str(caught.value)
