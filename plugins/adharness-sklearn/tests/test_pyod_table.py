"""Every detector of the installed PyOD: those that work on a toy world, the others by reason."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from adharness import Bag, ContractError, Images, PluginError, SuiteError
from adharness.testing import scorer_checks, toy_world
from adharness_sklearn import PYOD, PyodParams
from adharness_sklearn.from_pyod import detectors
from adharness_sklearn.refusals import NOT_DETECTING
from detectors_tried import assert_defects_stand_out, assert_each_image_scores_alone

pytest.importorskip("pyod", reason="PyOD is not installed: pip install 'adharness-sklearn[pyod]'")

README = Path(__file__).parents[1] / "README.md"
WORLD = toy_world(np.random.default_rng(11), train=100, shift=20.0)
PATCHES = Bag(WORLD.train.patches[:24].reshape(-1, 6), np.repeat(np.arange(24), 20))
EMBEDDINGS = Images(WORLD.train.embeddings)
WORKING = sorted(set(detectors()) - set(NOT_DETECTING))
FURTHER = {"FeatureBagging": "combo"}  # packages that PyOD does not bring itself


def fitted(detector, memory=PATCHES, seed=0, **params):
    if detector in FURTHER:
        pytest.importorskip(FURTHER[detector], reason=f"PyOD's {detector} needs it besides")
    made = PYOD.make(PyodParams(detector=detector, **params))
    return made.fit(memory, np.random.default_rng(seed))


def section():
    return README.read_text().split("## PyOD's detectors")[1].split("\n## ")[0]


def test_the_readme_lists_every_detector_of_the_installed_pyod():
    works, refused = section().split("### Refused")
    assert sorted(re.findall(r"^\| `(\w+)` \|", works, re.MULTILINE)) == WORKING
    assert sorted(re.findall(r"`(\w+)`", refused)) == sorted(NOT_DETECTING)


def test_no_reason_is_given_for_a_detector_that_does_not_exist():
    assert set(NOT_DETECTING) <= set(detectors())


@pytest.mark.slow
@pytest.mark.timeout(120)  # Numba compiles
@pytest.mark.parametrize("detector", WORKING)
def test_defects_of_a_toy_world_score_above_every_normal_patch_and_image(detector, capsys):
    assert_defects_stand_out(WORLD, fitted(detector), fitted(detector, EMBEDDINGS))
    assert capsys.readouterr().out == ""


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("detector", WORKING)
def test_a_score_is_the_same_to_the_bit_alone_in_any_batch_order_and_second_fit(detector):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    assert_each_image_scores_alone(partial(fitted, detector), WORLD.anomalous)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_a_detector_that_cannot_be_a_scorer_is_refused_with_the_reason():
    for detector, reason in NOT_DETECTING.items():
        with pytest.raises(ValidationError, match=re.escape(f"PyOD's {detector} cannot")) as error:
            PyodParams(detector=detector)
        assert reason in str(error.value)


def test_names_that_are_not_known_are_refused_with_the_nearest():
    with pytest.raises(SuiteError, match="PyOD has no detector 'iforest'") as refused:
        PYOD.make(PyodParams(detector="iforest"))
    assert refused.value.hint == "did you mean 'IForest'?"
    with pytest.raises(SuiteError, match="PyOD's KNN has no option 'n_neighbour'") as refused:
        PYOD.make(PyodParams(options={"n_neighbour": 3}))
    assert refused.value.hint == "did you mean 'n_neighbors'?"


def test_knn_scores_the_distance_to_the_kth_nearest_vector():
    options = {"n_neighbors": 3, "method": "largest"}
    scores = fitted("KNN", options=options).score(WORLD.normal).patches
    queries = WORLD.normal.patches.reshape(-1, 1, 6)
    distances = np.sort(np.linalg.norm(queries - PATCHES.rows[None], axis=2), axis=1)
    np.testing.assert_allclose(scores.ravel(), distances[:, 2], rtol=1e-5)


def test_what_pyod_refuses_is_an_error_of_the_contract():
    with pytest.raises(ContractError, match="PyOD's KNN does not fit 480 vector"):
        fitted("KNN", options={"method": "smallest"})


def test_a_package_that_a_detector_needs_besides_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyod.models.lof", None)
    with pytest.raises(PluginError, match="PyOD's LOF cannot be imported"):
        PYOD.make(PyodParams(detector="LOF"))


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("check", scorer_checks(PYOD, [{"detector": "ECOD"}]), ids=str)
def test_it_conforms(check):
    check()
