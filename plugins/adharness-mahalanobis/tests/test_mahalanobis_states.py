from __future__ import annotations

import numpy as np
import pytest

from adharness import Bag, ContractError, Grid, Images
from adharness.testing.states import assert_restores, spoiled
from adharness.testing.worlds import toy_world
from adharness_mahalanobis import MAHALANOBIS, MahalanobisParams

WORLD = toy_world(np.random.default_rng(5), dim=6)


def memory_of(kind):
    rows = WORLD.train.patches.reshape(-1, 6)
    return {
        "bag": Bag(rows, np.repeat(np.arange(WORLD.train.count), 20)),
        "grid": Grid(WORLD.train),
        "images": Images(WORLD.train.embeddings),
    }[kind]


def made(kind="grid", **params):
    scorer = MAHALANOBIS.make(MahalanobisParams(**params))
    return scorer, scorer.fit(memory_of(kind), np.random.default_rng(0))


OPTIONS = [
    {},
    {"shrinkage": "oas"},
    {"shrinkage": 0.3},
    {"shrinkage": "none", "ridge": 0.5},
    {"pca": 0.7},
    {"npca": 0.3},
    {"layers": (2, 4)},
    {"layers": (1, 2, 3), "npca": 0.5},
]
LEVELS = [
    ("bag", None),
    ("bag", "patch"),
    ("grid", None),
    ("grid", "patch"),
    ("grid", "image"),
    ("images", None),
    ("images", "image"),
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(("kind", "level"), LEVELS)
def test_a_restored_scorer_scores_alike_to_the_last_bit(kind, level, options):
    scorer, fitted = made(kind, level=level, **options)
    assert_restores(scorer, fitted, WORLD.anomalous)


@pytest.mark.parametrize("options", [{}, {"layers": (2, 4), "pca": 0.7}], ids=str)
def test_every_spoiled_state_is_refused_by_name(options):
    scorer, fitted = made(**options)
    for what, name, state in spoiled(fitted.state()):
        with pytest.raises(ContractError, match=r"mahalanobis's (state|array)"):
            raise AssertionError(f"{what} {name} was taken: {scorer.restore(state)}")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"level": "image"}, r"'subject' is 0, level image allows \[1, 2\]"),
        ({"layers": (3, 3)}, "lacks 'whitener_1'"),
        ({"layers": (5,)}, r"'whitener_0' has shape \(6, 6\), expected \(5, 5\)"),
    ],
)
def test_a_state_of_other_params_is_refused(params, message):
    state = made()[1].state()
    with pytest.raises(ContractError, match=message):
        MAHALANOBIS.make(MahalanobisParams(**params)).restore(state)


@pytest.mark.parametrize(
    ("options", "name", "value", "message"),
    [
        ({}, "subject", np.array([3], np.uint8), "'subject' is 3"),
        ({}, "subject", np.array([1], np.uint8), "'subject' is 1"),
        ({}, "mean", np.zeros(7), r"'whitener_0' has shape \(6, 6\), expected \(7, 7\)"),
        ({}, "whitener_0", np.ones((6, 5)), r"'whitener_0' has shape \(6, 5\), expected \(6, 6\)"),
        ({"pca": 0.7}, "whitener_0", np.ones((6, 7)), "'whitener_0' is wider"),
        ({"layers": (2, 4)}, "mean", np.zeros(7), "'mean' has 7 features"),
    ],
)
def test_an_array_that_does_not_agree_with_the_others_is_refused(options, name, value, message):
    scorer, fitted = made(**options)
    with pytest.raises(ContractError, match=message):
        scorer.restore({**fitted.state(), name: value})


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_numbers_out_of_all_bounds_give_an_error_and_never_a_score_that_is_not_finite():
    scorer, fitted = made()
    whitener = np.where(np.eye(6) > 0, 1e308, -1e308)
    state = {**fitted.state(), "mean": np.full(6, 1e308), "whitener_0": whitener}
    with pytest.raises(ContractError, match="too long for float32"):
        scorer.restore(state).score(WORLD.normal)
