from __future__ import annotations

import numpy as np
import pytest

from adharness import (
    Bag,
    ContractError,
    FeatureGrid,
    FeatureSet,
    Grid,
    Images,
    check_finite,
    check_grid,
    check_query,
    check_rows,
)
from adharness.testing.worlds import ToyFeatures, toy_world


def zeros(*shape):
    return np.zeros(shape, dtype=np.float32)


def test_a_query_that_fits_is_given_back_without_a_copy():
    patches, embeddings = zeros(2, 3, 4, 5), zeros(2, 6)
    features = FeatureGrid(patches, embeddings)
    assert check_query(features, 5) is patches
    assert check_query(features, 6, level="images") is embeddings


def test_a_strided_query_is_made_contiguous():
    given = np.asfortranarray(np.arange(120, dtype=np.float32).reshape(2, 3, 4, 5))
    checked = check_query(FeatureGrid(given), 5)
    assert checked.flags.c_contiguous
    np.testing.assert_array_equal(checked, given)


@pytest.mark.parametrize(
    ("features", "level", "message"),
    [
        (FeatureGrid(zeros(1, 1, 1, 3)), "patches", "D = 3, the memory has D = 4"),
        (FeatureGrid(zeros(1, 1, 4)), "patches", r"shape \(1, 1, 4\)"),
        (FeatureGrid(zeros(1, 1, 1, 4)), "images", "no image embeddings"),
        (FeatureGrid(zeros(1, 1, 1, 4), zeros(1, 3)), "images", "image embeddings have D = 3"),
    ],
)
def test_a_query_that_does_not_fit_is_refused(features, level, message):
    with pytest.raises(ContractError, match=message):
        check_query(features, 4, level=level)


def test_values_that_are_not_finite_are_counted_for_the_first_image_that_has_them():
    values = zeros(4, 2, 3)
    values[2, 0, 1] = values[2, 1, 1] = values[3, 0, 0] = np.nan
    with pytest.raises(ContractError, match=r"features of image 32 hold 2 value\(s\)"):
        check_finite(values, name="features", first_image=30)
    check_finite(values[:2], name="features")
    check_finite(values[:0], name="features")


def test_rows_and_grids_are_told_apart():
    rows, grid = zeros(3, 2), Grid(ToyFeatures(zeros(2, 1, 1, 3)))
    bag = Bag(rows, np.zeros(3, dtype=np.int64))
    assert check_rows(bag, scorer="s") is rows
    assert check_rows(Images(rows), scorer="s") is rows
    assert check_grid(grid, scorer="s") is grid
    with pytest.raises(ContractError, match="s fits on `bag`, and the bank emitted `images`"):
        check_rows(Images(rows), scorer="s", kinds=("bag",))
    with pytest.raises(ContractError, match="s fits on `grid`, and the bank emitted `bag`"):
        check_grid(bag, scorer="s")


def test_toy_features_are_a_feature_set_whose_views_agree():
    features = toy_world(np.random.default_rng(0)).train
    assert isinstance(features, FeatureSet)
    batches = list(features.batches(5))
    whole = np.concatenate([batch.patches for batch in batches])
    np.testing.assert_array_equal(whole, features.patches)
    height, width = features.grid
    flat = np.array([7, 3 * height * width + 2 * width + 1])
    expected = [features.patches[0, 7 // width, 7 % width], features.patches[3, 2, 1]]
    np.testing.assert_array_equal(features.rows(flat), expected)
    np.testing.assert_array_equal(features.read(np.array([4, 4])).patches[1], features.patches[4])


def test_a_toy_world_has_one_defect_in_each_anomalous_image_and_follows_its_rng():
    first, again = (toy_world(np.random.default_rng(1)) for _ in range(2))
    assert (first.defects.sum(axis=(1, 2)) == 1).all()
    np.testing.assert_array_equal(first.anomalous.patches, again.anomalous.patches)
    assert first.normal.patches.shape == first.anomalous.patches.shape == (6, 4, 5, 6)
