"""The kit's world of images: what a scorer that is trained end to end is tried on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from adharness import FeatureGrid, Memory, ScorerSpec, Scores, check_pixels
from adharness.baselines import adharness_scorers
from adharness.baselines.mean_image import FittedMeanImage, MeanImage, MeanImageParams
from adharness.testing import ConformanceError, conform, scorer_checks, toy_images
from adharness.testing.scorers.memories import World
from adharness.testing.subject import as_given

(MEAN,) = (spec for spec in adharness_scorers() if spec.name == "mean-image")


def test_images_are_whole_numbers_and_defects_are_where_they_differ():
    world = toy_images(np.random.default_rng(0), train=9, test=4, size=(32, 48), side=8)
    for images in (world.train.patches, world.normal.patches, world.anomalous.patches):
        assert images.dtype == np.float32
        assert np.array_equal(images, np.clip(np.rint(images), 0, 255))
    mean = world.train.patches.mean(axis=0)
    off = np.abs(world.anomalous.patches - mean).mean(axis=-1)
    assert world.defects.sum(axis=(1, 2)).tolist() == [64] * 4
    assert off[world.defects].min() > 3 * off[~world.defects].mean()


def test_defects_are_found_on_a_coarser_grid_wherever_one_of_their_pixels_is():
    world = World.drawn("pixels", 0)
    assert np.array_equal(world.defects((64, 96)), world.toy.defects)
    coarse = world.toy.defects.reshape(-1, 8, 8, 12, 8).any(axis=(2, 4))
    assert np.array_equal(world.defects((8, 12)), coarse)


def test_the_floor_of_images_conforms():
    assert conform(MEAN).conforms


def mutant(change: Callable[[FittedMeanImage, FeatureGrid], Scores]) -> ScorerSpec:
    """A mean image whose scores are changed."""

    class Fitted:
        def __init__(self, mean: FittedMeanImage) -> None:
            self.mean = mean

        def score(self, features: FeatureGrid) -> Scores:
            return change(self.mean, features)

        def state(self) -> Any:
            return self.mean.state()

    class Wrong(MeanImage):
        def fit(self, memory: Memory, rng: np.random.Generator) -> Any:
            check_pixels(memory, scorer="wrong")
            return Fitted(super().fit(memory, rng))

        def restore(self, state: Any) -> Any:
            return Fitted(super().restore(state))

    return replace(MEAN, name="wrong", params=MeanImageParams, make=Wrong)


def maps(mean: FittedMeanImage, features: FeatureGrid) -> Any:
    return mean.score(features).patches


def upside_down(mean: FittedMeanImage, features: FeatureGrid) -> Scores:
    return Scores(patches=-maps(mean, features))


def in_the_wrong_place(mean: FittedMeanImage, features: FeatureGrid) -> Scores:
    return Scores(patches=np.roll(maps(mean, features), 8, axis=1))


def over_the_batch(mean: FittedMeanImage, features: FeatureGrid) -> Scores:
    found = maps(mean, features)
    return Scores(patches=found / found.max())


def flattened(mean: FittedMeanImage, features: FeatureGrid) -> Scores:
    return Scores(patches=maps(mean, features).reshape(len(features.patches), -1))


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (upside_down, "scores-anomalies-higher"),
        (in_the_wrong_place, "scores-anomalies-higher"),
        (over_the_batch, "scores-each-image-alone"),
        (flattened, "gives-finite-scores"),
    ],
)
def test_a_wrong_scorer_of_images_is_rejected_by_the_check_that_names_its_fault(change, check):
    (trial,) = (one for one in scorer_checks(mutant(change)) if one.check.name == check)
    with pytest.raises(ConformanceError):
        trial()


@pytest.mark.parametrize(
    "take",
    [
        lambda features: features.read(np.arange(features.count)),
        lambda features: next(iter(features.batches(features.count))),
        lambda features: features.rows(np.arange(features.count * features.grid[0] * 96)),
        lambda features: features.subset(np.arange(features.count)).read(np.arange(40)),
    ],
    ids=["by position", "in one batch", "pixel by pixel", "of a subset"],
)
def test_a_scorer_that_takes_all_training_images_at_once_is_found_out(take):
    class Hungry(MeanImage):
        def fit(self, memory: Memory, rng: np.random.Generator) -> Any:
            take(check_pixels(memory, scorer="hungry").features)
            return super().fit(memory, rng)

    spec = replace(MEAN, name="hungry", params=MeanImageParams, make=Hungry)
    (trial,) = (t for t in scorer_checks(spec) if t.check.name == "reads-images-in-parts")
    with pytest.raises(ConformanceError, match="it reads 40 of 40 training images at once"):
        trial()


def test_what_is_no_memory_of_images_is_never_made_for_one():
    memory = World.drawn("pixels", 0).memory(as_given, images=3)
    assert memory.kind == "pixels"
    assert check_pixels(memory, scorer="s").features.count == 3
