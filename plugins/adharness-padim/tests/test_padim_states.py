from __future__ import annotations

import numpy as np
import pytest

from adharness import ContractError, FeatureGrid, Grid
from adharness.testing.states import assert_restores, spoiled, stored
from adharness.testing.worlds import toy_world
from adharness_padim import PADIM, PadimParams


def made(images=24, seed=0, **params):
    world = toy_world(np.random.default_rng(seed), train=images, dim=20)
    scorer = PADIM.make(PadimParams(**params))
    return world, scorer, scorer.fit(Grid(world.train), np.random.default_rng(seed))


FEW, MANY = made(images=5, dims=12), made(dims=4)


@pytest.mark.parametrize("images", [2, 5, 24])
@pytest.mark.parametrize("dims", [1, 7, "all"])
@pytest.mark.parametrize("epsilon", [0.01, 1.5])
def test_a_restored_scorer_scores_alike_to_the_last_bit(images, dims, epsilon):
    world, scorer, fitted = made(images, dims=dims, epsilon=epsilon)
    assert_restores(scorer, fitted, world.anomalous)


def test_both_forms_of_the_inverse_are_stored_uncopied():
    names = {"gram": FEW, "triangles": MANY}
    for name, (_, _, fitted) in names.items():
        state = fitted.state()
        held = vars(fitted.gaussians.inverse)
        assert any(state[name] is array for array in held.values())
        assert state["mean"] is fitted.gaussians.mean


@pytest.mark.parametrize("number", [0, 1])
def test_every_spoiled_state_is_refused_by_name(number):
    _, scorer, fitted = (FEW, MANY)[number]
    for what, name, state in spoiled(fitted.state()):
        with pytest.raises(ContractError, match=r"padim's (state|array)"):
            raise AssertionError(f"{what} {name} was taken: {scorer.restore(state)}")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("shape", [4, 4, 20], "'shape' is .* 20 positions"),
        ("shape", [-4, -5, 20], "'shape'"),
        ("shape", [4, 5, 3], "'dims' is not ascending within 0 and 2"),
        ("dims", [0, 1, 2, 20], "'dims' is not ascending"),
        ("dims", [-1, 1, 2, 3], "'dims' is not ascending"),
        ("dims", [3, 2, 1, 0], "'dims' is not ascending"),
        ("dims", [1, 1, 2, 3], "'dims' is not ascending"),
        ("dims", [2**63 - 1, -(2**63), 2, 3], "'dims' is not ascending"),
        ("epsilon", [0.02], "'epsilon' is 0.02, the params say 0.01"),
        ("triangles", np.zeros((20, 15)), "'triangles' has 15 numbers a position, 4 .* need 16"),
        ("triangles", np.zeros((19, 16)), r"'triangles' has shape \(19, 16\)"),
    ],
)
def test_an_array_that_does_not_agree_with_the_others_is_refused(name, value, message):
    _, scorer, fitted = MANY
    state = dict(fitted.state())
    state[name] = np.asarray(value, dtype=state[name].dtype)
    with pytest.raises(ContractError, match=message):
        scorer.restore(state)


@pytest.mark.parametrize("params", [{"dims": 5}, {"dims": "all"}, {"dims": 4, "epsilon": 0.1}])
def test_a_state_of_other_params_is_refused(params):
    state = stored(MANY[2].state())
    with pytest.raises(ContractError, match="the params say"):
        PADIM.make(PadimParams(**params)).restore(state)


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
@pytest.mark.parametrize("number", [0, 1])
def test_numbers_out_of_all_bounds_give_an_error_and_never_a_score_that_is_not_finite(number):
    world, scorer, fitted = (FEW, MANY)[number]
    state = {**fitted.state(), "mean": np.full_like(fitted.gaussians.mean, 1e300)}
    with pytest.raises(ContractError, match="too long for float32"):
        scorer.restore(state).score(FeatureGrid(world.normal.patches[:1]))
