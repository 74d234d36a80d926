from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.spatial.distance import cdist

from adharness import Bag, ContractError, FeatureGrid
from adharness.testing.worlds import ToyFeatures
from adharness_patchcore import (
    CORESET,
    PATCHCORE,
    CoresetParams,
    PatchcoreParams,
    k_center_greedy,
    k_center_greedy_from_anchors,
    recipes,
)
from adharness_patchcore.projection import draw_projection, johnson_lindenstrauss
from adharness_patchcore.scorer import study_weight

# Made once by benchmarks/peers/patchcore_fixture.py with anomalib 2.7.0 from random numbers.
ANOMALIB = Path(__file__).with_name("anomalib_2_7.npz")


def normals(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def fitted(rows, **params):
    bag = Bag(rows=rows.astype(np.float32), images=np.zeros(len(rows), dtype=np.int64))
    return PATCHCORE.make(PatchcoreParams(**params)).fit(bag, np.random.default_rng(0))


def coreset(features, seed, **params):
    return CORESET.make(CoresetParams(**params)).reduce(features, np.random.default_rng(seed))


@pytest.mark.parametrize("name", sorted(recipes.BANK))
def test_a_recipe_fills_what_is_not_written_and_what_is_written_wins(name):
    for params, presets in ((CoresetParams, recipes.BANK), (PatchcoreParams, recipes.SCORER)):
        made = params(recipe=name)
        for key, value in presets[name].items():
            assert getattr(made, key) == value
    assert CoresetParams(recipe=name, ratio=0.25, anchors=3).ratio == 0.25
    assert CoresetParams(recipe=name, ratio=0.25, anchors=3).anchors == 3
    assert CoresetParams(recipe=name, projection_dims=None).projection_dims is None
    assert PatchcoreParams(recipe=name, reweight="none").reweight == "none"


def test_both_components_know_the_same_recipes_and_their_defaults_are_the_papers():
    assert recipes.BANK.keys() == recipes.SCORER.keys()
    for params in (CoresetParams, PatchcoreParams):
        assert params(recipe="paper").identity() == params().identity()
        written = params(**params(recipe="official").identity())
        assert written.identity() == params(recipe="official").identity()
        assert written.identity() != params().identity()


def test_recipes_are_read_strictly_from_json_as_a_suite_gives_them():
    text = '{"recipe": "anomalib", "ratio": 0.01}'
    made = CoresetParams.model_validate_json(text, strict=True)
    assert (made.ratio, made.projection) == (0.01, "sparse")


@pytest.mark.parametrize("recipe", ["Official", "rd4ad", 3, ["paper"], {}])
def test_an_unknown_recipe_is_refused_at_its_key(recipe):
    for params in (CoresetParams, PatchcoreParams):
        with pytest.raises(ValidationError) as caught:
            params(recipe=recipe)
        assert [error["loc"] for error in caught.value.errors()] == [("recipe",)]


@pytest.mark.parametrize(
    "values",
    [
        {"distance": "squared"},
        {"recipe": "paper", "distance": "squared"},
        {"recipe": "official", "reweight": "equation-7"},
    ],
)
def test_squared_distances_in_equation_7_are_refused_with_the_way_out(values):
    with pytest.raises(ValidationError, match=r"distance: squared .* set distance: euclidean"):
        PatchcoreParams(**values)


def test_the_official_recipe_gives_squared_distances_and_their_largest():
    rows, patches = normals(1, 30, 5), normals(2, 4, 3, 2, 5)
    scores = fitted(rows, recipe="official").score(FeatureGrid(patches))
    expected = cdist(patches.reshape(-1, 5), rows, "sqeuclidean").min(axis=1).reshape(4, 3, 2)
    np.testing.assert_allclose(scores.patches, expected, rtol=1e-6)
    np.testing.assert_array_equal(scores.images, scores.patches.max(axis=(1, 2)))


def study(rows, image):
    """The study's image score, word for word, in float32."""
    to_bank = cdist(image.reshape(-1, rows.shape[1]), rows, "sqeuclidean").astype(np.float32)
    worst = to_bank.min(axis=1).argmax()
    near = np.sort(to_bank[worst])[:9]
    shares = np.exp(-near)
    return near[0] * (1 - shares[0] / shares.sum() if shares.sum() > 0 else 1)


@pytest.mark.parametrize("scale", [0.3, 1.0, 30.0])
def test_the_study_recipe_weighs_by_the_nine_rows_nearest_to_the_patch(scale):
    rows, patches = scale * normals(3, 40, 5), scale * normals(4, 6, 3, 2, 5)
    scores = fitted(rows, recipe="study").score(FeatureGrid(patches))
    np.testing.assert_allclose(scores.images, [study(rows, p) for p in patches], rtol=1e-4)


def test_the_study_weight_is_one_where_every_exponential_underflows():
    assert study_weight(np.array([150.0, 151.0, 190.0])) == 1.0
    assert study_weight(np.zeros(4)) == pytest.approx(0.75)
    assert study_weight(np.array([1.0, 90.0])) == pytest.approx(0.0, abs=1e-6)


def test_more_neighbours_than_rows_are_refused_for_the_study_weight_too():
    with pytest.raises(ContractError, match=r"neighbours = 9 .* 8 row"):
        fitted(np.eye(8), recipe="study")
    fitted(np.eye(8), recipe="official")


def test_anomalibs_patch_and_image_scores_and_its_selection_are_ours():
    theirs = np.load(ANOMALIB, allow_pickle=False)
    scores = fitted(theirs["bank"], recipe="anomalib").score(FeatureGrid(theirs["patches"]))
    np.testing.assert_allclose(scores.patches, theirs["patch_scores"], rtol=1e-5)
    np.testing.assert_allclose(scores.images, theirs["image_scores"], rtol=1e-5)
    chosen = k_center_greedy(theirs["points"], 80, start=7)
    np.testing.assert_array_equal(chosen, theirs["order"])


def test_the_official_coreset_begins_at_ten_anchors_on_the_linear_projection():
    features = ToyFeatures(normals(5, 12, 4, 5, 200))
    memory = coreset(features, 3, recipe="official")
    rng = np.random.default_rng(3)
    matrix = draw_projection(CoresetParams(recipe="official"), 240, 200, rng)
    flat = features.patches.reshape(-1, 200)
    anchors = rng.choice(240, size=10, replace=False)
    chosen = k_center_greedy_from_anchors(flat @ matrix, 24, anchors=anchors)
    np.testing.assert_array_equal(memory.images, chosen // 20)
    np.testing.assert_array_equal(memory.rows, flat[chosen])


def test_more_anchors_than_patches_are_all_patches():
    features = ToyFeatures(normals(6, 2, 2, 1, 3))
    assert len(coreset(features, 0, anchors=10, ratio=0.5).rows) == 2


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), kind=st.sampled_from(["gaussian", "sparse", "linear"]))
def test_projections_keep_distances_up_to_one_factor(seed, kind):
    params = CoresetParams(projection=kind, projection_dims=300)
    matrix = draw_projection(params, 10, 900, np.random.default_rng(seed))
    points = normals(seed, 8, 900)
    ratios = cdist(points @ matrix, points @ matrix) / (cdist(points, points) + np.eye(8))
    factor = (300 / 2700) ** 0.5 if kind == "linear" else 1.0
    np.testing.assert_allclose(ratios[~np.eye(8, dtype=bool)], factor, rtol=0.4)


def test_the_matrices_hold_the_values_their_sources_say():
    rng = np.random.default_rng(7)
    linear = draw_projection(CoresetParams(recipe="official"), 99, 1024, rng)
    assert linear.shape == (1024, 128)
    assert np.abs(linear).max() == pytest.approx(1 / 32, rel=1e-3)
    sparse = draw_projection(CoresetParams(recipe="anomalib"), 20, 1024, rng)
    assert sparse.shape == (1024, johnson_lindenstrauss(20))
    size = (32 / sparse.shape[1]) ** 0.5
    np.testing.assert_allclose(np.unique(sparse), [-size, 0, size], rtol=1e-6)
    assert (sparse != 0).mean() == pytest.approx(1 / 32, rel=0.1)
    assert linear.dtype == sparse.dtype == np.float32


def test_anomalibs_projection_has_the_length_of_the_johnson_lindenstrauss_bound():
    assert johnson_lindenstrauss(164_000) == 296
    assert johnson_lindenstrauss(2_800_000) == 366
    assert johnson_lindenstrauss(1) == 1


@pytest.mark.parametrize("dims", [None, 20, 50])
def test_nothing_is_projected_where_it_would_not_shorten_the_vectors(dims):
    params = CoresetParams(projection="sparse", projection_dims=dims)
    assert draw_projection(params, 100, 20, np.random.default_rng(0)) is None
