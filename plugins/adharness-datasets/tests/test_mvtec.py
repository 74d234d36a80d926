from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import pytest
from PIL import Image

import adharness_datasets
from adharness import DataError, Dataset, DatasetSpec
from adharness_datasets.mvtec import COUNTS, MVTEC_AD, MvtecAdParams


def make_class(folder: Path) -> None:
    for place in ("train/good", "test/good", "test/crack", "ground_truth/crack"):
        (folder / place).mkdir(parents=True)
        name = "000_mask.png" if place.startswith("ground") else "000.png"
        Image.new("L", (4, 4), 1).save(folder / place / name)


def test_the_plugin_is_found_and_yields_two_records() -> None:
    found = {e.name: e.value for e in entry_points(group="adharness")}
    assert found["datasets"] == "adharness_datasets"
    specs = list(adharness_datasets.adharness_datasets())
    assert [spec.name for spec in specs] == ["elpv", "mvtec-ad"]
    assert all(isinstance(spec, DatasetSpec) and spec.citation and spec.url for spec in specs)


def test_the_counts_add_up_to_the_papers_totals() -> None:
    assert len(COUNTS) == 15
    totals = tuple(sum(column) for column in zip(*COUNTS.values(), strict=True))
    assert totals == (3629, 467, 1258)


def test_a_complete_tree_is_read_and_other_folders_are_not(tmp_path: Path) -> None:
    for name in (*COUNTS, "my_results"):
        make_class(tmp_path / name)
    dataset = MVTEC_AD.make(MvtecAdParams(root=tmp_path))
    assert isinstance(dataset, Dataset)
    assert {s.class_name for s in dataset.samples()} == set(COUNTS)
    assert not dataset.licence.show_pixels


def test_some_classes_can_be_asked_for_by_name(tmp_path: Path) -> None:
    make_class(tmp_path / "grid")
    dataset = MVTEC_AD.make(MvtecAdParams(root=tmp_path, classes=("grid",)))
    assert len(dataset.samples()) == 3


def test_a_partial_tree_names_what_is_missing(tmp_path: Path) -> None:
    for name in sorted(COUNTS)[:-1]:
        make_class(tmp_path / name)
    with pytest.raises(DataError, match="1 of the 15 classes of 'mvtec-ad' are missing: zipper"):
        MVTEC_AD.make(MvtecAdParams(root=tmp_path)).samples()


@pytest.mark.parametrize("root", [None, Path("no/such/folder")])
def test_a_missing_root_names_the_folder_its_layout_and_the_source(root: Path | None) -> None:
    with pytest.raises(DataError, match="mvtec_anomaly_detection") as caught:
        MVTEC_AD.make(MvtecAdParams(root=root)).samples()
    for expected in ("mvtec.com", "--data-root", "<class>/train/good"):
        assert expected in str(caught.value)
