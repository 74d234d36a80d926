"""Fitting and scoring one model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from adharness.contracts import (
    Bag,
    BankSpec,
    ExtractorSpec,
    FeatureGrid,
    Params,
    Pixels,
    ScorerSpec,
    Scores,
)  # fmt: skip
from adharness.engine.cell import evaluated, fit, score_images
from adharness.errors import ContractError, DataError
from adharness.registry import Component
from adharness.suite.bound import Bound, BoundMethod
from adharness.suite.schema import MapSettings
from adharness.testing.worlds import ToyFeatures


class NoParams(Params):
    """Nothing to set."""


@dataclass(frozen=True, eq=False)
class Features(ToyFeatures):
    shards: tuple[()] = ()


class Toy:
    """A bank and a scorer that draw from their generators and score as they are told."""

    def __init__(self, score: Any = None) -> None:
        self.score_as, self.seen, self.drawn = score, [], []

    def reduce(self, features: Features, rng: np.random.Generator) -> Bag:
        self.drawn.append(rng.random(3).tolist())
        return Bag(np.zeros((2, features.dim), np.float32), np.zeros(2, np.int64))

    def fit(self, memory: Bag, rng: np.random.Generator) -> Toy:
        self.drawn.append(rng.random(3).tolist())
        return self

    def score(self, features: FeatureGrid) -> Scores:
        self.seen.append(len(features.patches))
        if self.score_as:
            return self.score_as(features)
        return Scores(patches=features.patches.mean(axis=-1))


def method(toy: Toy) -> BoundMethod:
    def bound(spec: Any, **traits: Any) -> Bound:
        made = spec(name="toy", params=NoParams, make=lambda _: toy, summary="", **traits)
        return Bound(Component(made, "tests", "0"), NoParams())

    bank, scorer = bound(BankSpec, emits="bag"), bound(ScorerSpec, needs="bag")
    return BoundMethod("toy", "toy", bound(ExtractorSpec), bank, scorer, MapSettings())


def features(count: int) -> Features:
    values = np.random.default_rng(count).normal(size=(count, 2, 3, 4))
    return Features(values.astype(np.float32))


def fit_and_score(chosen: Any, train: Any, evaluate: Any, *, seed: int) -> Any:
    return score_images(fit(chosen, train, seed=seed), chosen.scorer.name, train, evaluate)


def score(toy: Toy, count: int = 5, seed: int = 0) -> Any:
    return fit_and_score(method(toy), features(3), features(count), seed=seed)


def test_images_are_scored_one_by_one_and_kept_as_given():
    toy = Toy()
    raw = score(toy)
    assert toy.seen == [1] * 5
    assert raw.own is None
    np.testing.assert_array_equal(raw.patches, features(5).patches.mean(axis=-1))


def test_a_scorer_that_ranks_within_its_batch_gains_nothing():
    def ranks(grid: FeatureGrid) -> Scores:
        values = grid.patches.mean(axis=(1, 2, 3))
        return Scores(images=values.argsort().argsort().astype(np.float32))

    assert set(score(Toy(ranks)).own.tolist()) == {0.0}


def test_what_the_scorer_says_of_an_image_is_kept_beside_its_patches():
    both = lambda g: Scores(g.patches.mean(axis=-1), np.array([7.0], np.float32))  # noqa: E731
    raw = score(Toy(both))
    assert raw.own.tolist() == [7.0] * 5
    assert raw.patches.shape == (5, 2, 3)


def nearest(row: int) -> Any:
    return lambda g: Scores(g.patches.mean(axis=-1), nearest=np.full((1, 2, 3), row))


def test_patches_are_counted_by_the_class_of_their_nearest_row():
    class FromSecond(Toy):
        def reduce(self, features: Features, rng: np.random.Generator) -> Bag:
            assert features.classes is None  # its spec does not ask for them
            return Bag(np.zeros((2, features.dim), np.float32), np.array([0, 2]))

    told = replace(features(3), classes=np.array([0, 0, 1]))
    raw = fit_and_score(method(FromSecond(nearest(1))), told, features(2), seed=0)
    assert raw.neighbours.tolist() == [[0, 6], [0, 6]]
    alone = replace(features(3), classes=np.array([1, 1, 1]))
    assert fit_and_score(method(Toy(nearest(1))), alone, features(2), seed=0).neighbours is None
    with pytest.raises(ContractError, match="names rows that its memory does not have"):
        fit_and_score(method(Toy(nearest(2))), told, features(2), seed=0)


def test_a_bank_that_declares_it_is_told_the_classes():
    class Asks(Toy):
        def reduce(self, features: Features, rng: np.random.Generator) -> Bag:
            self.drawn.append(features.classes.tolist())
            return super().reduce(features, rng)

    toy = Asks()
    plain = method(toy)
    asking = replace(plain.bank.component.spec, needs_class=lambda _: True)
    bank = replace(plain.bank, component=replace(plain.bank.component, spec=asking))
    told = replace(features(3), classes=np.array([0, 0, 1]))
    fit_and_score(replace(plain, bank=bank), told, features(2), seed=0)
    assert toy.drawn[0] == [0, 0, 1]


@pytest.mark.parametrize("images", [[0, 3], [-1, 0], [0]])
def test_a_bag_that_names_images_which_do_not_exist_is_refused(images: list[int]):
    class Wrong(Toy):
        def reduce(self, features: Features, rng: np.random.Generator) -> Bag:
            return Bag(np.zeros((2, features.dim), np.float32), np.array(images))

    with pytest.raises(ContractError, match="bank 'toy'"):
        score(Wrong())


def test_what_a_fitted_scorer_says_of_itself_is_kept_where_it_is_finite():
    class Says(Toy):
        recall = 0.9

        def facts(self) -> dict[str, float]:
            return {"recall": self.recall}

    says = Says()
    assert score(says).facts == {"recall": 0.9}
    says.recall = float("nan")
    with pytest.raises(ContractError, match="its recall is nan"):
        score(says)
    assert score(Toy()).facts == {}


def test_bank_and_scorer_draw_apart_and_the_seed_decides():
    drawn = []
    for seed in (0, 0, 1):
        toy = Toy()
        score(toy, seed=seed)
        drawn.append(toy.drawn)
    assert drawn[0] == drawn[1]
    bank, scorer = drawn[0]
    assert bank != scorer
    assert not {*map(tuple, drawn[0])} & {*map(tuple, drawn[2])}


def now_and_then(grid: FeatureGrid) -> Scores:
    high = float(grid.patches.mean()) > float(features(5).patches[0].mean()) - 1e-9
    one = np.ones(1, np.float32)
    return Scores(np.ones((1, 2, 3), np.float32) if high else None, one)


@pytest.mark.parametrize(("answer", "says"), [
    (lambda g: Scores(), "neither patch scores nor image scores"),
    (lambda g: Scores(np.zeros((1, 3, 2), np.float32)), r"patch scores of scorer 'toy' has shape"),
    (lambda g: Scores(images=np.zeros(2, np.float32)), "image scores of scorer 'toy' has shape"),
    (lambda g: Scores(images=np.array([np.inf])), "not finite"),
    (now_and_then, "of some images and not of others"),
])  # fmt: skip
def test_scores_that_break_the_contract_are_refused(answer, says):
    with pytest.raises(ContractError, match=says):
        score(Toy(answer))


def test_no_image_to_score_is_an_error_of_the_data():
    with pytest.raises(DataError, match="left to score"):
        score(Toy(), count=0)


def test_a_training_image_among_the_evaluated_is_a_leak():
    train = np.array([0, 1, 2])
    assert evaluated(train, np.array([9, 4]), np.array([5, 4])).tolist() == [4, 5, 9]
    with pytest.raises(ContractError, match="2 training images are also evaluated"):
        evaluated(train, np.array([4, 1]), np.array([2]))


class OnImages(Toy):
    """Remembers the images themselves."""

    def reduce(self, features: Features, rng: np.random.Generator) -> Pixels:  # type: ignore[override]
        return Pixels(features)


def constant(*shape: int) -> Any:
    return lambda features: Scores(patches=np.ones(shape, np.float32))


@pytest.mark.parametrize("grid", [(1, 1), (2, 3), (5, 7)])
def test_a_scorer_on_images_chooses_the_grid_of_its_maps(grid):
    assert score(OnImages(constant(1, *grid))).patches.shape == (5, *grid)


def test_any_other_scorer_gives_a_score_a_patch():
    with pytest.raises(ContractError, match=r"has shape \(1, 5, 7\), expected \(1, 2, 3\)"):
        score(Toy(constant(1, 5, 7)))


@pytest.mark.parametrize("shape", [(1, 0, 4), (2, 3, 3), (3, 3), (1, 3, 3, 1)])
def test_a_map_that_is_no_map_of_one_image_is_refused(shape):
    with pytest.raises(ContractError, match="patch scores of scorer 'toy' has shape"):
        score(OnImages(constant(*shape)))


def test_a_grid_that_changes_from_image_to_image_is_refused():
    toy = OnImages(lambda _: Scores(patches=np.ones((1, len(toy.seen), 2), np.float32)))
    with pytest.raises(ContractError, match=r"that of the first image, has shape \(1, 2, 2\)"):
        score(toy)
