from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from adharness import DataError, Dataset, Licence
from adharness.data import MANIFEST
from adharness.data.manifest import ManifestParams
from miniatures import BOX, OTHER, mask, picture, write

HEADER = "path,class,split,label,mask,defect,group"
ROWS = (
    "a b/ü 1.PNG,nut,train,0,,,",
    "ok.png,nut,test,normal,,,7",
    '"with, comma.png",nut,test,anomaly,gt/1.png; gt/2.png,dent,7',
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    names = ("a b/ü 1.PNG", "ok.png", "with, comma.png")
    files = {name: picture() for name in names}
    return write(tmp_path, files | {"gt/1.png": mask(3), "gt/2.png": mask(other=True)})


def read(root: Path, *lines: str, **params: object) -> Dataset:
    (root / "manifest.csv").write_text("\n".join(lines), encoding="utf-8")
    return MANIFEST.make(ManifestParams.model_validate({"root": root, **params}))


def refusal(root: Path, *lines: str) -> DataError:
    with pytest.raises(DataError) as caught:
        read(root, *lines).samples()
    return caught.value


def test_a_csv_file_says_it_all(root: Path) -> None:
    dataset = read(root, HEADER, *ROWS, licence="CC0", show_pixels=True)
    train, good, bad = dataset.samples()
    assert (train.path, train.class_name, train.portion) == ("a b/ü 1.PNG", "nut", "train")
    assert (good.label, good.defect, good.has_mask, good.group) == (0, "good", False, "7")
    assert (bad.label, bad.defect, bad.has_mask, bad.group) == (1, "dent", True, "7")
    assert dataset.licence == Licence("CC0", show_pixels=True)
    ground = dataset.mask(bad)
    assert isinstance(ground, np.ndarray)
    assert ground.sum() == BOX + OTHER
    assert dataset.image(train).shape == (6, 8, 3)


def test_the_hash_of_a_mask_of_several_files_changes_with_each(root: Path) -> None:
    dataset = read(root, HEADER, *ROWS)
    bad = dataset.samples()[-1]
    before = dataset.fingerprint(bad)
    (root / "gt/2.png").write_bytes(mask(7, other=True))
    assert dataset.fingerprint(bad).image == before.image
    assert dataset.fingerprint(bad).mask != before.mask


def test_json_lines_say_the_same(root: Path) -> None:
    rows = [
        {"path": "a b/ü 1.PNG", "split": "train", "label": 0},
        {"path": "ok.png", "split": "val", "label": False},
        {"path": "with, comma.png", "split": "test", "label": 1, "mask": ["gt/1.png", "gt/2.png"]},
    ]
    (root / "list.JSONL").write_text("\n\n".join(map(json.dumps, rows)))
    dataset = MANIFEST.make(ManifestParams(root=root, file="list.JSONL", class_name="bolt"))
    train, held, bad = dataset.samples()
    assert (train.class_name, held.portion, bad.defect) == ("bolt", "validation", "defective")
    ground = dataset.mask(bad)
    assert isinstance(ground, np.ndarray)
    assert ground.sum() == BOX + OTHER


def test_a_list_may_lie_elsewhere_when_its_name_is_absolute(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere.csv"
    other.write_text(f"{HEADER}\n{ROWS[0]}\n", encoding="utf-8-sig")
    dataset = MANIFEST.make(ManifestParams(root=root, file=str(other)))
    assert len(dataset.samples()) == 1
    with pytest.raises(DataError, match="leaves the root"):
        MANIFEST.make(ManifestParams(root=root, file="../list.csv")).samples()


def test_classes_are_chosen_and_an_unknown_one_names_the_closest(root: Path) -> None:
    dataset = read(root, HEADER, *ROWS, classes=["nutt"])
    with pytest.raises(DataError, match="no class 'nutt'") as caught:
        dataset.samples()
    assert "'nut'" in str(caught.value.hint)


def test_missing_columns_are_named_with_the_file_and_what_is_there(root: Path) -> None:
    error = refusal(root, "path,class,fold", "ok.png,nut,train")
    assert error.message == "the list lacks the column(s) split, label"
    assert error.where == f"{root}/manifest.csv:1"
    assert "fold" in str(error.hint)
    assert refusal(root).message.startswith("the list lacks the column(s) path")


@pytest.mark.parametrize(
    ("row", "fact"),
    [
        ("../ok.png,nut,test,0,,,", "leaves the root"),
        ("/ok.png,nut,test,0,,,", "leaves the root"),
        ("ok.png,nut,test,1,../gt/1.png,,", "leaves the root"),
        ("gone.png,nut,test,0,,,", "there is no file"),
        ("ok.png,nut,test,1,gt/9.png,,", "there is no file"),
        ("ok.png,nut,somewhere,0,,,", "unknown split 'somewhere'"),
        ("ok.png,nut,test,maybe,,,", "unknown label 'maybe'"),
        ("ok.png,nut,train,1,,,", "an anomalous image in train"),
        ("a b/ü 1.PNG,nut,test,0,,,", "is listed twice"),
        (",nut,test,0,,,", "names no file"),
        ("ok.png,nut,test", "3 values in a row of 7 columns"),
        ('ok.png,"nut,test,0,,,', "is not CSV"),
    ],
)
def test_a_broken_line_is_named_with_its_number(root: Path, row: str, fact: str) -> None:
    error = refusal(root, HEADER, ROWS[0], row)
    assert fact in error.message
    assert str(error.where) == f"{root}/manifest.csv:3"


@pytest.mark.parametrize(
    ("line", "fact"),
    [("{", "not JSON"), ("[1]", "not an object"), ('{"path": "ok.png"}', "lacks the column"),
     ('{"path": ["ok.png"], "split": "test", "label": 0}', "expected one value")],
)  # fmt: skip
def test_a_broken_json_line_is_named(root: Path, line: str, fact: str) -> None:
    (root / "list.jsonl").write_text(f"\n{line}\n")
    with pytest.raises(DataError, match=fact) as caught:
        MANIFEST.make(ManifestParams(root=root, file="list.jsonl")).samples()
    assert caught.value.where == f"{root}/list.jsonl:2"


def test_a_list_that_is_missing_or_no_text_is_named(root: Path) -> None:
    made = MANIFEST.make(ManifestParams(root=root, file="gone.csv"))
    with pytest.raises(DataError, match=r"gone\.csv"):
        made.samples()
    (root / "manifest.csv").write_bytes(picture())
    with pytest.raises(DataError, match="cannot read the list"):
        MANIFEST.make(ManifestParams(root=root)).samples()


def test_a_link_that_a_list_names_may_not_leave_the_root(root: Path) -> None:
    (root / "out.png").symlink_to("/etc/hostname")
    with pytest.raises(DataError, match="leaves the root"):
        read(root, HEADER, "out.png,nut,test,0,,,").samples()
