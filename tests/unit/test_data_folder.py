from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from adharness import DataError, Dataset, Licence
from adharness.data import FOLDER, MVTEC, FolderDataset, FolderParams, FolderSource

ANY = FolderSource("folder", Licence("mine"), MVTEC)


def picture(path: Path, *, size: tuple[int, int] = (6, 4), value: int = 9) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, value).save(path)
    return path


def make_class(folder: Path, *, masks: bool = True) -> None:
    picture(folder / "train/good/000.png")
    picture(folder / "train/good/001.PNG")
    picture(folder / "test/good/000.png")
    picture(folder / "test/crack/000.png")
    if masks:
        picture(folder / "ground_truth/crack/000_mask.png", value=255)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_class(tmp_path / "set" / "nut")
    make_class(tmp_path / "set" / "bolt")
    return tmp_path / "set"


def read(root: Path | None, *classes: str) -> FolderDataset:
    return FolderDataset(root, ANY, classes or None)


def test_it_is_a_dataset_made_from_its_spec(root: Path) -> None:
    made = FOLDER.make(FolderParams(root=root, show_pixels=True, licence="CC0"))
    assert isinstance(made, Dataset)
    assert made.licence == Licence("CC0", show_pixels=True)
    assert len(made.samples()) == 8


def test_the_root_is_no_part_of_the_identity(root: Path) -> None:
    assert FolderParams(root=root).identity() == FolderParams().identity() == {"classes": None}


def test_samples_are_sorted_by_class_portion_defect_and_name(root: Path) -> None:
    assert [s.path for s in read(root).samples()][:4] == [
        "bolt/train/good/000.png",
        "bolt/train/good/001.PNG",
        "bolt/test/crack/000.png",
        "bolt/test/good/000.png",
    ]
    crack = read(root).samples()[2]
    assert (crack.class_name, crack.portion, crack.label) == ("bolt", "test", 1)
    assert (crack.defect, crack.has_mask) == ("crack", True)


def test_images_masks_and_hashes_come_from_the_files(root: Path) -> None:
    dataset = read(root)
    crack, good = dataset.samples()[2:4]
    assert dataset.image(crack).shape == (4, 6, 3)
    mask = dataset.mask(crack)
    assert mask is not None
    assert mask.shape == (4, 6)
    assert dataset.mask(good) is None
    assert dataset.fingerprint(crack).mask is not None
    before = dataset.fingerprint(good)
    assert before.mask is None
    picture(root / good.path, value=10)
    assert dataset.fingerprint(good) != before


def test_masks_pair_by_stem_with_or_without_the_suffix_and_whatever_the_ending(root: Path) -> None:
    picture(root / "nut/test/dent/a b ü.jpg")
    picture(root / "nut/ground_truth/dent/a b ü.bmp", value=1)
    dent = next(s for s in read(root).samples() if s.defect == "dent")
    assert dent.path == "nut/test/dent/a b ü.jpg"
    mask = read(root).mask(dent)
    assert mask is not None
    assert mask.all()


def test_stray_and_hidden_files_and_folders_are_ignored(root: Path) -> None:
    expected = read(root).samples()
    (root / "license.txt").write_text("free")
    (root / "nut" / "train" / "good" / "Thumbs.db").write_bytes(b"x")
    picture(root / "nut/train/good/.000.png")
    picture(root / "nut/test/.cache/000.png")
    picture(root / ".git/train/good/000.png")
    picture(root / "docs/figure.png")
    picture(root / "nut/train/good/deeper/000.png")
    assert read(root).samples() == expected


def test_validation_images_are_their_own_portion(root: Path) -> None:
    picture(root / "nut/validation/good/000.png")
    portions = [s.portion for s in read(root, "nut").samples()]
    assert portions.count("validation") == 1


def test_a_root_that_is_one_class_is_read_as_that_class(root: Path) -> None:
    samples = read(root / "nut").samples()
    assert {s.class_name for s in samples} == {"nut"}
    assert samples[0].path == "train/good/000.png"


def test_classes_are_chosen_by_name(root: Path) -> None:
    assert {s.class_name for s in read(root, "nut").samples()} == {"nut"}


def test_symlink_loops_where_no_image_can_be_are_not_entered(root: Path) -> None:
    (root / "nut/train/good/loop").symlink_to(root, target_is_directory=True)
    (root / "self").symlink_to(root / "self")
    assert len(read(root).samples()) == 8


def test_no_root_says_what_to_type_and_draws_the_layout() -> None:
    with pytest.raises(DataError, match="none was given") as caught:
        read(None).samples()
    assert "--data-root" in str(caught.value)
    assert "ground_truth/<defect>" in str(caught.value)


def test_a_missing_root_says_where_the_data_comes_from(tmp_path: Path) -> None:
    source = FolderSource("x", Licence("mine"), MVTEC, "called xs", "Ask Ann for it")
    with pytest.raises(DataError, match="called xs") as caught:
        FolderDataset(tmp_path / "gone", source).samples()
    assert str(tmp_path / "gone") in caught.value.message
    assert "Ask Ann" in str(caught.value.hint)


def test_a_root_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a folder"):
        read(picture(tmp_path / "a.png")).samples()


def test_a_root_without_classes_is_an_error_that_finds_the_folder_meant(root: Path) -> None:
    with pytest.raises(DataError, match="holds no class") as caught:
        read(root.parent).samples()
    assert caught.value.hint == f"did you mean {root}?"


def test_an_empty_root_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no class"):
        read(tmp_path).samples()


def test_an_empty_class_folder_is_an_error(root: Path) -> None:
    (root / "washer").mkdir()
    with pytest.raises(DataError, match="'washer' has no image in train/good/"):
        read(root).samples()


def test_a_class_without_training_images_is_an_error(root: Path) -> None:
    shutil.rmtree(root / "nut/train/good")
    with pytest.raises(DataError, match="'nut' has no image in train/good/"):
        read(root).samples()


def test_a_class_without_test_images_is_an_error(root: Path) -> None:
    shutil.rmtree(root / "nut/test")
    with pytest.raises(DataError, match="'nut' has no image in test/"):
        read(root).samples()


def test_an_unknown_class_names_the_closest(root: Path) -> None:
    with pytest.raises(DataError, match="no class 'bold'") as caught:
        read(root, "bold").samples()
    assert "did you mean 'bolt'?" in str(caught.value.hint)


def test_a_complete_set_may_not_lack_a_class_unless_classes_are_listed(root: Path) -> None:
    source = FolderSource("x", Licence("mine"), MVTEC, classes=("bolt", "nut", "washer"))
    with pytest.raises(DataError, match="1 of the 3 classes of 'x' are missing: washer"):
        FolderDataset(root, source).samples()
    assert len(FolderDataset(root, source, ("bolt",)).samples()) == 4


def test_an_anomalous_image_without_its_mask_is_named(root: Path) -> None:
    picture(root / "nut/test/crack/007.png")
    with pytest.raises(DataError, match=r"crack/007\.png has no mask") as caught:
        read(root).samples()
    assert "007_mask.png" in str(caught.value.hint)


def test_a_class_without_ground_truth_has_no_masks_and_that_is_fine(root: Path) -> None:
    shutil.rmtree(root / "nut/ground_truth")
    dataset = read(root)
    nuts = [s for s in dataset.samples() if s.class_name == "nut"]
    assert not any(s.has_mask for s in nuts)
    assert all(dataset.mask(s) is None for s in nuts)


def test_a_mask_of_another_size_names_both_sizes(root: Path) -> None:
    picture(root / "nut/ground_truth/crack/000_mask.png", size=(3, 2))
    dataset = read(root, "nut")
    with pytest.raises(DataError, match=r"3 x 2 pixels.* is 6 x 4"):
        dataset.mask(dataset.samples()[2])


def test_an_unreadable_image_is_named(root: Path) -> None:
    (root / "nut/train/good/000.png").write_bytes(b"")
    dataset = read(root, "nut")
    with pytest.raises(DataError, match=r"'000\.png' is empty"):
        dataset.image(dataset.samples()[0])


def test_the_guide_tells_the_layout_that_is_read_and_its_example_makes_a_record() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "data.md").read_text("utf-8")
    plain = guide.replace("000_mask", "<stem>_mask").replace("000.png", "<stem>.png")
    assert all(line in plain for line in MVTEC.drawing.splitlines()[:5])
    example: dict[str, Any] = {}
    exec(guide.split("```python\n")[1].split("```")[0], example)
    assert example["MY_SET"].expected.counts["nut"].train == 220
