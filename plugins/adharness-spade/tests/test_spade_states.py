from __future__ import annotations

import numpy as np
import pytest

from adharness import ContractError, Grid
from adharness.testing.states import assert_restores, spoiled
from adharness.testing.worlds import toy_world
from adharness_spade import SPADE, SpadeParams


def made(**params):
    world = toy_world(np.random.default_rng(3), train=9)
    scorer = SPADE.make(SpadeParams(**params))
    return world, scorer, scorer.fit(Grid(world.train), np.random.default_rng(0))


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize(("k", "kappa"), [(1, 1), (4, 3), (9, 60)])
def test_a_restored_scorer_scores_alike_to_the_last_bit(k, kappa, squared):
    world, scorer, fitted = made(k=k, kappa=kappa, squared=squared)
    assert_restores(scorer, fitted, world.anomalous)


def test_a_restored_scorer_reads_the_stored_patches_where_they_are():
    _, scorer, fitted = made(k=2)
    state = fitted.state()
    assert scorer.restore(state).gallery.features.patches is state["patches"]


def test_every_spoiled_state_is_refused_by_name():
    _, scorer, fitted = made(k=2)
    for what, name, state in spoiled(fitted.state()):
        with pytest.raises(ContractError, match=r"spade's (state|array)"):
            raise AssertionError(f"{what} {name} was taken: {scorer.restore(state)}")


def test_embeddings_of_other_images_are_refused():
    _, scorer, fitted = made(k=2)
    state = dict(fitted.state())
    state["embeddings"] = state["embeddings"][:-1]
    with pytest.raises(ContractError, match="'embeddings' has shape"):
        scorer.restore(state)


@pytest.mark.parametrize(("name", "value"), [("k", 10), ("kappa", 41)])
def test_a_state_with_fewer_images_or_patches_than_the_params_ask_for_is_refused(name, value):
    state = made(k=2)[2].state()
    params = SpadeParams(**{"k": 2, name: value})
    with pytest.raises(ContractError, match=f"{name} = {value} neighbours asked of"):
        SPADE.make(params).restore(state)
