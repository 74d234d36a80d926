from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from adharness import Sample
from adharness.data.doctor import copies
from adharness.data.doctor.copies import exact_copies, near_copies
from adharness.data.doctor.likeness import likeness, near_pairs
from adharness.data.doctor.looks import Look
from adharness.data.doctor.roster import Item
from adharness.data.images import hash_pixels
from broken_set import pixels

Pictures = dict[str, np.ndarray]


def noisy(image: np.ndarray, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 3, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def item(path: str, label: int = 0) -> Item:
    class_name, portion, _ = path.split("/")
    return Item(Sample(path, class_name, portion, label))  # type: ignore[arg-type]


def look(image: np.ndarray) -> Look:
    digest = bytes.fromhex(hash_pixels(image))[:16]
    return Look((image.shape[0], image.shape[1]), "RGB", digest, likeness(image))


def near(pictures: Pictures) -> list[tuple[str, str, tuple[str, ...]]]:
    items, looks = [item(p) for p in pictures], [look(image) for image in pictures.values()]
    found = near_copies(items, looks, lambda one: pictures[one.sample.path])
    return [(f.check, f.path, f.also) for f in found]


def resized(image: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((31, 24), Image.Resampling.BILINEAR))


def lighter(image: np.ndarray) -> np.ndarray:
    return (image.astype(np.float32) * 0.8 + 30).astype(np.uint8)


@pytest.mark.parametrize("change", [noisy, resized, lighter])
def test_a_picture_that_was_changed_a_little_is_a_near_copy(
    change: Callable[[np.ndarray], np.ndarray],
) -> None:
    pictures = {"a/train/1": pixels(1), "a/train/2": pixels(2), "a/test/1": change(pixels(2))}
    assert near(pictures) == [("near-copy", "a/test/1", ("a/train/2",))]


def test_other_pictures_and_turned_ones_are_none() -> None:
    train = {f"a/train/{i}": pixels(i) for i in range(20)}
    test = {f"a/test/{i}": pixels(100 + i) for i in range(20)}
    turned = {"a/test/turned": np.rot90(pixels(3)), "a/test/mirrored": pixels(3)[:, ::-1]}
    assert near({**train, **test, **turned}) == []


def test_of_several_twins_the_nearest_is_told() -> None:
    far = np.clip(pixels(1) + np.random.default_rng(1).normal(0, 9, (48, 48, 3)), 0, 255)
    pictures = {
        "a/train/far": far.astype(np.uint8),
        "a/train/close": noisy(pixels(1)),
        "a/test/1": pixels(1),
    }
    assert near(pictures) == [("near-copy", "a/test/1", ("a/train/close",))]


def test_pictures_of_two_classes_or_of_one_side_are_not_compared() -> None:
    assert near({"a/train/1": pixels(1), "b/test/1": noisy(pixels(1))}) == []
    assert near({"a/train/1": pixels(1), "a/train/2": noisy(pixels(1))}) == []


def test_flat_pictures_and_exact_copies_are_no_near_copies() -> None:
    flat = np.full((48, 48, 3), 90, np.uint8)
    assert near({"a/train/1": flat, "a/test/1": flat + 1}) == []
    assert near({"a/train/1": pixels(1), "a/test/1": pixels(1)}) == []
    assert likeness(flat) is None


def test_a_class_whose_pictures_are_all_alike_is_told_once() -> None:
    pictures = {f"a/train/{i}": noisy(pixels(1), i) for i in range(3)}
    pictures |= {f"a/test/{i}": noisy(pixels(1), 10 + i) for i in range(9)}
    assert [(check, path) for check, path, _ in near(pictures)] == [("near-copy", "a/test/0")]


def test_the_closest_pairs_are_compared_where_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pictures = {f"a/train/{i}": noisy(pixels(i), i) for i in range(3)}
    pictures |= {f"a/test/{i}": pixels(i) for i in range(3)}
    assert len(near(pictures)) == 3
    monkeypatch.setattr(copies, "MOST_CANDIDATES", 2)
    found = [(check, path) for check, path, _ in near(pictures)]
    assert found[0] == ("near-copy-limit", "a")
    assert len(found) == 3


def test_a_copy_in_validation_and_in_training_counts_twice_but_leaks_nothing() -> None:
    items = [item("a/train/1"), item("a/validation/1"), item("a/test/2")]
    looks = [look(pixels(1)), look(pixels(1)), look(pixels(2))]
    (found,) = exact_copies(items, looks)
    assert (found.severity, found.check) == ("warning", "copy")


def test_a_copy_in_validation_and_in_test_is_leaked() -> None:
    items = [item("a/validation/1"), item("a/test/2")]
    (found,) = exact_copies(items, [look(pixels(1))] * 2)
    assert (found.severity, found.check, found.path) == ("error", "leaked-copy", "a/test/2")


def test_images_that_could_not_be_decoded_are_no_copies_of_each_other() -> None:
    assert list(exact_copies([item("a/train/1"), item("a/test/1")], [Look(), Look()])) == []


def test_pairs_are_found_whatever_block_they_are_in() -> None:
    rng = np.random.default_rng(0)
    left = [rng.bytes(256) for _ in range(1100)]
    right = [rng.bytes(256) for _ in range(1030)]
    right[1029], right[3] = left[1099], bytes([left[5][0] ^ 0b101, *left[5][1:]])
    found = sorted(near_pairs(left, right, most=0.08))
    assert [(i, j) for i, j, _ in found] == [(5, 3), (1099, 1029)]
    assert 0 < found[0][2] < 0.01
