from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import adharness_spade
from adharness import Bag, ContractError, FeatureGrid, Grid, Scorer
from adharness.testing.worlds import ToyFeatures, toy_world
from adharness_spade import SPADE, SpadeParams, gallery


def normals(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


def fitted(patches, embeddings, seed=0, **params):
    memory = Grid(ToyFeatures(patches, embeddings))
    return SPADE.make(SpadeParams(**params)).fit(memory, np.random.default_rng(seed))


def world(seed, images=9, grid=(3, 4), dim=5, length=6):
    rng = np.random.default_rng(seed)
    return normals(rng, images, *grid, dim), normals(rng, images, length)


def transcription(train, test, k, kappa, power):
    """Sections 3.2 and 3.3 as loops over images and patches, in float64."""
    (patches, embeddings), (queries, query_embeddings) = (
        [array.astype(np.float64) for array in pair] for pair in (train, test)
    )
    image_scores, patch_scores = [], np.empty(queries.shape[:3])
    for n, embedding in enumerate(query_embeddings):
        distance = [np.sqrt(((embedding - other) ** 2).sum()) for other in embeddings]
        nearest = sorted(range(len(distance)), key=distance.__getitem__)[:k]
        image_scores.append(np.mean([distance[i] ** power for i in nearest]))
        rows = patches[nearest].reshape(-1, patches.shape[-1])
        for place in np.ndindex(*queries.shape[1:3]):
            gaps = sorted(np.sqrt(((rows - queries[(n, *place)]) ** 2).sum(axis=1)))
            patch_scores[(n, *place)] = np.mean(np.power(gaps[:kappa], power))
    return image_scores, patch_scores


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize(("k", "kappa"), [(1, 1), (4, 1), (4, 3), (9, 108)])
def test_scores_equal_a_literal_transcription_in_float64(k, kappa, squared):
    train, test = world(1), world(2, images=4, grid=(2, 5))
    scores = fitted(*train, k=k, kappa=kappa, squared=squared).score(FeatureGrid(*test))
    images, patches = transcription(train, test, k, kappa, 2 if squared else 1)
    assert scores.images.dtype == scores.patches.dtype == np.float32
    np.testing.assert_allclose(scores.images, images, rtol=1e-6)
    np.testing.assert_allclose(scores.patches, patches, rtol=1e-6)


def test_patches_of_images_that_were_not_retrieved_are_never_compared():
    patches, embeddings = world(3)
    query = FeatureGrid(patches[:1], embeddings[1:2])  # looks like image 1, patches of image 0
    alone = fitted(patches, embeddings, k=1).score(query)
    assert alone.images[0] == 0
    assert (alone.patches > 0).all()
    assert (fitted(patches, embeddings, k=9).score(query).patches == 0).all()


def test_of_equally_distant_images_the_first_are_taken():
    patches = np.arange(4, dtype=np.float32).reshape(4, 1, 1, 1) * 10
    scorer = fitted(patches, np.ones((4, 3), np.float32), k=2)
    scores = scorer.score(FeatureGrid(np.full((1, 1, 1, 1), 30, np.float32), np.ones((1, 3), "f4")))
    assert scores.patches.item() == 20  # of 0 and 10, not of 30


def test_reading_and_gathering_in_blocks_changes_nothing(monkeypatch):
    train, test = world(4), FeatureGrid(*world(5, images=3))
    whole = fitted(*train, k=5, kappa=2).score(test)
    monkeypatch.setattr(gallery, "READ_VALUES", 70)
    monkeypatch.setattr(gallery, "GATHERED_VALUES", 20)
    parts = fitted(*train, k=5, kappa=2).score(test)
    np.testing.assert_allclose(parts.patches, whole.patches, rtol=1e-6)
    np.testing.assert_allclose(parts.images, whole.images, rtol=1e-6)


def test_neighbours_are_right_far_from_the_origin():
    (patches, embeddings), (queries, seen) = world(6, images=20, dim=30), world(7, 3, dim=30)
    moved = [array * np.float32(0.01) + np.float32(100) for array in (patches, queries)]
    scores = fitted(moved[0], embeddings, k=20).score(FeatureGrid(moved[1], seen))
    _, expected = transcription((moved[0], embeddings), (moved[1], seen), 20, 1, 1)
    np.testing.assert_allclose(scores.patches, expected, rtol=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_scores_are_the_same_to_the_bit_alone_in_any_batch_and_in_any_order(seed):
    scorer, (patches, embeddings) = fitted(*world(seed), k=3), world(seed + 1, images=4)
    whole = scorer.score(FeatureGrid(patches, embeddings))
    order = np.random.default_rng(seed).permutation(4)
    shuffled = scorer.score(FeatureGrid(patches[order], embeddings[order]))
    np.testing.assert_array_equal(shuffled.patches, whole.patches[order])
    np.testing.assert_array_equal(shuffled.images, whole.images[order])
    for i in range(4):
        alone = scorer.score(FeatureGrid(patches[i : i + 1], embeddings[i : i + 1]))
        np.testing.assert_array_equal(alone.patches[0], whole.patches[i])
        assert alone.images[0] == whole.images[i]


def test_nothing_depends_on_the_rng_or_on_the_order_of_the_training_images():
    (patches, embeddings), test = world(8), FeatureGrid(*world(9, images=3))
    expected = fitted(patches, embeddings, k=4).score(test)
    again = fitted(patches, embeddings, seed=7, k=4).score(test)
    np.testing.assert_array_equal(again.patches, expected.patches)
    turned = fitted(patches[::-1], embeddings[::-1], k=4).score(test)
    np.testing.assert_allclose(turned.patches, expected.patches, rtol=1e-6)
    np.testing.assert_allclose(turned.images, expected.images, rtol=1e-6)


def test_constant_duplicate_and_single_features_give_defined_scores():
    ones = np.ones((3, 2, 2, 4), np.float32), np.ones((3, 5), np.float32)
    scores = fitted(*ones, k=3, kappa=12).score(FeatureGrid(*(array + 1 for array in ones)))
    np.testing.assert_allclose(scores.patches, 2.0)
    np.testing.assert_allclose(scores.images, np.sqrt(5))
    single = [array[:1, :1, :1] for array in ones[:1]] + [ones[1][:1]]
    assert fitted(*single, k=1).score(FeatureGrid(*single)).images.item() == 0


def test_features_too_far_for_float32_score_its_largest_value():
    far = np.full((1, 1, 1, 5), 3e38, np.float32), np.full((1, 6), 3e38, np.float32)
    scores = fitted(*world(17), k=2).score(FeatureGrid(*far))
    assert scores.images.item() == scores.patches.item() == np.finfo(np.float32).max


def test_inputs_stay_unchanged_and_strided_ones_give_the_same_scores():
    (patches, embeddings), test = world(10), world(11, images=2)
    expected = fitted(patches, embeddings, k=2).score(FeatureGrid(*test))
    strided = [np.asfortranarray(array) for array in test]
    for array in (patches, embeddings, *strided):
        array.setflags(write=False)
    scores = fitted(patches, embeddings, k=2).score(FeatureGrid(*strided))
    np.testing.assert_array_equal(scores.patches, expected.patches)
    np.testing.assert_array_equal(strided[0], test[0])


def test_defects_of_a_toy_world_score_above_every_normal_patch_and_image():
    toy = toy_world(np.random.default_rng(12), shift=20.0)
    scorer = fitted(toy.train.patches, toy.train.embeddings, k=20)
    odd, normal = (scorer.score(f) for f in (toy.anomalous, toy.normal))
    assert odd.patches[toy.defects].min() > normal.patches.max()
    assert odd.images.min() > normal.images.max()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"k": 10}, r"k = 10 neighbours asked of 9 image"),
        ({}, r"k = 50 neighbours asked of 9 image"),
        ({"k": 2, "kappa": 25}, r"kappa = 25 neighbours asked of 24 patch"),
    ],
)
def test_more_neighbours_than_there_are_is_an_error_with_both_numbers(params, message):
    with pytest.raises(ContractError, match=message):
        fitted(*world(13), **params)


def test_training_features_that_cannot_be_searched_are_refused():
    patches, embeddings = world(14, images=40, grid=(1, 1))
    with pytest.raises(ContractError, match="spade needs image embeddings"):
        fitted(patches, None, k=2)
    with pytest.raises(ContractError, match="fits on `grid`"):
        SPADE.make(SpadeParams()).fit(Bag(embeddings, np.zeros(40, np.int64)), None)
    patches[35, 0, 0, 1] = np.nan
    with pytest.raises(ContractError, match="patch features of image 35 hold 1 value"):
        fitted(patches, embeddings, k=2)
    embeddings[3, 0] = np.inf
    with pytest.raises(ContractError, match="image embeddings of image 3"):
        fitted(np.zeros_like(patches), embeddings, k=2)


def test_queries_that_do_not_fit_are_refused():
    scorer, (patches, embeddings) = fitted(*world(15), k=2), world(16, images=2)
    broken = patches.copy()
    broken[1, 0, 0, 0] = np.nan
    for message, query in [
        ("no image embeddings", FeatureGrid(patches)),
        (
            "patch features have D = 4, the memory has D = 5",
            FeatureGrid(patches[..., :4], embeddings),
        ),
        ("image embeddings have D = 3", FeatureGrid(patches, embeddings[:, :3])),
        ("image 1 hold 1 value", FeatureGrid(broken, embeddings)),
    ]:
        with pytest.raises(ContractError, match=message):
            scorer.score(query)


@pytest.mark.parametrize("bad", [{"k": 0}, {"kappa": 0}, {"neighbours": 3}])
def test_bad_params_are_refused(bad):
    with pytest.raises(ValidationError):
        SpadeParams(**bad)


def test_the_plugin_is_found_through_its_entry_point():
    (entry,) = [e for e in entry_points(group="adharness") if e.name == "spade"]
    assert entry.load() is adharness_spade
    assert list(adharness_spade.adharness_scorers()) == [SPADE]
    assert isinstance(SPADE.make(SpadeParams()), Scorer)


def test_importing_the_plugin_does_not_import_faiss():
    code = "import sys, adharness_spade; sys.exit('faiss' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
