"""One test a trait, over all image metrics that claim it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from adharness.metrics import METRICS, evaluate_images

FAST = settings(max_examples=20, deadline=None, derandomize=True)
# Steps of 1/8 make ties likely and stay distinct under exp(6s), which spans 21 decades.
SCORES = st.integers(-32, 32).map(lambda step: step / 8)
THRESHOLDS = SCORES


@st.composite
def cases(draw: st.DrawFn, ties: bool = True) -> tuple[np.ndarray, np.ndarray]:
    count = draw(st.integers(2, 24))
    labels = draw(st.lists(st.integers(0, 1), min_size=count, max_size=count))
    labels[0], labels[1] = 0, 1
    scores = draw(st.lists(SCORES, min_size=count, max_size=count, unique=not ties))
    return np.array(labels), np.array(scores)


def claiming(trait: str) -> pytest.MarkDecorator:
    names = [s.name for s in METRICS.values() if s.level == "image" and trait in s.traits]
    return pytest.mark.parametrize("metric", names)


def value(metric: str, labels: np.ndarray, scores: np.ndarray, threshold: float = 0.0) -> float:
    return evaluate_images(labels, scores, [metric], threshold=threshold)[metric].value


def same(one: float, other: float) -> bool:
    return one == pytest.approx(other, abs=1e-12, nan_ok=True)


@claiming("permutation_invariant")
@FAST
@given(case=cases(), seed=st.integers(0, 99))
def test_the_order_of_the_images_is_irrelevant(
    metric: str, case: tuple[np.ndarray, np.ndarray], seed: int
) -> None:
    labels, scores = case
    order = np.random.default_rng(seed).permutation(len(labels))
    assert value(metric, labels[order], scores[order]) == pytest.approx(
        value(metric, labels, scores), nan_ok=True, rel=0, abs=0
    )


@claiming("duplication_invariant")
@FAST
@given(case=cases())
def test_the_set_taken_twice_gives_the_same(
    metric: str, case: tuple[np.ndarray, np.ndarray]
) -> None:
    labels, scores = case
    assert same(value(metric, np.tile(labels, 2), np.tile(scores, 2)), value(metric, *case))


@claiming("rank_invariant")
@FAST
@given(case=cases())
def test_a_steep_increasing_transform_changes_nothing(
    metric: str, case: tuple[np.ndarray, np.ndarray]
) -> None:
    labels, scores = case
    assert value(metric, labels, np.exp(6 * scores)) == value(metric, labels, scores)


@claiming("threshold_equivariant")
@FAST
@given(case=cases(), threshold=THRESHOLDS)
def test_transforming_scores_and_threshold_together_changes_nothing(
    metric: str, case: tuple[np.ndarray, np.ndarray], threshold: float
) -> None:
    labels, scores = case
    steep = np.exp(6 * np.append(scores, threshold))
    after = value(metric, labels, steep[:-1], steep[-1])
    assert same(after, value(metric, labels, scores, threshold))


@claiming("strict_threshold")
@FAST
@given(case=cases(), pick=st.integers(0, 23))
def test_a_score_equal_to_the_threshold_counts_as_normal(
    metric: str, case: tuple[np.ndarray, np.ndarray], pick: int
) -> None:
    labels, scores = case
    threshold = scores[pick % len(scores)]
    after = value(metric, labels, scores, threshold + 1 / 16)  # above it, below the next step
    assert same(after, value(metric, labels, scores, threshold))


@claiming("best_at_perfect")
@FAST
@given(case=cases())
def test_full_separation_gives_exactly_the_best_value(
    metric: str, case: tuple[np.ndarray, np.ndarray]
) -> None:
    labels, scores = case
    separated = np.where(labels == 1, 1 + np.abs(scores), -np.abs(scores))
    assert value(metric, labels, separated) == METRICS[metric].best


@claiming("closed_form_at_constant")
@FAST
@given(case=cases())
def test_equal_scores_give_the_stated_value(
    metric: str, case: tuple[np.ndarray, np.ndarray]
) -> None:
    labels, _ = case
    share = labels.mean()
    expected = {"auroc": 0.5, "ap": share, "f1_oracle": 2 * share / (1 + share)}
    found = value(metric, labels, np.full(len(labels), 3.0))
    assert same(found, expected[METRICS[metric].quantity])


def _raised(
    metric: str, case: tuple[np.ndarray, np.ndarray], step: float
) -> tuple[float, float, bool]:
    """Value before and after the last anomalous image is raised, and whether a tie formed."""
    labels, scores = case
    image = np.flatnonzero(labels)[-1]
    higher = scores.copy()
    higher[image] += step
    tied = len(np.unique(higher)) < len(higher)
    before, after = value(metric, labels, scores), value(metric, labels, higher)
    sign = 1 if METRICS[metric].direction == "higher" else -1
    return sign * before, sign * after, tied


@claiming("monotone")
@FAST
@given(case=cases(), step=SCORES.map(abs))
def test_raising_an_anomalous_image_never_hurts(
    metric: str, case: tuple[np.ndarray, np.ndarray], step: float
) -> None:
    before, after, _ = _raised(metric, case, step)
    assert np.isnan(before) or after >= before - 1e-12


@claiming("monotone_without_ties")
@FAST
@given(case=cases(ties=False), step=SCORES.map(abs))
def test_raising_an_anomalous_image_never_hurts_without_ties(
    metric: str, case: tuple[np.ndarray, np.ndarray], step: float
) -> None:
    before, after, _ = _raised(metric, case, step + 1 / 16)  # half a step: never onto another score
    assert np.isnan(before) or after >= before - 1e-12


def test_average_precision_denies_monotone_because_a_tie_can_lower_it() -> None:
    assert "monotone" not in METRICS["image_ap"].traits
    before, after, tied = _raised("image_ap", (np.array([0, 1, 1]), np.array([1.0, 0, 0])), 1.0)
    assert tied
    assert (before, after) == pytest.approx((2 / 3, 7 / 12))


def denying(trait: str) -> pytest.MarkDecorator:
    names = [s.name for s in METRICS.values() if s.level == "image" and trait not in s.traits]
    return pytest.mark.parametrize("metric", names)


FIXED = (np.array([0, 1, 0, 1, 1, 0, 1]), np.array([-1.0, -0.5, 0.25, 0.5, 0.75, 1.0, 2.0]))


@denying("rank_invariant")
def test_an_increasing_transform_matters_to_a_metric_that_denies_it(metric: str) -> None:
    labels, scores = FIXED
    assert not same(value(metric, labels, scores - 0.8), value(metric, labels, scores))


@denying("prevalence_free")
def test_the_share_of_normal_images_matters_to_a_metric_that_denies_it(metric: str) -> None:
    labels, scores = FIXED
    after = value(metric, np.repeat(labels, 2 - labels), np.repeat(scores, 2 - labels))
    assert not same(after, value(metric, labels, scores))


@denying("negation_reflects")
def test_negation_does_not_reflect_a_metric_that_denies_it(metric: str) -> None:
    labels, scores = FIXED
    at = np.nextafter(-0.5, -1)  # negated, no score meets it
    assert not same(value(metric, labels, -scores, at), 1 - value(metric, labels, scores, at))


@claiming("negation_reflects")
@FAST
@given(case=cases())
def test_negated_scores_give_one_minus_the_value(
    metric: str, case: tuple[np.ndarray, np.ndarray]
) -> None:
    labels, scores = case
    assert same(value(metric, labels, -scores), 1 - value(metric, labels, scores))


@claiming("pair_count")
@FAST
@given(case=cases())
def test_the_value_is_the_share_of_pairs_in_order(
    metric: str, case: tuple[np.ndarray, np.ndarray]
) -> None:
    labels, scores = case
    gap = scores[labels == 1][:, None] - scores[labels == 0]
    assert same(value(metric, labels, scores), float(np.mean((gap > 0) + 0.5 * (gap == 0))))


@claiming("prevalence_free")
@FAST
@given(case=cases())
def test_every_normal_image_taken_twice_changes_nothing(
    metric: str, case: tuple[np.ndarray, np.ndarray]
) -> None:
    labels, scores = case
    times = 2 - labels
    after = value(metric, np.repeat(labels, times), np.repeat(scores, times))
    assert same(after, value(metric, labels, scores))


@claiming("easy_normal_harmless")
@FAST
@given(case=cases())
def test_one_more_normal_image_below_all_others_never_hurts(
    metric: str, case: tuple[np.ndarray, np.ndarray]
) -> None:
    labels, scores = case
    after = value(metric, np.append(labels, 0), np.append(scores, -100))
    assert after >= value(metric, labels, scores) - 1e-12


@FAST
@given(case=cases())
def test_average_precision_equals_the_library_one(case: tuple[np.ndarray, np.ndarray]) -> None:
    assert same(value("image_ap", *case), oracle.average_precision_score(*case))


@FAST
@given(case=cases(), threshold=THRESHOLDS)
def test_the_oracle_is_never_below_a_deployed_threshold(
    case: tuple[np.ndarray, np.ndarray], threshold: float
) -> None:
    deployed = value("image_f1", *case, threshold)
    assert value("image_f1_oracle", *case) >= deployed
