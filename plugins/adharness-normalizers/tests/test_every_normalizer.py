"""What every normalizer promises, whatever its formula."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adharness import Calibration, ContractError, DataError, ImageContext
from adharness_normalizers import adharness_normalizers

SPECS = {spec.name: spec for spec in adharness_normalizers()}
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("raw", {}),
    ("zscore", {}),
    ("zscore-routed", {}),
    ("zscore-routed", {"by": "class"}),
    ("zscore-routed", {"by": "class", "route": "neighbours"}),
    ("cluster-quantile", {}),
    ("cluster-quantile", {"clusters": 1}),
    ("local-density", {}),
    ("local-density", {"of": "distances"}),
    ("conformal", {}),
    ("conformal", {"per": "class"}),
    ("conformal", {"per": "pooled", "tail": "exponential"}),
    ("regressed", {}),
]
every = pytest.mark.parametrize(("name", "chosen"), VARIANTS, ids=str)
CLASSES = ["a"] * 14 + ["b"] * 12 + ["c"] * 16


@dataclass(frozen=True)
class World:
    """Three classes: where their embeddings lie, and on which scale they score."""

    scores: np.ndarray
    embeddings: np.ndarray


def world(rng: np.random.Generator) -> World:
    middles = {"a": [0.0, 0.0], "b": [9.0, 0.0], "c": [0.0, 9.0]}
    scales = {"a": (10.0, 1.0), "b": (30.0, 6.0), "c": (100.0, 9.0)}
    embeddings = np.array([middles[c] for c in CLASSES]) + rng.normal(size=(len(CLASSES), 2))
    scores = np.array([scales[c][0] + scales[c][1] * rng.normal() for c in CLASSES])
    return World(scores, embeddings.astype(np.float32))


WORLD = world(np.random.default_rng(3))
TEST = world(np.random.default_rng(4))


def fitted(name: str, chosen: dict[str, Any], made: World = WORLD, **changes: Any) -> Any:
    spec = SPECS[name]
    context = ImageContext(changes.get("classes", CLASSES), made.embeddings)
    given = Calibration(changes.get("scores", made.scores), changes.get("labels"), context)
    return spec.make(spec.params(**chosen)).fit(given)


@cache
def _ready(name: str, chosen: tuple[tuple[str, Any], ...]) -> Any:
    return fitted(name, dict(chosen))


def ready(name: str, chosen: dict[str, Any]) -> Any:
    """Fitted on the world as it is, once: what is fitted does not change."""
    return _ready(name, tuple(chosen.items()))


def context(i: int | slice, made: World = TEST) -> ImageContext:
    chosen = slice(i, i + 1) if isinstance(i, int) else i
    return ImageContext(CLASSES[chosen], made.embeddings[chosen])


@every
@settings(max_examples=30, deadline=None)
@given(values=st.lists(st.integers(-300, 600), min_size=2, max_size=20, unique=True),
       image=st.integers(0, len(CLASSES) - 1))  # fmt: skip
def test_within_an_image_higher_scores_stay_higher(name, chosen, values, image):
    ordered = np.sort(np.array(values, dtype=np.float64)).reshape(1, 1, -1)
    scaled = ready(name, chosen).apply(ordered, context(image))
    assert scaled.shape == ordered.shape
    assert (np.diff(scaled) > 0).all()


@every
def test_each_image_is_rescaled_on_its_own(name, chosen):
    transform = ready(name, chosen)
    together = transform.apply(TEST.scores, context(slice(None)))
    alone = [transform.apply(TEST.scores[i : i + 1], context(i))[0] for i in range(len(CLASSES))]
    np.testing.assert_array_equal(together, alone)
    backwards = transform.apply(TEST.scores[::-1], context(slice(None, None, -1)))
    np.testing.assert_array_equal(together, backwards[::-1])


@every
def test_a_map_is_rescaled_pixel_by_pixel_like_its_images_score(name, chosen):
    transform = ready(name, chosen)
    maps = np.random.default_rng(0).uniform(0, 200, size=(5, 3, 4))
    scaled = transform.apply(maps, context(slice(0, 40, 8)))
    assert scaled.shape == maps.shape
    one = np.ascontiguousarray(maps[:, 2, 1])
    np.testing.assert_array_equal(scaled[:, 2, 1], transform.apply(one, context(slice(0, 40, 8))))


@every
def test_the_order_of_the_calibration_images_changes_nothing(name, chosen):
    order = np.random.default_rng(1).permutation(len(CLASSES))
    shuffled = World(WORLD.scores[order], WORLD.embeddings[order])
    other = fitted(name, chosen, shuffled, classes=[CLASSES[i] for i in order])
    expected = ready(name, chosen).apply(TEST.scores, context(slice(None)))
    found = other.apply(TEST.scores, context(slice(None)))
    if name == "zscore":  # the mean of a class is summed in the order given
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    else:
        np.testing.assert_array_equal(found, expected)


@every
def test_anomalous_calibration_images_are_not_learnt_from(name, chosen):
    labels = np.zeros(len(CLASSES) + 3, np.int64)
    labels[-3:] = 1
    made = World(
        np.append(WORLD.scores, [900.0, 901.0, np.nan])[: len(labels)],
        np.append(WORLD.embeddings, np.full((3, 2), 4, np.float32), axis=0),
    )
    made.scores[-1] = 902.0
    with_them = fitted(name, chosen, made, classes=[*CLASSES, "a", "b", "c"], labels=labels)
    np.testing.assert_array_equal(
        with_them.apply(TEST.scores, context(slice(None))),
        ready(name, chosen).apply(TEST.scores, context(slice(None))),
    )


EQUIVARIANT = [v for v in VARIANTS if v[0] not in ("raw", "local-density")]


@pytest.mark.parametrize(("name", "chosen"), EQUIVARIANT, ids=str)
@pytest.mark.parametrize(("factor", "shift"), [(1e-3, 0.0), (7.0, -4000.0), (1e4, 3.0)])
def test_another_unit_or_origin_of_the_scores_changes_nothing(name, chosen, factor, shift):
    moved = fitted(name, chosen, scores=factor * WORLD.scores + shift)
    values = np.append(TEST.scores, [0.0, 500.0])
    embeddings = np.append(TEST.embeddings, TEST.embeddings[13:15], axis=0)
    images = ImageContext([*CLASSES, "a", "b"], embeddings)
    np.testing.assert_allclose(
        moved.apply(factor * values + shift, images),
        ready(name, chosen).apply(values, images),
        rtol=1e-6,
        atol=1e-6,
    )


@pytest.mark.parametrize(("of", "left"), [("scores", 1.0), ("distances", 5.0)])
def test_a_density_ratio_has_no_unit_where_scores_are_divided_by_scores(of, left):
    chosen = {"of": of}
    found = fitted("local-density", chosen, scores=5 * WORLD.scores).apply(
        5 * TEST.scores, context(slice(None))
    )
    expected = fitted("local-density", chosen).apply(TEST.scores, context(slice(None)))
    np.testing.assert_allclose(found, left * expected, rtol=1e-12)


@every
def test_what_lies_far_outside_the_calibration_scores_stays_finite_and_in_order(name, chosen):
    far = np.array([[-1e12, -1e6, 1e6, 1e12]])
    scaled = ready(name, chosen).apply(far, context(20))
    assert np.isfinite(scaled).all()
    assert (np.diff(scaled) > 0).all()


@every
def test_the_same_calibration_gives_the_same_bytes_and_is_left_as_it_was(name, chosen):
    for array in (WORLD.scores, WORLD.embeddings):
        array.setflags(write=False)
    values = TEST.scores.copy()
    values.setflags(write=False)
    twice = [fitted(name, chosen).apply(values, context(slice(None))) for _ in range(2)]
    assert twice[0].tobytes() == twice[1].tobytes()


@every
def test_no_image_gives_no_score(name, chosen):
    nothing = ImageContext([], np.zeros((0, 2), np.float32))
    assert ready(name, chosen).apply(np.zeros((0, 2, 2)), nothing).shape == (0, 2, 2)


@every
def test_a_class_that_need_not_be_told_is_not_read(name, chosen):
    spec = SPECS[name]
    need = spec.needs_class(spec.params(**chosen))
    hidden = ImageContext(None, TEST.embeddings)
    if need == "always":
        with pytest.raises(ContractError, match="needs the class"):
            ready(name, chosen).apply(TEST.scores, hidden)
        return
    told = ready(name, chosen).apply(TEST.scores, context(slice(None)))
    untold = fitted(name, chosen, classes=CLASSES if need == "at-fit" else None)
    np.testing.assert_array_equal(untold.apply(TEST.scores, hidden), told)


@every
def test_an_embedding_that_need_not_be_there_is_not_read_and_one_that_must_is_asked_for(
    name, chosen
):
    spec = SPECS[name]
    params = spec.params(**chosen)
    without = ImageContext(CLASSES, None)
    if spec.needs_embedding(params):
        with pytest.raises(ContractError, match=f"{name} needs the embedding of every image"):
            spec.make(params).fit(Calibration(WORLD.scores, None, without))
        with pytest.raises(ContractError, match=f"{name} needs the embedding of every image"):
            ready(name, chosen).apply(TEST.scores, without)
        longer = ImageContext(CLASSES[:1], np.zeros((1, 3), np.float32))
        with pytest.raises(ContractError, match="embeddings has shape"):
            ready(name, chosen).apply(TEST.scores[:1], longer)
        return
    learnt = spec.make(params).fit(Calibration(WORLD.scores, None, without))
    np.testing.assert_array_equal(
        learnt.apply(TEST.scores, without),
        ready(name, chosen).apply(TEST.scores, context(slice(None))),
    )


LEARNING = [v for v in VARIANTS if v[0] != "raw"]


@pytest.mark.parametrize(("name", "chosen"), LEARNING, ids=str)
def test_too_few_images_scores_without_spread_and_scores_that_are_no_numbers_are_refused(
    name, chosen
):
    few = World(WORLD.scores[:1], WORLD.embeddings[:1])
    with pytest.raises(DataError, match=r"needs? \d+|1 normal"):
        fitted(name, chosen, few, classes=["a"])
    with pytest.raises(DataError, match=r"no scale"):
        fitted(name, chosen, scores=np.full(len(CLASSES), 3.0))
    broken = WORLD.scores.copy()
    broken[5] = np.nan
    with pytest.raises(DataError, match="not finite"):
        fitted(name, chosen, scores=broken)


@pytest.mark.parametrize(("name", "chosen"), VARIANTS, ids=str)
def test_a_normalizer_that_keeps_the_order_of_a_class_says_so_truly(name, chosen):
    if not SPECS[name].keeps_class_order:
        return
    transform = ready(name, chosen)
    mine = slice(0, 14)
    scaled = transform.apply(TEST.scores[mine], context(mine))
    np.testing.assert_array_equal(np.argsort(scaled), np.argsort(TEST.scores[mine]))
