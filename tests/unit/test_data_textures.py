from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from adharness import DataError, Dataset, Sample
from adharness.data import TEXTURES, TexturesDataset, TexturesParams
from adharness.data.defects import DEFECTS

SMALL = TexturesParams(train=2, good=2, per_defect=2, size=64)


def test_the_default_set_has_forty_training_and_fifty_test_images_a_class() -> None:
    samples = TEXTURES.make(TexturesParams()).samples()
    for name in ("brick", "grass", "gravel"):
        portions = [s.portion for s in samples if s.class_name == name]
        assert (portions.count("train"), portions.count("test")) == (40, 50)
    assert len({s.path for s in samples}) == len(samples)


def test_it_is_a_dataset_whose_pictures_may_be_shown() -> None:
    dataset = TEXTURES.make(SMALL)
    assert isinstance(dataset, Dataset)
    assert dataset.licence.show_pixels


def test_each_defect_is_exactly_inside_its_mask_and_can_be_seen_there() -> None:
    dataset = TexturesDataset(TexturesParams(train=1, good=1, per_defect=2, size=128))
    bad = [s for s in dataset.samples() if s.label == 1]
    assert {s.defect for s in bad} == set(DEFECTS)
    for sample in bad:
        image, clean, mask = dataset.image(sample), dataset.clean(sample), dataset.mask(sample)
        assert mask is not None
        assert 0 < mask.mean() < 0.25
        changed = (image != clean).any(axis=2)
        assert not changed[~mask].any()
        assert changed[mask].mean() > 0.6, sample.path


def test_normal_images_are_their_own_clean_twin_and_have_no_mask() -> None:
    dataset = TexturesDataset(SMALL)
    good = next(s for s in dataset.samples() if s.label == 0)
    np.testing.assert_array_equal(dataset.image(good), dataset.clean(good))
    assert dataset.mask(good) is None
    assert dataset.fingerprint(good).mask is None


def test_an_image_is_the_same_whichever_are_made_before_it() -> None:
    first, second = TexturesDataset(SMALL), TexturesDataset(SMALL)
    samples = first.samples()
    forwards = [first.fingerprint(s) for s in samples]
    backwards = [second.fingerprint(s) for s in reversed(samples)]
    assert forwards == backwards[::-1]
    assert len({h.image for h in forwards}) == len(samples)


def test_an_image_depends_on_the_seed_but_not_on_the_size_of_the_set() -> None:
    sample = TexturesDataset(SMALL).samples()[0]
    more = TexturesDataset(SMALL.model_copy(update={"train": 9, "classes": ("brick",)}))
    other = TexturesDataset(SMALL.model_copy(update={"seed": 1}))
    expected = TexturesDataset(SMALL).fingerprint(sample)
    assert more.fingerprint(sample) == expected
    assert other.fingerprint(sample) != expected


def test_a_higher_difficulty_makes_defects_fainter() -> None:
    def visibility(difficulty: float) -> float:
        dataset = TexturesDataset(SMALL.model_copy(update={"difficulty": difficulty}))
        bad = [s for s in dataset.samples() if s.label == 1]
        changes = [np.abs(dataset.image(s).astype(int) - dataset.clean(s)).sum() for s in bad]
        areas = [np.count_nonzero(dataset.mask(s)) for s in bad]
        return float(np.sum(changes) / np.sum(areas))

    assert visibility(0.0) > 1.3 * visibility(1.0)


def test_training_and_test_crops_share_no_pixel_of_the_photograph() -> None:
    # Mark the training quarters of a photograph black and the test quarters white.
    dataset = TexturesDataset(TexturesParams(train=20, good=20, size=32, difficulty=1.0))
    marked = np.zeros((512, 512), np.uint8)
    marked[:256, 256:] = marked[256:, :256] = 255
    dataset.__dict__["_photographs"] = dict.fromkeys(("brick", "grass", "gravel"), marked)
    for number in range(200):
        rng = np.random.default_rng(number)
        assert dataset._crop("gravel", "train", rng).max() == 0.0
        assert dataset._crop("gravel", "test", rng).min() == 1.0


def test_a_sample_of_another_set_is_an_error() -> None:
    with pytest.raises(DataError, match="is no image of 'textures'"):
        TexturesDataset(SMALL).image(Sample("elsewhere.png", "brick", "train", 0))


def test_an_unknown_class_names_the_closest() -> None:
    with pytest.raises(DataError, match="no class 'bricks'") as caught:
        TexturesDataset(SMALL.model_copy(update={"classes": ("bricks",)})).samples()
    assert "did you mean 'brick'?" in str(caught.value.hint)


def test_importing_the_data_package_imports_no_heavy_library() -> None:
    code = (
        "import sys, adharness.data; "
        "print([m for m in ('skimage', 'scipy', 'sklearn', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
