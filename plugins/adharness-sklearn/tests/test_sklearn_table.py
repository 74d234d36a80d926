"""The table of the README, and every detector in it on a toy world."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import OutlierMixin
from sklearn.utils import all_estimators

from adharness import Bag, ContractError, Images
from adharness.testing import scorer_checks, toy_world
from adharness_sklearn import SKLEARN, SklearnParams
from adharness_sklearn.from_sklearn import detectors
from detectors_tried import assert_defects_stand_out, assert_each_image_scores_alone

README = Path(__file__).parents[1] / "README.md"
WORLD = toy_world(np.random.default_rng(11), shift=20.0)
PATCHES = Bag(WORLD.train.patches.reshape(-1, 6), np.repeat(np.arange(24), 20))
EMBEDDINGS = Images(WORLD.train.embeddings)
WORKING = sorted(detectors())
NEEDED = {"SGDOneClassSVM": {"nystroem": 20}}  # linear by itself


EXAMPLES = [
    {"detector": "SGDOneClassSVM", "nystroem": 20},
    {"detector": "GaussianMixture", "standardize": True, "options": {"covariance_type": "diag"}},
]


def fitted(detector, memory=PATCHES):
    params = SklearnParams(detector=detector, **NEEDED.get(detector, {}))
    return SKLEARN.make(params).fit(memory, np.random.default_rng(0))


@pytest.mark.slow
@pytest.mark.timeout(120)  # it imports all of scikit-learn, and torch for its array types
def test_every_outlier_detector_of_the_installed_scikit_learn_is_offered():
    outlying = {name for name, one in all_estimators() if issubclass(one, OutlierMixin)}
    assert outlying >= {"IsolationForest", "LocalOutlierFactor"}
    densities = {"GaussianMixture", "BayesianGaussianMixture", "KernelDensity"}
    assert set(WORKING) == outlying | densities


def test_the_readme_lists_what_is_offered():
    part = README.read_text().split("## scikit-learn's detectors")[1].split("\n## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)) == WORKING


@pytest.mark.parametrize("detector", WORKING)
def test_defects_of_a_toy_world_score_above_every_normal_patch_and_image(detector):
    assert_defects_stand_out(WORLD, fitted(detector), fitted(detector, EMBEDDINGS))


@pytest.mark.parametrize("detector", WORKING)
def test_a_score_is_the_same_to_the_bit_alone_in_any_batch_order_and_second_fit(detector):
    assert_each_image_scores_alone(partial(fitted, detector), WORLD.anomalous)


@pytest.mark.parametrize("detector", WORKING)
def test_a_memory_of_one_vector_or_of_equal_ones_gives_finite_scores_or_is_refused(detector):
    for rows in (np.ones((1, 6), np.float32), np.ones((30, 6), np.float32)):
        try:
            scorer = fitted(detector, Bag(rows, np.zeros(len(rows), np.int64)))
            scores = scorer.score(WORLD.normal).patches
        except ContractError:
            continue
        assert np.isfinite(scores).all()


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("check", scorer_checks(SKLEARN, [*SKLEARN.examples, *EXAMPLES]), ids=str)
def test_it_conforms(check):
    check()
