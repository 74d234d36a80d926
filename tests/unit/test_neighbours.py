"""The share of patches that a merged bank answers with a row of another class."""

from __future__ import annotations

import numpy as np

from adharness.engine.neighbours import cross_class_share


def test_it_counts_patches_that_found_another_class() -> None:
    neighbours = np.array([[3, 1, 0], [0, 4, 0], [2, 0, 2]])
    assert cross_class_share(neighbours, np.array([0, 1, 2])) == 3 / 12
    assert cross_class_share(neighbours, np.array([1, 0, 1])) == 11 / 12


def test_a_bank_that_never_confuses_classes_has_none() -> None:
    assert cross_class_share(np.diag([5, 6]), np.array([0, 1])) == 0.0
