from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adharness import DataError, Dataset
from adharness.data import make_split
from adharness_datasets.elpv import ELPV, ElpvDataset, ElpvParams


def counts(**params: object) -> Counter[tuple[str, str, int, str]]:
    samples = ELPV.make(ElpvParams.model_validate(params)).samples()
    return Counter((s.class_name, s.portion, s.label, s.defect) for s in samples)


def test_the_installed_set_has_the_published_counts() -> None:
    assert counts() == {
        ("mono", "train", 0, "good"): 412,  # 0.7 x 588 = 411.6
        ("mono", "test", 0, "good"): 176,
        ("mono", "test", 1, "defective"): 313,
        ("poly", "train", 0, "good"): 644,  # 0.7 x 920
        ("poly", "test", 0, "good"): 276,
        ("poly", "test", 1, "defective"): 402,
    }


def test_uncertain_images_can_be_anomalous() -> None:
    found = counts(uncertain="anomalous")
    assert found["mono", "test", 1, "possible"] == 117
    assert found["mono", "test", 1, "likely"] == 56
    assert found["poly", "test", 1, "possible"] == 178
    assert found["poly", "test", 1, "likely"] == 50


def test_uncertain_images_can_be_normal() -> None:
    found = counts(uncertain="normal")
    assert found["mono", "train", 0, "good"] + found["mono", "test", 0, "good"] == 588 + 117 + 56


def test_training_images_are_drawn_by_the_seed_for_each_class_alone() -> None:
    def train(**params: object) -> set[str]:
        samples = ELPV.make(ElpvParams.model_validate(params)).samples()
        return {s.path for s in samples if s.portion == "train" and s.class_name == "mono"}

    assert train() == train(classes=["mono"])
    assert train() != train(seed=1)


def test_an_image_is_grey_in_three_channels_and_has_no_mask() -> None:
    dataset = ELPV.make(ElpvParams())
    sample = dataset.samples()[0]
    image = dataset.image(sample)
    assert image.shape == (300, 300, 3)
    assert (image[:, :, 0] == image[:, :, 2]).all()
    assert dataset.mask(sample) is None
    assert dataset.fingerprint(sample).mask is None


def test_it_is_a_dataset_that_splits_and_whose_pictures_may_not_be_shown() -> None:
    dataset = ELPV.make(ElpvParams())
    assert isinstance(dataset, Dataset)
    assert not dataset.licence.show_pixels
    split = make_split(dataset.samples(), policy="holdout", seed=42)
    assert len(split.train) == 412 - 82 + 644 - 129


@pytest.mark.parametrize(
    ("line", "fact"),
    [("images/a.png 0.5", "is not"), ("images/a.png x mono", "is not"), ("a 7 mono", "outside")],
)
def test_a_broken_line_of_labels_is_named(tmp_path: Path, line: str, fact: str) -> None:
    (tmp_path / "labels.csv").write_text(f"images/b.png 0.0 mono\n{line}\n")
    with pytest.raises(DataError, match=fact) as caught:
        ElpvDataset(ElpvParams(), tmp_path).samples()
    assert str(caught.value.where).endswith("labels.csv:2")


def test_a_missing_label_file_says_how_to_reinstall(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read the labels") as caught:
        ElpvDataset(ElpvParams(), tmp_path).samples()
    assert "pip install" in str(caught.value.hint)


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("images/b.png 0.0 mono\nimages/c.png 0.0 mono\n")
    (tmp_path / "images").mkdir()
    Image.fromarray(np.zeros((3, 3), np.uint8)).save(tmp_path / "images" / "b.png")
    dataset = ElpvDataset(ElpvParams(), tmp_path)
    found, missing = dataset.samples()
    assert dataset.image(found).shape == (3, 3, 3)
    with pytest.raises(DataError, match=r"c\.png"):
        dataset.image(missing)


def test_importing_the_plugin_imports_neither_the_data_package_nor_a_heavy_library() -> None:
    code = (
        "import sys, adharness_datasets; "
        "print([m for m in ('elpv_dataset', 'skimage', 'scipy', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
