from __future__ import annotations

import os
import tempfile
from io import FileIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from adharness import ContractError, DataError, StoreError
from adharness.progress import listening
from adharness.sampling import even_quotas
from adharness.testing.worlds import ToyFeatures
from adharness_patchcore import CORESET, CoresetParams, k_center_greedy, scratch

FULL_DISK = Path("/dev/full")
HEIGHT, WIDTH, DIM = 2, 3, 4
PER_IMAGE = HEIGHT * WIDTH


def coreset(features, seed=0, **params):
    return CORESET.make(CoresetParams(**params)).reduce(features, np.random.default_rng(seed))


def world(seed, classes, dim=DIM):
    """Patches whose first value tells image and place."""
    patches = np.random.default_rng(seed).normal(size=(len(classes), HEIGHT, WIDTH, dim))
    patches[..., 0] += 10.0 * np.arange(len(classes) * PER_IMAGE).reshape(-1, HEIGHT, WIDTH)
    return ToyFeatures(patches.astype(np.float32), classes=np.array(classes, dtype=np.int64))


def images_of(memory, features):
    """Which image holds each row, found by its values."""
    flat = features.patches.reshape(-1, features.dim)
    found = [int(np.flatnonzero((flat == row).all(axis=1))[0]) for row in memory.rows]
    assert len(set(found)) == len(found)
    return np.array(found) // PER_IMAGE


def assert_same(one, other):
    np.testing.assert_array_equal(one.rows, other.rows)
    np.testing.assert_array_equal(one.images, other.images)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    classes=st.lists(st.integers(0, 4), min_size=1, max_size=12),
    ratio=st.floats(0.01, 1.0),
    anchors=st.sampled_from([0, 3]),
)
def test_a_balanced_coreset_keeps_its_quotas_and_its_provenance(seed, classes, ratio, anchors):
    features = world(seed, classes)
    memory = coreset(features, seed, ratio=ratio, anchors=anchors, balance="class")
    np.testing.assert_array_equal(memory.images, images_of(memory, features))
    numbers, images = np.unique(classes, return_counts=True)
    quotas = even_quotas(images * PER_IMAGE, max(1, int(len(classes) * PER_IMAGE * ratio)))
    kept = np.array(classes)[memory.images]
    np.testing.assert_array_equal([(kept == number).sum() for number in numbers], quotas)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), shots=st.sampled_from([None, 4]), number=st.integers(0, 9))
def test_with_one_class_a_balanced_coreset_is_the_plain_one(seed, shots, number):
    features = world(seed, [number] * 7, dim=6)
    params = {"ratio": 0.3, "shots": shots, "projection_dims": 3}
    plain, balanced = (coreset(features, seed, balance=b, **params) for b in ("none", "class"))
    assert_same(plain, balanced)


def test_each_class_is_covered_by_its_own_farthest_first_choice():
    features = world(1, [1, 0, 1, 1, 0, 1], dim=DIM)
    memory = coreset(features, 5, ratio=0.5, projection_dims=None, balance="class")
    rng, rows = np.random.default_rng(5), []
    for number in (0, 1):
        own = features.patches[features.classes == number].reshape(-1, DIM)
        rows.append(own[k_center_greedy(own, 9, start=int(rng.integers(len(own))))])
    np.testing.assert_array_equal(memory.rows, np.concatenate(rows))


def test_without_balance_the_choice_is_that_of_all_patches_whatever_the_classes():
    features = world(2, [0, 1, 0, 1, 2])
    flat = features.patches.reshape(-1, DIM)
    start = int(np.random.default_rng(8).integers(30))
    chosen = k_center_greedy(flat, 15, start=start)
    memory = coreset(features, 8, ratio=0.5)
    np.testing.assert_array_equal(memory.rows, flat[chosen])
    np.testing.assert_array_equal(memory.images, chosen // PER_IMAGE)
    assert_same(memory, coreset(ToyFeatures(features.patches), 8, ratio=0.5))


def test_fewer_rows_than_classes_leave_the_last_classes_without_any():
    memory = coreset(world(3, [0, 1, 2]), ratio=0.12, balance="class")
    np.testing.assert_array_equal(memory.images, [0, 1])


def test_few_shots_and_turned_copies_are_told_by_their_image():
    patches = world(4, [0] * 6).patches.repeat(3, axis=1).repeat(2, axis=2)
    features = ToyFeatures(patches)
    memory = coreset(features, 3, ratio=1.0, shots=2, draw="block", block=1, rotations=4)
    np.testing.assert_array_equal(memory.images, np.tile([2, 3], 4).repeat(36))
    assert memory.rows.shape == (8 * 36, DIM)
    with pytest.raises(DataError, match=r"7 shots asked of 6 training image"):
        coreset(features, shots=7)


def test_a_balanced_coreset_needs_to_know_the_class_and_a_plain_one_does_not():
    assert CORESET.needs_class(CoresetParams(balance="class"))
    assert not CORESET.needs_class(CoresetParams())
    with pytest.raises(ContractError, match="not told the classes"):
        coreset(ToyFeatures(world(5, [0, 1]).patches), balance="class")


@pytest.mark.parametrize("balance", ["none", "class"])
def test_a_projection_on_disk_gives_the_same_coreset_and_leaves_no_name(
    balance, tmp_path, monkeypatch
):
    features = world(6, np.arange(300) % 3, dim=200)  # 1800 x 150 values: more than a megabyte
    params = {"ratio": 0.02, "projection_dims": 150, "balance": balance}
    expected = coreset(features, **params)
    made, names = [], []
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(scratch, "np", spy := _Spy(made, names, tmp_path))
    assert_same(expected, coreset(features, memory_mb=1, **params))
    assert len(made) == 1
    assert made[0].mode == "r"
    assert names == [[]]
    assert_same(expected, coreset(features, memory_mb=2, **params))
    assert len(spy.made) == 1


class _Spy:
    """numpy, but that memory maps are noted, and what their folder held then."""

    def __init__(self, made, names, folder):
        self.made, self.names, self.folder = made, names, folder

    def __getattr__(self, name):
        return getattr(np, name)

    def memmap(self, *args, **kwargs):
        self.names.append([path.name for path in self.folder.iterdir()])
        self.made.append(np.memmap(*args, **kwargs))
        return self.made[-1]


@pytest.mark.skipif(not FULL_DISK.exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_an_error_that_names_the_folder_and_the_way_out(monkeypatch):
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: FULL_DISK.open("wb", buffering=0))
    features = ToyFeatures(np.ones((300, 1, 6, 150), dtype=np.float32))
    with pytest.raises(StoreError, match=r"1 MB .* No space left") as caught:
        coreset(features, memory_mb=1, projection_dims=None)
    assert tempfile.gettempdir() in caught.value.message
    assert "memory_mb" in caught.value.hint


def test_a_folder_that_cannot_be_written_is_an_error_that_names_it(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(StoreError, match="gone"):
        coreset(ToyFeatures(np.ones((300, 1, 9, 128), dtype=np.float32)), memory_mb=1)


def test_what_a_disk_takes_in_parts_is_written_whole(monkeypatch):
    class Reluctant(FileIO):
        def write(self, data):
            return super().write(data[:1001])

    monkeypatch.setattr(
        tempfile, "TemporaryFile", lambda **_: Reluctant(os.memfd_create("rows"), "wb+")
    )
    rows = np.arange(300_000, dtype=np.float32).reshape(-1, 100)
    whole = scratch.joined([rows[:1], rows[1:]], rows.shape, memory_mb=1)
    np.testing.assert_array_equal(whole, rows)


def test_both_stages_tell_how_far_they_are():
    told = []
    with listening(lambda *news: told.append(news)):
        coreset(world(7, np.arange(70) % 2), ratio=0.5, balance="class")
    images = [done for done, total, unit in told if unit == "images" and total == 70]
    centres = [done for done, total, unit in told if unit == "centres" and total == 210]
    assert len(images) + len(centres) == len(told)
    assert images == [32, 64, 70]
    assert len(centres) >= 2
    assert all(before <= after for before, after in pairwise(centres))
    assert centres[-1] == 210


def test_constant_features_give_as_many_equal_rows_as_asked_for():
    features = ToyFeatures(np.full((5, 2, 3, 4), 1.5, dtype=np.float32))
    memory = coreset(features, ratio=0.5)
    assert memory.rows.shape == (15, 4)
    assert (memory.rows == 1.5).all()


@pytest.mark.parametrize("balance", ["none", "class"])
@pytest.mark.parametrize("anchors", [0, 10])
def test_a_single_patch_is_the_coreset_whatever_the_ratio_and_the_anchors(balance, anchors):
    patches = np.arange(4, dtype=np.float32).reshape(1, 1, 1, 4)
    features = ToyFeatures(patches, classes=np.array([7]))
    memory = coreset(features, ratio=0.01, anchors=anchors, balance=balance)
    np.testing.assert_array_equal(memory.rows, patches.reshape(1, 4))
    np.testing.assert_array_equal(memory.images, [0])


def test_no_training_image_is_an_error():
    with pytest.raises(DataError, match="no training image"):
        coreset(ToyFeatures(np.empty((0, 2, 2, 4), dtype=np.float32)))


def test_duplicate_patches_come_last_and_none_is_lost():
    distinct = np.random.default_rng(11).normal(size=(1, 2, 3, 4)).astype(np.float32)
    memory = coreset(ToyFeatures(distinct.repeat(4, axis=0)), ratio=0.5, projection_dims=None)
    assert len(memory.rows) == 12
    assert len(np.unique(memory.rows[:6], axis=0)) == 6


@pytest.mark.parametrize("balance", ["none", "class"])
def test_a_feature_that_is_not_finite_is_told_by_its_image_among_all(balance):
    features = world(8, [1, 0] * 20)
    features.patches[36, 1, 2, 0] = np.inf
    with pytest.raises(ContractError, match=r"image 36 hold 1 value"):
        coreset(features, balance=balance)
    with pytest.raises(ContractError, match=r"image 36 hold 1 value"):
        coreset(features, balance=balance, shots=8, draw="block", block=4)


def test_a_feature_too_large_to_project_is_told_by_its_image():
    features = world(9, [0] * 5, dim=8)
    features.patches[3] = 3e38
    with pytest.raises(ContractError, match=r"projected patch features of image 3 "):
        coreset(features, projection_dims=2)


def test_the_memory_a_projection_may_take_changes_no_identity_and_is_positive():
    assert CoresetParams(memory_mb=5).identity() == CoresetParams().identity()
    with pytest.raises(ValidationError):
        CoresetParams(memory_mb=0)
