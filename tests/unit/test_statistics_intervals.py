"""Statistics with their intervals: means, differences, and what is left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri
from scipy.stats import skew

from adharness.errors import MetricError
from adharness.metrics import evaluate_images
from adharness.statistics import (
    Drawn,
    draw,
    join,
    macro_mean,
    over_alike,
    over_classes,
    over_drawn_classes,
    replicates,
    sampling,
    strata_of,
    units_of,
)

NONE = np.zeros(0), np.zeros(0, np.int64)


def bare(values: list[float] | np.ndarray, estimate: float = float("nan")) -> Drawn:
    return Drawn(estimate, np.asarray(values, dtype=np.float64), *NONE)


def auroc(labels: np.ndarray, scores: np.ndarray, seed: int = 0, resamples: int = 300) -> Drawn:
    made = draw(strata_of(labels), resamples, np.random.default_rng(seed))
    return made.read(replicates("image_auroc", labels, scores, made.weights))


def data(count: int = 40, seed: int = 8) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    return labels, labels + rng.normal(size=count)


def test_the_percentile_interval_cuts_equal_tails() -> None:
    assert bare(np.arange(101.0)).interval(0.9, "percentile") == pytest.approx((5.0, 95.0))
    with pytest.raises(MetricError, match=r"the level is 95"):
        bare([1.0]).interval(95)


def test_without_an_estimate_and_influence_bca_is_the_percentile_interval() -> None:
    drawn = bare(np.random.default_rng(0).normal(size=400))
    assert drawn.interval(0.9, "bca") == pytest.approx(drawn.interval(0.9, "percentile"))


def test_undefined_replicates_are_left_out_unless_they_are_most() -> None:
    assert bare([1.0, np.nan, 1.0]).interval() == (1.0, 1.0)
    assert np.isnan(bare([1.0, np.nan, np.nan]).interval()).all()
    assert np.isnan(bare([]).interval()).all()


def test_a_constant_metric_has_an_interval_of_no_width() -> None:
    labels = np.arange(20) % 2
    assert auroc(labels, labels.astype(float)).interval() == (1.0, 1.0)


@pytest.mark.parametrize("estimate", [-9.0, 9.0])
def test_an_estimate_beyond_all_replicates_leaves_the_percentile_interval(estimate: float) -> None:
    drawn = bare(np.arange(101.0) / 100, estimate)
    assert drawn.interval(0.9, "bca") == drawn.interval(0.9, "percentile")


@pytest.mark.parametrize("seed", range(10))
def test_the_last_digit_of_the_influence_moves_no_end(seed: int) -> None:
    """Else a board would tell which processor it was made on."""
    drawn = auroc(*data(seed=seed), seed)
    near = replace(drawn, influence=np.nextafter(drawn.influence, 1.0))
    assert near.interval() == drawn.interval()


def test_bca_is_its_formula_where_images_are_many() -> None:
    rng = np.random.default_rng(3)
    influence = rng.exponential(size=2000) - 1
    drawn = Drawn(0.1, rng.normal(size=999), influence, np.zeros(2000, np.int64))
    bias = ndtri(np.mean(drawn.replicates < 0.1))
    tails = bias + ndtri([0.025, 0.975])
    moved = ndtr(bias + tails / (1 - skew(influence) / np.sqrt(2000) / 6 * tails))
    expected = np.quantile(drawn.replicates, moved)
    assert drawn.interval(0.95) == pytest.approx(expected, abs=0.02)
    assert drawn.acceleration == pytest.approx(skew(influence) / np.sqrt(2000) / 6, rel=0.05)


def test_few_images_give_a_wider_interval_than_many() -> None:
    replicate = np.random.default_rng(0).normal(size=4000)
    even = np.resize([1.0, -1.0], 400)
    widths = []
    for count in (4, 20, 400):
        drawn = Drawn(0.0, replicate, even[:count], np.zeros(count, np.int64))
        low, high = drawn.interval()
        widths.append(high - low)
    plain = np.subtract(*reversed(bare(replicate).interval(0.95, "percentile")))
    assert widths[0] > widths[1] > widths[2]
    assert widths[2] == pytest.approx(plain, rel=0.03)


def test_the_influence_of_a_mean_is_the_distance_to_it_over_the_size() -> None:
    labels = np.array([0, 0, 0, 0, 1, 1])
    made = draw(strata_of(labels), 10, np.random.default_rng(0))
    scores = np.array([0.0, 1.0, 5.0, 2.0, 3.0, 9.0])
    means = made.weights @ (scores * (1 - labels)) / (made.weights @ (1 - labels))
    drawn = made.read(means)
    assert drawn.estimate == 2.0
    assert drawn.influence == pytest.approx([-0.5, -0.25, 0.75, 0.0, 0.0, 0.0])
    assert len(drawn.replicates) == 10


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1000), st.integers(10, 60))
def test_the_influence_adds_up_to_the_variance_of_the_replicates(seed: int, count: int) -> None:
    labels, scores = data(2 * count, seed)
    drawn = auroc(labels, scores, seed, resamples=500)
    spread = np.std(drawn.replicates)
    assert np.sqrt((drawn.influence**2).sum()) == pytest.approx(spread, rel=0.35, abs=0.01)


def test_too_many_images_are_left_out_several_at_once_with_the_same_spread(monkeypatch) -> None:
    labels, scores = data(400)
    single = auroc(labels, scores)
    monkeypatch.setattr(sampling, "LEFT_OUT", 40)
    together = auroc(labels, scores)
    assert 200 <= len(single.influence) <= 256
    assert 36 <= len(together.influence) <= 41
    assert np.std(together.replicates) == np.std(single.replicates)
    spreads = [np.sqrt((one.influence**2).sum()) for one in (single, together)]
    assert spreads[0] == pytest.approx(spreads[1], rel=0.4)


def test_an_image_without_which_nothing_is_defined_has_no_influence() -> None:
    labels = np.array([0, 0, 0, 1])
    drawn = auroc(labels, np.array([0.0, 1.0, 3.0, 2.0]))
    assert np.isfinite(drawn.influence).all()
    assert drawn.influence[-1] == 0.0
    assert np.isfinite(drawn.interval()).all()


def test_views_of_one_object_are_drawn_and_left_out_together() -> None:
    classes = ["a"] * 4 + ["b"] * 4
    units = units_of(["x", "x", None, "", "x", "x", "y", "y"], classes)
    assert units.tolist() == [0, 0, 1, 2, 3, 3, 4, 4]
    strata = strata_of([0, 1, 0, 1, 0, 0, 0, 0], classes, units)
    assert strata.tolist() == [1, 1, 0, 1, 2, 2, 2, 2]
    weights = draw(strata, 30, np.random.default_rng(0), units).weights
    assert len(weights) == 30 + 5 + 1
    for first, second in ((0, 1), (4, 5), (6, 7)):
        assert (weights[:, first] == weights[:, second]).all()
    assert weights[30:35].sum(axis=0).tolist() == [4] * 8
    with pytest.raises(MetricError, match="several strata"):
        draw(strata_of([0, 1, 0, 1, 0, 0, 0, 0]), 5, np.random.default_rng(0), units)


def test_images_that_stand_alone_are_drawn_as_if_there_were_no_groups() -> None:
    strata = strata_of([0, 1, 0, 1, 1])
    plain = draw(strata, 20, np.random.default_rng(0))
    grouped = draw(strata, 20, np.random.default_rng(0), units_of([None] * 5))
    assert np.array_equal(plain.weights, grouped.weights)


def test_sets_that_are_joined_keep_their_draws_and_their_strata_apart() -> None:
    rng = np.random.default_rng(0)
    strata = [np.array([0, 1, 1]), np.array([0, 0])]
    weights = [rng.integers(0, 3, (4, len(one))) for one in strata]
    joined = join(weights, strata, [None, None], rng)
    assert np.array_equal(joined.weights[:4], np.concatenate(weights, axis=1))
    assert joined.left_strata.tolist() == [0, 1, 1, 2, 2]


def test_a_difference_of_equal_methods_is_zero_in_every_resample() -> None:
    labels, scores = data()
    one, other = auroc(labels, scores), auroc(labels, np.exp(scores))
    assert one.minus(other).interval() == (0.0, 0.0)
    with pytest.raises(MetricError, match="replicates has shape"):
        one.minus(auroc(labels, scores, resamples=7))
    with pytest.raises(MetricError, match="influence has shape"):
        one.minus(bare(np.zeros(300)))


def test_a_macro_mean_keeps_an_undefined_class_visible() -> None:
    found = over_classes([bare([1.0, 0.5], 0.9), bare([0.0, np.nan], 0.1)])
    assert found.estimate == 0.5
    assert found.replicates[0] == 0.5
    assert np.isnan(found.replicates[1])
    with pytest.raises(MetricError, match="a mean of nothing"):
        over_classes([])


def test_the_variance_of_a_macro_mean_is_that_of_its_classes_over_their_number_squared() -> None:
    of_classes = [auroc(*data(40, seed), seed) for seed in range(5)]
    macro = over_classes(of_classes)
    spread = sum((one.influence**2).sum() for one in of_classes) / 25
    assert (macro.influence**2).sum() == pytest.approx(spread)
    assert len(np.unique(macro.strata)) == 10
    assert np.var(macro.replicates) == pytest.approx(spread, rel=0.3)


def test_drawn_classes_add_the_spread_between_classes() -> None:
    rng = np.random.default_rng(0)
    of_classes = [bare(mean + 0.01 * rng.normal(size=2000), mean) for mean in (0.5, 0.7, 0.9, 0.95)]
    fixed, drawn = (macro_mean(of_classes, kind) for kind in ("fixed", "hierarchical"))
    assert fixed.estimate == drawn.estimate == pytest.approx(0.7625)
    between = np.var([0.5, 0.7, 0.9, 0.95]) / 4
    assert np.var(drawn.replicates) == pytest.approx(between + 0.01**2 / 4, rel=0.1)
    assert np.std(fixed.replicates) == pytest.approx(0.005, rel=0.1)


def test_a_class_that_is_drawn_twice_has_two_resamples_of_its_images() -> None:
    """One class: every draw has it alone, and the mean over one slot keeps its spread."""
    rng = np.random.default_rng(1)
    same = [bare(rng.normal(size=4000), 0.0) for _ in range(8)]
    drawn = over_drawn_classes(same, np.random.default_rng(0))
    assert np.var(drawn.replicates) == pytest.approx(1 / 8, rel=0.15)  # not 2 / 8


def test_equal_states_draw_equal_classes() -> None:
    rng = np.random.default_rng(2)
    of_classes = [bare(rng.normal(size=50), 0.0) for _ in range(4)]
    one, other = (macro_mean(of_classes, "hierarchical") for _ in range(2))
    assert one.minus(other).interval() == (0.0, 0.0)


def test_a_mean_over_seeds_keeps_the_images_paired() -> None:
    """Two equal seeds are no more images than one."""
    one = auroc(*data())
    mean = over_alike([one, one])
    assert mean.interval() == pytest.approx(one.interval())
    assert mean.strata is one.strata


def test_the_interval_contains_the_estimate_and_shrinks_with_more_images() -> None:
    widths = []
    for count in (50, 800):
        labels, scores = data(count)
        low, high = auroc(labels, scores).interval()
        value = evaluate_images(labels, scores, ["image_auroc"])["image_auroc"].value
        assert low < value < high
        widths.append(high - low)
    assert 2.5 < widths[0] / widths[1] < 6.5  # sqrt(800 / 50) = 4
