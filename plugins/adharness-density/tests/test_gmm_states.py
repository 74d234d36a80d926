from __future__ import annotations

import numpy as np
import pytest

from adharness import Bag, ContractError, Grid
from adharness.testing.states import assert_restores, spoiled
from adharness.testing.worlds import toy_world
from adharness_density import GMM, GmmParams

WORLD = toy_world(np.random.default_rng(7), dim=6)
COVARIANCES = ["full", "tied", "diag", "spherical"]


def made(kind="grid", **params):
    rows = WORLD.train.patches.reshape(-1, 6)
    bag = Bag(rows, np.repeat(np.arange(WORLD.train.count), 20))
    scorer = GMM.make(GmmParams(**{"dims": 4, "components": 3, **params}))
    memory = bag if kind == "bag" else Grid(WORLD.train)
    return scorer, scorer.fit(memory, np.random.default_rng(0))


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("kind", ["bag", "grid"])
@pytest.mark.parametrize(
    "params",
    [{}, {"dims": None}, {"residual": False}, {"components": 1}, {"max_iter": 1}],
    ids=str,
)
def test_a_restored_scorer_scores_alike_to_the_last_bit(kind, covariance, params):
    scorer, fitted = made(kind, covariance=covariance, **params)
    assert_restores(scorer, fitted, WORLD.anomalous)
    assert scorer.restore(fitted.state()).converged == fitted.converged


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_every_spoiled_state_is_refused_by_name(covariance):
    scorer, fitted = made(covariance=covariance)
    for what, name, state in spoiled(fitted.state()):
        with pytest.raises(ContractError, match=r"gmm's (state|array)"):
            raise AssertionError(f"{what} {name} was taken: {scorer.restore(state)}")


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"dims": 3}, "axes"),
        ({"components": 2}, "weights"),
        ({"covariance": "diag"}, "factors"),
    ],
)
def test_a_state_of_other_params_is_refused(params, name):
    state = made()[1].state()
    with pytest.raises(ContractError, match=f"gmm's array '{name}' has shape"):
        GMM.make(GmmParams(**{"dims": 4, "components": 3, **params})).restore(state)


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("name", ["scale", "left_out", "weights", "factors"])
def test_what_must_be_positive_is_refused_where_it_is_not(covariance, name):
    scorer, fitted = made(covariance=covariance)
    state = dict(fitted.state())
    state[name] = -state[name]
    with pytest.raises(ContractError, match=f"gmm's array '{name}' holds -"):
        scorer.restore(state)


def test_weights_that_are_no_shares_are_refused():
    scorer, fitted = made()
    state = {**fitted.state(), "weights": np.full(3, 0.5)}
    with pytest.raises(ContractError, match=r"'weights' adds up to 1\.5, expected 1"):
        scorer.restore(state)


def test_more_axes_than_dimensions_are_refused():
    scorer, fitted = made()
    state = {**fitted.state(), "mean": np.zeros(3), "axes": np.ones((4, 3))}
    with pytest.raises(ContractError, match="'axes' has 4 axes in 3 dimensions"):
        scorer.restore(state)


SIGNS = np.resize([1e308, -1e308, 1e308], (3, 4))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("huge", "name"),
    [
        ({"mean": np.full(6, 1e308), "axes": np.full((4, 6), 1e308)}, "coordinates"),
        ({"centres": SIGNS, "factors": np.full((3, 4, 4), 1e308)}, "scores"),
    ],
)
def test_numbers_out_of_all_bounds_give_an_error_and_no_score_that_is_not_finite(huge, name):
    scorer, fitted = made()
    with pytest.raises(ContractError, match=rf"gmm {name} holds .* not finite"):
        scorer.restore({**fitted.state(), **huge}).score(WORLD.normal)
