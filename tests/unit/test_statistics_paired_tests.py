from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adharness.statistics import (
    Drawn,
    delong,
    detectable,
    draw,
    holm,
    normal_p,
    p_value,
    replicates,
    strata_of,
)


def drawn(replicate: list[float] | np.ndarray) -> Drawn:
    return Drawn(0.0, np.asarray(replicate, float), np.zeros(0), np.zeros(0, np.int64))


def naive_delong(labels, first, second) -> tuple[float, float]:
    """Every pair of images, as the paper defines it."""
    kernel = lambda x, y: (x > y) + 0.5 * (x == y)  # noqa: E731
    of_method = []
    for scores in (first, second):
        pairs = np.array([[kernel(x, y) for y in scores[labels == 0]] for x in scores[labels == 1]])
        of_method.append((pairs.mean(axis=1), pairs.mean(axis=0), pairs.mean()))
    (x1, y1, a1), (x2, y2, a2) = of_method
    covariance = np.cov(x1, x2) / len(x1) + np.cov(y1, y2) / len(y1)
    return a1 - a2, covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]


@given(st.integers(0, 10_000), st.integers(2, 9), st.integers(2, 9), st.integers(2, 6))
def test_delong_is_its_definition_over_all_pairs(seed, positives, negatives, levels):
    rng = np.random.default_rng(seed)
    labels = np.repeat([1, 0], [positives, negatives])
    first, second = rng.integers(0, levels, (2, len(labels))).astype(float)
    found = delong(labels, first, second)
    assert found == pytest.approx(naive_delong(labels, first, second), abs=1e-12)


def test_delong_agrees_with_the_paired_bootstrap():
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 2
    shared = rng.normal(size=300)
    first, second = (shared + rng.normal(size=300) + s * labels for s in (1.5, 1.0))
    made = draw(strata_of(labels), 3000, rng)
    one, two = (
        made.read(replicates("image_auroc", labels, s, made.weights)) for s in (first, second)
    )
    difference, variance = delong(labels, first, second)
    paired = one.minus(two)
    assert difference == pytest.approx(paired.estimate, abs=1e-12)
    assert np.sqrt(variance) == pytest.approx(np.std(paired.replicates), rel=0.07)
    assert normal_p(difference, variance**0.5) == pytest.approx(p_value(paired), abs=0.01)


def test_delong_within_classes_agrees_with_the_bootstrap_that_draws_within_them():
    rng = np.random.default_rng(1)
    labels, classes = np.arange(400) % 2, np.repeat(["a", "b"], 200)
    scores = rng.normal(size=(2, 400)) + 1.5 * labels
    scores[0] += 3.0 * (classes == "b")  # one scale a class: pooled it is far worse
    made = draw(strata_of(labels, classes.tolist()), 2000, rng)
    one, two = (made.read(replicates("image_auroc", labels, s, made.weights)) for s in scores)
    _, within = delong(labels, *scores, classes.tolist())
    _, ignoring = delong(labels, *scores)
    spread = np.std(one.minus(two).replicates)
    assert np.sqrt(within) == pytest.approx(spread, rel=0.07)
    assert np.sqrt(ignoring) > 1.3 * spread


def test_delong_of_one_label_is_undefined_and_of_one_image_has_no_variance():
    assert np.isnan(delong([1, 1], [0, 1], [1, 0])).all()
    difference, variance = delong([0, 0, 1], [0, 1, 2], [2, 1, 0])
    assert (difference, np.isnan(variance)) == (1.0, True)


def test_a_p_value_counts_the_replicates_beyond_zero_and_is_never_zero():
    values = np.arange(1.0, 1000.0)
    assert p_value(drawn(values)) == 2 / 1000
    assert p_value(drawn(-values)) == 2 / 1000
    assert p_value(drawn(values - 10.5)) == 2 * 11 / 1000
    assert p_value(drawn(np.zeros(9))) == 1.0
    assert np.isnan(p_value(drawn([np.nan, np.nan, 1.0])))


def test_p_values_of_equal_methods_are_below_a_level_no_more_often_than_it_says():
    rng = np.random.default_rng(1)
    labels, found = np.arange(80) % 2, []
    for _ in range(200):
        first, second = rng.normal(size=(2, 80)) + labels
        made = draw(strata_of(labels), 199, rng)
        one, two = (
            made.read(replicates("image_auroc", labels, s, made.weights)) for s in (first, second)
        )
        found.append(p_value(one.minus(two)))
    assert np.mean(np.array(found) < 0.05) <= 0.1
    assert 0.3 < np.mean(np.array(found) < 0.5) < 0.7


def test_holm_is_the_textbook_example():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_the_order_and_lies_between_the_value_and_bonferroni(values):
    adjusted = np.array(holm(values))
    given = np.array(values)
    assert (adjusted >= given).all()
    assert (adjusted <= np.minimum(1, given * len(given)) + 1e-12).all()
    order = np.argsort(given, kind="stable")
    assert (np.diff(adjusted[order]) >= 0).all()


def test_a_detectable_difference_is_found_four_times_in_five():
    rng = np.random.default_rng(2)
    size = detectable(0.5)
    assert size == pytest.approx(2.80 * 0.5, abs=0.005)
    measured = size + 0.5 * rng.normal(size=20_000)
    assert np.mean(np.abs(measured) > 1.96 * 0.5) == pytest.approx(0.8, abs=0.01)


def test_without_spread_only_equal_numbers_are_equal():
    assert normal_p(0.0, 0.0) == 1.0
    assert normal_p(0.1, 0.0) == 0.0
