"""What the sets with lists of their own, and those without labels in their names, can get wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adharness import DataError, DeclaredRegions
from adharness.data import FolderDataset
from adharness_datasets import SETS
from miniatures import BOX, MINIATURES, OTHER, mask, picture, write

FILES = {(m.use, "Data/" in m.image): m.files for m in MINIATURES}
SPECS = {spec.name: spec for spec in SETS}


def read(use: str, root: Path, **params: object) -> FolderDataset:
    spec = SPECS[use]
    made = spec.make(spec.params.model_validate({"root": root, **params}))
    assert isinstance(made, FolderDataset)
    return made


def refusal(dataset: FolderDataset) -> DataError:
    with pytest.raises(DataError) as caught:
        dataset.samples()
    return caught.value


# VisA


@pytest.fixture
def visa(tmp_path: Path) -> Path:
    return write(tmp_path, FILES["visa", True]())


def test_visa_without_its_list_is_not_taken_for_the_converted_layout(visa: Path) -> None:
    shutil.rmtree(visa / "split_csv")
    assert "split_csv/1cls.csv" in refusal(read("visa", visa)).message


@pytest.mark.parametrize(
    ("line", "fact", "where"),
    [
        ("object,split,image,mask", "lacks the column(s) label", ":1"),
        ("pcb1,test,normal,../x.JPG,", "leaves the root", ":2"),
        ("pcb1,test,normal,/x.JPG,", "leaves the root", ":2"),
        ("pcb1,test,normal,pcb1/gone.JPG,", "there is no file", ":2"),
    ],
)
def test_visa_names_the_line_of_its_list_that_is_wrong(
    visa: Path, line: str, fact: str, where: str
) -> None:
    path = visa / "split_csv/1cls.csv"
    header = "" if line.startswith("object") else "object,split,label,image,mask\n"
    path.write_text(f"{header}{line}\n")
    error = refusal(read("visa", visa, classes=["pcb1"]))
    assert fact in error.message
    assert str(error.where) == f"{path}{where}"


def test_the_two_layouts_of_visa_have_the_same_classes_and_labels(
    visa: Path, tmp_path: Path
) -> None:
    converted = write(tmp_path / "1cls", FILES["visa", False]())
    ours, theirs = read("visa", visa).samples(), read("visa", converted).samples()
    told = [(s.class_name, s.portion, s.label) for s in ours]
    assert sorted(told) == sorted((s.class_name, s.portion, s.label) for s in theirs)


# Real-IAD


@pytest.fixture
def real_iad(tmp_path: Path) -> Path:
    return write(tmp_path, FILES["real-iad", False]())


def test_the_five_views_of_a_real_iad_sample_are_a_group(real_iad: Path) -> None:
    samples = read("real-iad", real_iad, classes=["pcb"]).samples()
    assert [s.group for s in samples] == ["OK/S0001"] * 5 + ["OK/S0002"] * 5 + ["NG/HS/S0003"] * 5
    assert {s.defect for s in samples if s.label} == {"HS"}


def test_another_resolution_is_another_folder(real_iad: Path) -> None:
    error = refusal(read("real-iad", real_iad, resolution="256"))
    assert str(real_iad / "realiad_256") in error.message
    assert "realiad_jsons_sv" in refusal(read("real-iad", real_iad, views="single")).message


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        (lambda c: c["test"][5].update(image_path="../../x.jpg"), "leaves the root"),
        (lambda c: c["test"][5].update(mask_path="../x.png"), "leaves the root"),
        (lambda c: c["test"][5].update(image_path="gone.jpg"), "there is no file"),
        (lambda c: c["meta"].update(prefix="../"), "leaves the root"),
        (lambda c: c["train"][0].update(anomaly_class="HS"), "among those that train"),
        (lambda c: c["test"][0].pop("image_path"), "lacks or misplaces 'image_path'"),
        (lambda c: c.pop("train"), "lacks or misplaces 'train'"),
        (lambda c: c.pop("meta"), "lacks or misplaces 'meta'"),
        (lambda c: c.update(test=[3]), "lacks or misplaces"),
    ],
)
def test_a_broken_list_of_real_iad_is_named(real_iad: Path, change: Change, fact: str) -> None:
    path = real_iad / "realiad_jsons/realiad_jsons/pcb.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    error = refusal(read("real-iad", real_iad, classes=["pcb"]))
    assert fact in error.message
    assert str(error.where).startswith(str(path))


def test_a_list_of_real_iad_that_is_no_json_is_named_with_the_line(real_iad: Path) -> None:
    path = real_iad / "realiad_jsons/realiad_jsons/pcb.json"
    path.write_text('{"meta":\n oh')
    assert refusal(read("real-iad", real_iad, classes=["pcb"])).where == f"{path}:2"


# MVTec LOCO and AutoVI


@pytest.mark.parametrize(("use", "name"), [("mvtec-loco", "pushpins"), ("autovi", "pipe_clip")])
def test_regions_are_declared_with_their_saturations(use: str, name: str, tmp_path: Path) -> None:
    dataset = read(use, write(tmp_path, FILES[use, False]()), classes=[name])
    bad = next(s for s in dataset.samples() if s.label)
    ground = dataset.mask(bad)
    assert isinstance(ground, DeclaredRegions)
    assert [int(m.sum()) for m in ground.masks] == [BOX, OTHER]
    assert list(ground.saturations_px) == [BOX // 2, 4]
    before = dataset.fingerprint(bad)
    config = tmp_path / name / "defects_config.json"
    config.write_text(config.read_text().replace("0.5", "0.25"))
    assert dataset.fingerprint(bad) != before


def test_loco_without_its_saturations_is_refused_by_name(tmp_path: Path) -> None:
    root = write(tmp_path, FILES["mvtec-loco", False]())
    (root / "pushpins/defects_config.json").unlink()
    assert "pushpins/defects_config.json" in refusal(read("mvtec-loco", root)).message


# Labels that only the masks tell


def test_a_dagm_mask_that_is_listed_but_lost_is_named_with_its_line(tmp_path: Path) -> None:
    root = write(tmp_path, FILES["dagm", False]())
    (root / "Class3/Train/Label/0000_label.PNG").unlink()
    error = refusal(read("dagm", root))
    assert "Class3/Train/Label/0000_label.PNG" in error.message
    assert error.where == f"{root}/Class3/Train/Label/Labels.txt:2"


def test_a_dagm_list_may_not_lead_out_and_may_be_missing(tmp_path: Path) -> None:
    root = write(tmp_path, FILES["dagm", False]())
    (root / "Class3/Train/Label/Labels.txt").write_text("1 1 ../../../x.PNG\n")
    assert "leaves the root" in refusal(read("dagm", root)).message
    (root / "Class3/Train/Label/Labels.txt").write_bytes(b"\xff\xfe\x00")
    assert "cannot read the list" in refusal(read("dagm", root)).message
    (root / "Class3/Train/Label/Labels.txt").unlink()
    assert len(read("dagm", root).samples()) == 40


def test_the_split_of_kolektor_is_drawn_by_its_seed(tmp_path: Path) -> None:
    root = write(tmp_path, FILES["kolektor-sdd", False]())

    def trained(**params: object) -> set[str]:
        samples = read("kolektor-sdd", root, **params).samples()
        return {s.path for s in samples if s.portion == "train"}

    assert trained() == trained()
    assert trained(seed=3) != trained()
    assert len(trained(train=0.5)) == 5


def test_a_kolektor_mask_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    root = write(tmp_path, FILES["kolektor-sdd2", False]())
    (root / "test/20000_GT.png").write_bytes(picture()[:30])
    assert "20000_GT.png" in refusal(read("kolektor-sdd2", root)).message


@pytest.mark.parametrize(
    ("use", "orphan"),
    [
        ("mvtec-ad", "grid/ground_truth/crack/777_mask.png"),
        ("mvtec-loco", "pushpins/ground_truth/logical_anomalies/777/000.png"),
        ("dagm", "Class3/Test/Label/0777_label.PNG"),
        ("kolektor-sdd2", "test/29999_GT.png"),
        ("mvtec-3d-ad", "rope/test/hole/gt/777.png"),
    ],
)
def test_masks_without_an_image_are_told(use: str, orphan: str, tmp_path: Path) -> None:
    root = write(tmp_path, FILES[use, False]())
    assert not read(use, root).unpaired_masks()
    write(root, {orphan: mask()})
    assert read(use, root).unpaired_masks() == (orphan,)


def test_a_class_of_a_published_set_without_any_mask_is_a_copy_that_stopped(
    tmp_path: Path,
) -> None:
    root = write(tmp_path, FILES["mvtec-ad", False]())
    shutil.rmtree(root / "grid/ground_truth")
    assert "grid/test/crack/000.png has no mask" in refusal(read("mvtec-ad", root)).message
