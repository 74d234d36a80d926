"""Random scores come back from their state."""

from __future__ import annotations

import numpy as np
import pytest

from adharness import Bag, ContractError, Grid, Images
from adharness.baselines.random_scores import RandomScorer, RandomScoresParams
from adharness.testing.states import assert_restores, spoiled
from adharness.testing.worlds import toy_world

WORLD = toy_world(np.random.default_rng(9))
SCORER = RandomScorer(RandomScoresParams())
MEMORIES = {
    "bag": Bag(WORLD.train.patches[:, 0, 0], np.arange(WORLD.train.count)),
    "grid": Grid(WORLD.train),
    "images": Images(WORLD.train.embeddings),
}


@pytest.mark.parametrize("kind", MEMORIES)
def test_a_restored_scorer_draws_the_same_scores(kind):
    fitted = SCORER.fit(MEMORIES[kind], np.random.default_rng(1))
    assert_restores(SCORER, fitted, WORLD.anomalous)


def test_every_spoiled_state_is_refused_by_name():
    fitted = SCORER.fit(MEMORIES["grid"], np.random.default_rng(1))
    for what, name, state in spoiled(fitted.state()):
        with pytest.raises(ContractError, match=r"random-scores's (state|array)"):
            raise AssertionError(f"{what} {name} was taken: {SCORER.restore(state)}")


def test_a_length_that_no_vector_has_is_refused():
    state = SCORER.fit(MEMORIES["grid"], np.random.default_rng(1)).state()
    with pytest.raises(ContractError, match="'dim' is -1, expected a positive length"):
        SCORER.restore({**state, "dim": np.array([-1])})
