from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adharness import DataError, Dataset
from adharness.contracts import ContentHash, DeclaredRegions, Licence, Sample
from adharness.corruptions import CORRUPTIONS, Shift, move_mask, table
from adharness.data import TexturesDataset, TexturesParams
from adharness.data.shifted import ShiftedDataset

CLEAN = TexturesDataset(TexturesParams(train=1, good=1, per_defect=1, size=32, classes=("brick",)))
SAMPLES = CLEAN.samples()
TESTED = frozenset(s.path for s in SAMPLES if s.portion == "test")


def shifted(name: str = "noise", severity: int = 3, seed: int = 0, paths=TESTED) -> ShiftedDataset:
    return ShiftedDataset(CLEAN, Shift(name, severity, seed), paths)


def sample(*, label: int = 1, portion: str = "test") -> Sample:
    return next(s for s in SAMPLES if (s.label, s.portion) == (label, portion))


class Declared:
    """One anomalous image with two declared regions; the second saturates at half its area."""

    licence = Licence("mine")

    def __init__(self, *masks: np.ndarray) -> None:
        self.masks = masks

    def samples(self) -> list[Sample]:
        return [Sample("a", "nut", "test", 1, "dent", has_mask=True)]

    def fingerprint(self, sample: Sample) -> ContentHash:
        return ContentHash("i", "m")

    def image(self, sample: Sample) -> np.ndarray:
        return np.full((30, 30, 3), 90, np.uint8)

    def mask(self, sample: Sample) -> DeclaredRegions:
        areas = [int(mask.sum()) for mask in self.masks]
        return DeclaredRegions(self.masks, [areas[0], areas[1] // 2])


def boxes() -> tuple[np.ndarray, np.ndarray]:
    masks = np.zeros((2, 30, 30), bool)
    masks[0, 4:10, 4:10] = masks[1, 12:24, 10:20] = True
    return masks[0], masks[1]


def test_it_is_a_data_set_with_the_names_and_the_licence_of_the_clean_one():
    assert isinstance(shifted(), Dataset)
    assert shifted().samples() == SAMPLES
    assert shifted().licence == CLEAN.licence


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_only_the_chosen_images_differ_from_the_clean_ones(name):
    made = shifted(name)
    for one in SAMPLES:
        same = one.path not in TESTED
        assert np.array_equal(made.image(one), CLEAN.image(one)) == same, one.path
        assert (made.fingerprint(one) == CLEAN.fingerprint(one)) == same
        if same:
            assert made.mask(one) is CLEAN.mask(one) is None


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_masks_move_where_pixels_do_and_nowhere_else(name):
    bad = sample()
    before, after = CLEAN.mask(bad), shifted(name, 5).mask(bad)
    assert before is not None
    assert after is not None
    assert np.array_equal(before, after) == (name not in ("affine", "study"))
    assert (after.shape, after.dtype) == (before.shape, np.bool_)
    hashes = CLEAN.fingerprint(bad).mask, shifted(name, 5).fingerprint(bad).mask
    assert (hashes[0] == hashes[1]) == (name not in ("affine", "study"))


def test_an_image_is_the_same_whichever_were_made_before_and_whichever_others_are_corrupted():
    forwards = {s.path: shifted().image(s) for s in SAMPLES}
    made = shifted()
    backwards = {s.path: made.image(s) for s in reversed(SAMPLES)}
    alone = shifted(paths=frozenset({sample().path})).image(sample())
    for path, pixels in forwards.items():
        np.testing.assert_array_equal(pixels, backwards[path])
    np.testing.assert_array_equal(alone, forwards[sample().path])


def test_two_images_of_equal_pixels_are_corrupted_by_draws_of_their_own():
    flat = Declared(*boxes())
    made = ShiftedDataset(flat, Shift("noise", 1), frozenset("ab"))
    first = flat.samples()[0]
    assert (made.image(first) != made.image(replace(first, path="b"))).any()


@given(seeds=st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=2, unique=True))
def test_the_seed_decides_the_pixels_and_the_fingerprint(seeds):
    first, again, other = (shifted(seed=seed) for seed in (seeds[0], seeds[0], seeds[1]))
    bad = sample()
    np.testing.assert_array_equal(first.image(bad), again.image(bad))
    assert first.fingerprint(bad) == again.fingerprint(bad)
    assert (first.image(bad) != other.image(bad)).any()
    assert first.fingerprint(bad) != other.fingerprint(bad)


def test_the_fingerprint_knows_corruption_severity_seed_path_and_clean_content():
    base = ContentHash("i", "m")
    bad = sample()
    made = {
        shifted(*given).shifted_hash(one, hashed)
        for given, one, hashed in [
            (("noise", 3, 0), bad, base),
            (("blur", 3, 0), bad, base),
            (("noise", 4, 0), bad, base),
            (("noise", 3, 1), bad, base),
            (("noise", 3, 0), replace(bad, path="other"), base),
            (("noise", 3, 0), bad, ContentHash("j", "m")),
        ]
    }
    assert len(made) == 6


def test_the_fingerprint_knows_the_version_of_the_code(monkeypatch):
    before = shifted().fingerprint(sample())
    newer = replace(CORRUPTIONS["noise"], version=2)
    monkeypatch.setattr(table, "CORRUPTIONS", MappingProxyType({**CORRUPTIONS, "noise": newer}))
    after = shifted().fingerprint(sample())
    assert after != before
    clean = sample(label=0, portion="train")
    assert shifted().fingerprint(clean) == CLEAN.fingerprint(clean)


def test_declared_regions_move_one_by_one_and_saturate_at_the_same_share():
    clean = Declared(*boxes())
    made = ShiftedDataset(clean, Shift("affine", 5), frozenset("a"))
    one = clean.samples()[0]
    ground = made.mask(one)
    assert isinstance(ground, DeclaredRegions)
    areas = [int(mask.sum()) for mask in ground.masks]
    assert any(not np.array_equal(a, b) for a, b in zip(ground.masks, clean.masks, strict=True))
    assert ground.saturations_px[0] == areas[0]
    assert ground.saturations_px[1] / areas[1] == pytest.approx(0.5, abs=0.02)


def test_image_and_mask_are_moved_to_the_same_place():
    first, second = boxes()
    clean = Declared(first, second)
    union = first | second

    class Drawn(Declared):
        def image(self, sample: Sample) -> np.ndarray:
            return np.repeat(union[:, :, None], 3, axis=2).astype(np.uint8) * 255

    made = ShiftedDataset(Drawn(first, second), Shift("affine", 5), frozenset("a"))
    one = clean.samples()[0]
    image, ground = made.image(one)[:, :, 0], made.mask(one)
    assert isinstance(ground, DeclaredRegions)
    seen = ground.masks[0] | ground.masks[1]
    assert seen[image == 255].all()
    assert not seen[image == 0].any()
    assert (seen != union).any()


def test_a_mask_without_a_pixel_moves_without_an_error():
    empty = np.zeros((30, 30), bool)
    made = ShiftedDataset(Declared(empty, boxes()[1]), Shift("affine", 2), frozenset("a"))
    assert made.image(made.samples()[0]).shape == (30, 30, 3)
    assert not move_mask(empty, made._placement(made.samples()[0], None)).any()


def test_an_image_that_cannot_be_read_is_told_as_the_clean_set_tells_it():
    class Broken(Declared):
        def image(self, sample: Sample) -> np.ndarray:
            raise DataError("a is cut off")

    made = ShiftedDataset(Broken(*boxes()), Shift("blur", 1), frozenset("a"))
    with pytest.raises(DataError, match="cut off"):
        made.image(made.samples()[0])
