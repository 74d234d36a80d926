from __future__ import annotations

import random
import subprocess
import sys
import warnings
from importlib.metadata import entry_points

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

import adharness_sklearn
from adharness import Bag, ContractError, FeatureGrid, Grid, Images, Scorer, SuiteError
from adharness.testing.worlds import ToyFeatures, toy_world
from adharness_sklearn import PYOD, SKLEARN, SklearnParams
from adharness_sklearn.preparation import prepared

WORLD = toy_world(np.random.default_rng(11), shift=20.0)
ROWS = WORLD.train.patches.reshape(-1, 6)
PATCHES = Bag(ROWS, np.repeat(np.arange(WORLD.train.count), 20))
EMBEDDINGS = Images(WORLD.train.embeddings)


def fitted(memory=PATCHES, seed=0, **params):
    return SKLEARN.make(SklearnParams(**params)).fit(memory, np.random.default_rng(seed))


def normals(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


def bag(rows):
    return Bag(np.asarray(rows, np.float32), np.zeros(len(rows), np.int64))


def one_image(rows):
    rows = np.asarray(rows, np.float32)
    return FeatureGrid(rows.reshape(1, 1, *rows.shape))


def test_a_gaussian_scores_the_negative_log_density_written_out_with_scipy():
    scores = fitted(detector="GaussianMixture", options={"n_components": 1}).score(WORLD.anomalous)
    rows = ROWS.astype(np.float64)
    cov = np.cov(rows, rowvar=False, bias=True) + 1e-6 * np.eye(6)
    truth = -multivariate_normal(rows.mean(axis=0), cov).logpdf(WORLD.anomalous.patches)
    np.testing.assert_allclose(scores.patches, truth, rtol=1e-5)


def test_a_kernel_density_scores_its_negative_logarithm_written_out():
    """Gaussian kernels of bandwidth 1.5 at every vector of the memory."""
    scorer = fitted(detector="KernelDensity", options={"bandwidth": 1.5})
    squares = ((WORLD.normal.patches[..., None, :] - ROWS.astype(np.float64)) ** 2).sum(axis=-1)
    each = -squares / (2 * 1.5**2) - 6 * np.log(1.5 * np.sqrt(2 * np.pi))
    truth = -(logsumexp(each, axis=-1) - np.log(len(ROWS)))
    np.testing.assert_allclose(scorer.score(WORLD.normal).patches, truth, rtol=1e-5)


def test_landmarks_as_many_as_vectors_make_the_linear_machine_one_of_the_exact_kernel():
    """The products of what Nystroem gives are the RBF kernel of OneClassSVM's default width."""
    rows = ROWS[:40].astype(np.float64)
    params = SklearnParams(nystroem=40)
    _, mapped = prepared(rows, params, 0)
    squares = ((rows[:, None] - rows[None]) ** 2).sum(axis=-1)
    np.testing.assert_allclose(mapped @ mapped.T, np.exp(-squares / (6 * rows.var())), atol=1e-6)


def test_the_linear_machine_needs_a_kernel_to_find_what_lies_beyond_the_memory():
    beyond = one_image(np.vstack([ROWS[:1], ROWS[:1] + 50]))
    shifted = bag(ROWS + 10)
    beyond = FeatureGrid(beyond.patches + 10)
    line, kernel = (
        fitted(shifted, detector="SGDOneClassSVM", nystroem=n).score(beyond).patches.ravel()
        for n in (None, 50)
    )
    assert line[1] < line[0]
    assert kernel[1] > kernel[0]


def test_standardized_features_make_the_units_of_a_feature_irrelevant():
    units = np.float32([1, 100, 1e-3, 1, 1, 7])
    queries = WORLD.anomalous.patches
    for options in ({"standardize": True}, {"standardize": True, "dims": 3}):
        plain = fitted(detector="LocalOutlierFactor", **options).score(FeatureGrid(queries))
        scaled = fitted(bag(ROWS * units + 5), detector="LocalOutlierFactor", **options)
        found = scaled.score(FeatureGrid(queries * units + 5)).patches
        np.testing.assert_allclose(found, plain.patches, rtol=1e-2)


def test_all_principal_components_only_turn_the_features_and_few_of_them_lose_some():
    plain, turned, few = (
        fitted(detector="LocalOutlierFactor", dims=dims).score(WORLD.anomalous).patches
        for dims in (None, 6, 2)
    )
    np.testing.assert_allclose(turned, plain, rtol=1e-4)
    assert not np.allclose(few, plain, rtol=0.01)


def test_the_vectors_learnt_from_are_drawn_from_the_rng_and_counted_in_the_facts():
    whole, part = fitted(sample_rows=None), fitted(sample_rows=30)
    told = {"rows_given": 480, "library_warnings": 0}
    assert whole.facts() == {**told, "rows_learnt": 480}
    assert part.facts() == {**told, "rows_learnt": 30}
    options = {"detector": "KernelDensity", "sample_rows": 30}  # itself draws nothing
    first, again, other = (
        fitted(seed=seed, **options).score(WORLD.normal).patches for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_detector_draws_from_the_rng_alone():
    options = {"detector": "IsolationForest", "sample_rows": None}
    first, again, other = (
        fitted(seed=seed, **options).score(WORLD.normal).patches for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_what_a_detector_draws_from_a_global_state_is_seeded_and_undone():
    """SGDOneClassSVM and OneClassSVM: the second draws from NumPy's whatever it is told."""
    random.seed(5)
    for detector in ("OneClassSVM", "SGDOneClassSVM"):
        before, plain = np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
        place = np.random.get_state()[2]  # noqa: NPY002
        fitted(detector=detector).score(WORLD.normal)
        after = np.random.get_state()  # noqa: NPY002
        np.testing.assert_array_equal(after[1], before)
        assert after[2] == place
        assert random.getstate() == plain


def test_what_a_library_warns_of_is_counted_and_kept_and_not_shown():
    few = bag(ROWS[:10])
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        scorer = fitted(few, detector="LocalOutlierFactor")
    assert not shown
    assert scorer.facts()["library_warnings"] == 1
    assert "n_neighbors (20) is greater than" in scorer.warned[0]


def test_a_density_of_zero_scores_the_largest_float32():
    options = {"kernel": "tophat", "bandwidth": 2.0}
    scores = fitted(detector="KernelDensity", options=options).score(one_image(ROWS[:1] + 1000))
    assert scores.patches.item() == np.finfo(np.float32).max


def test_embeddings_give_image_scores_and_patches_give_patch_scores():
    images = fitted(EMBEDDINGS, detector="OneClassSVM").score(WORLD.anomalous)
    assert images.patches is None
    assert images.images.shape == (6,)
    assert images.images.dtype == np.float32
    patches = fitted(detector="OneClassSVM").score(WORLD.anomalous)
    assert patches.images is None
    assert patches.patches.shape == (6, 4, 5)
    assert patches.patches.dtype == np.float32


def test_no_images_give_no_scores():
    none = FeatureGrid(WORLD.normal.patches[:0], WORLD.normal.embeddings[:0])
    assert fitted().score(none).patches.shape == (0, 4, 5)
    assert fitted(EMBEDDINGS).score(none).images.shape == (0,)


@pytest.mark.parametrize(
    ("params", "fact", "hint"),
    [
        ({"detector": "isolation-forest"}, "no detector 'isolation-forest'", "'IsolationForest'"),
        ({"detector": "isolationforest"}, "no detector", "'IsolationForest'"),
        ({"detector": "RandomForestClassifier"}, "no detector", "choices are: Bayesian"),
        ({"options": {"n_estimator": 3}}, "IsolationForest has no option", "'n_estimators'"),
        ({"detector": "KernelDensity", "options": {"x": 1}}, "no option 'x'", "are: bandwidth"),
    ],
)
def test_a_name_that_is_not_known_is_refused_with_the_nearest(params, fact, hint):
    with pytest.raises(SuiteError, match=fact) as refused:
        SKLEARN.make(SklearnParams(**params))
    assert hint in refused.value.hint


def test_the_hint_offers_no_option_that_is_not_for_a_suite_to_set():
    with pytest.raises(SuiteError) as refused:
        SKLEARN.make(SklearnParams(detector="LocalOutlierFactor", options={"zzz": 1}))
    assert "n_neighbors" in refused.value.hint
    assert not {"novelty", "contamination", "n_jobs"} & set(refused.value.hint.split(", "))


@pytest.mark.parametrize(
    "option", ["random_state", "contamination", "novelty", "n_jobs", "verbose", "warm_start"]
)
def test_what_the_plugin_sets_itself_is_refused_with_the_reason(option):
    with pytest.raises(ValidationError, match=f"'{option}' is not for a suite to set: "):
        SklearnParams(options={option: 1})


@pytest.mark.parametrize(
    ("params", "fact"),
    [
        ({"options": {"n_estimators": "many"}}, "IsolationForest does not fit 480 .*n_estimators"),
        ({"detector": "OneClassSVM", "options": {"nu": 2.0}}, "OneClassSVM does not fit.*nu"),
        ({"dims": 7}, "dims = 7 components asked of 480 vector.* with D = 6"),
        ({"dims": 6, "sample_rows": 5}, "dims = 6 components asked of 5 vector"),
        ({"nystroem": 31, "sample_rows": 30}, "nystroem = 31 landmarks asked of 30 vector"),
        (
            {"detector": "GaussianMixture", "options": {"n_components": 481}},
            "GaussianMixture does not fit 480 vector",
        ),
    ],
)
def test_what_a_detector_refuses_is_an_error_of_the_contract(params, fact):
    with pytest.raises(ContractError, match=fact):
        fitted(**params)


def test_a_detector_that_gives_no_number_is_refused():
    scorer = fitted(detector="KernelDensity")
    object.__setattr__(scorer, "measure", lambda rows: np.full(len(rows), np.nan))
    with pytest.raises(ContractError, match=r"gives image 0 20 score\(s\) that are not a number"):
        scorer.score(WORLD.normal)
    object.__setattr__(scorer, "measure", lambda rows: np.zeros(3))
    with pytest.raises(ContractError, match="of 3 for 20 vector"):
        scorer.score(WORLD.normal)


def test_queries_and_memories_that_do_not_fit_are_refused():
    scorer = fitted()
    with pytest.raises(ContractError, match="D = 3, the memory has D = 6"):
        scorer.score(one_image(np.zeros((1, 3))))
    with pytest.raises(ContractError, match="not finite"):
        scorer.score(one_image(np.full((1, 6), np.nan)))
    with pytest.raises(ContractError, match="no image embeddings"):
        fitted(EMBEDDINGS).score(FeatureGrid(WORLD.normal.patches))
    with pytest.raises(ContractError, match=r"fits on `bag` or `images`.*emitted `grid`"):
        fitted(Grid(ToyFeatures(WORLD.train.patches)))
    with pytest.raises(ContractError, match="no rows"):
        fitted(bag(ROWS[:0]))
    with pytest.raises(ContractError, match="not finite"):
        fitted(bag(np.full((5, 4), np.nan)))


def test_inputs_stay_unchanged_and_strided_ones_give_the_same_scores():
    rng = np.random.default_rng(10)
    rows, patches = normals(rng, 60, 5), normals(rng, 2, 3, 4, 5)
    expected = fitted(bag(rows), standardize=True).score(FeatureGrid(patches)).patches
    strided_rows, strided = np.asfortranarray(rows), np.asfortranarray(patches)
    for array in (strided_rows, strided):
        array.setflags(write=False)
    scores = fitted(bag(strided_rows), standardize=True).score(FeatureGrid(strided)).patches
    np.testing.assert_allclose(scores, expected, rtol=1e-6)
    np.testing.assert_array_equal(strided, patches)


def test_the_plugin_is_found_through_its_entry_point():
    (entry,) = [e for e in entry_points(group="adharness") if e.name == "sklearn"]
    assert entry.load() is adharness_sklearn
    assert list(adharness_sklearn.adharness_scorers()) == [SKLEARN, PYOD]
    assert isinstance(SKLEARN.make(SklearnParams()), Scorer)


def test_importing_the_plugin_imports_neither_library():
    code = "import sys, adharness_sklearn; sys.exit(bool({'sklearn', 'pyod'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
