"""One property a trait: claimed, it holds on every case; denied, a case is found against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adharness.metrics import METRICS, MetricSpec, evaluate_images, find_metric
from adharness.metrics.traits import TRAITS

FAST = settings(max_examples=30, deadline=None, derandomize=True)
NAMES = [*(name for name, spec in METRICS.items() if spec.level == "image"), "image_ap@trapezoid"]
SPECS = {name: find_metric(name) for name in NAMES}


@dataclass(frozen=True, eq=False)
class Case:
    """Labels, scores in steps of 1/8, which stay distinct under exp(6s), and thresholds."""

    labels: np.ndarray
    scores: np.ndarray
    thresholds: np.ndarray
    step: float
    """By how much a score is raised."""


Pair: TypeAlias = tuple[Case, Case]


def build(pick: Callable[[int, int], int]) -> Case:
    """Make a case of integers picked between two ends, by hypothesis or by a generator."""
    count, width = pick(2, 24), pick(2, 32)
    labels = [0, 1, *(pick(0, 1) for _ in range(count - 2))]
    scores = [pick(-width, width) / 8 for _ in labels]
    one = [pick(-40, 40) / 8] * count  # may lie beyond all scores
    thresholds = [pick(-width, width) / 8 for _ in labels] if pick(0, 1) else one
    return Case(np.array(labels), np.array(scores), np.array(thresholds), pick(0, 64) / 8)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    return build(lambda low, high: draw(st.integers(low, high)))


def random_case(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    return build(lambda low, high: int(rng.integers(low, high + 1)))


def values(case: Case, names: list[str]) -> dict[str, float]:
    found = evaluate_images(case.labels, case.scores, names, threshold=case.thresholds)
    return {name: value.value for name, value in found.items()}


# --- what is compared: a case and another one that is related to it ---------------------------


def taken(case: Case, images: np.ndarray) -> Case:
    return replace(
        case,
        labels=case.labels[images],
        scores=case.scores[images],
        thresholds=case.thresholds[images],
    )


def shuffled(case: Case) -> Pair:
    order = np.random.default_rng(len(case.labels)).permutation(len(case.labels))
    return case, taken(case, order)


def doubled(case: Case) -> Pair:
    return case, taken(case, np.tile(np.arange(len(case.labels)), 2))


def normals_doubled(case: Case) -> Pair:
    return case, taken(case, np.repeat(np.arange(len(case.labels)), 2 - case.labels))


def steep(case: Case) -> Pair:
    thresholds = np.exp(6 * case.thresholds)
    return case, replace(case, scores=np.exp(6 * case.scores), thresholds=thresholds)


def at_a_score(case: Case) -> Pair:
    """Thresholds that equal the scores of their images, and half a step above."""
    return (
        replace(case, thresholds=case.scores),
        replace(case, thresholds=case.scores + 1 / 16),
    )


def separated(case: Case) -> Pair:
    away = np.abs(case.scores)
    scores = np.where(case.labels == 1, 1 + away, -away)
    return case, replace(case, scores=scores, thresholds=np.zeros(len(scores)))


def constant(case: Case) -> Pair:
    return case, replace(case, scores=np.full(len(case.labels), 3.0))


def raised(case: Case) -> Pair:
    scores = case.scores.copy()
    scores[np.flatnonzero(case.labels)[-1]] += case.step
    return case, replace(case, scores=scores)


def raised_without_ties(case: Case) -> Pair:
    order = np.argsort(case.scores + np.arange(len(case.scores)) / 1024)
    scores = np.empty(len(order))
    scores[order] = np.arange(len(order)) / 8
    untied = replace(case, scores=scores, step=case.step + 1 / 16)  # never onto another score
    return raised(untied)


def negated(case: Case) -> Pair:
    return case, replace(case, scores=-case.scores, thresholds=-case.thresholds)


def one_more_normal(case: Case) -> Pair:
    images = taken(case, np.append(np.arange(len(case.labels)), 0))  # the first image is normal
    scores = np.append(case.scores, case.scores.min() - 1 / 8)
    return case, replace(images, scores=scores)


# --- how the two values must relate -----------------------------------------------------------


def same(one: float, other: float) -> bool:
    return one == pytest.approx(other, abs=1e-12, nan_ok=True)


def equal(spec: MetricSpec, case: Case, before: float, after: float) -> bool:
    return same(before, after)


def best(spec: MetricSpec, case: Case, before: float, after: float) -> bool:
    return after == spec.best


def never_worse(spec: MetricSpec, case: Case, before: float, after: float) -> bool:
    gain = after - before if spec.direction == "higher" else before - after
    return bool(np.isnan(before) or gain >= -1e-12)


def reflected(spec: MetricSpec, case: Case, before: float, after: float) -> bool:
    return same(after, 1 - before)


def of_pairs(spec: MetricSpec, case: Case, before: float, after: float) -> bool:
    gap = case.scores[case.labels == 1][:, None] - case.scores[case.labels == 0]
    return same(before, float(np.mean((gap > 0) + 0.5 * (gap == 0))))


def stated(spec: MetricSpec, case: Case, before: float, after: float) -> bool:
    share = case.labels.mean()
    expected = {
        "auroc": 0.5,
        "ap": share,
        "auroc_fpr10": 0.05,
        "fpr_at_95_tpr": 0.95,
        "f1_oracle": 2 * share / (1 + share),
        "accuracy_oracle": max(share, 1 - share),
        "cost_oracle": min(0.01 * 10, 0.99 * 1),
    }
    return same(after, expected[spec.quantity])


Relation: TypeAlias = Callable[[MetricSpec, Case, float, float], bool]
PROPERTIES: Mapping[str, tuple[Callable[[Case], Pair], Relation]] = {
    "permutation_invariant": (shuffled, equal),
    "duplication_invariant": (doubled, equal),
    "rank_invariant": (steep, equal),
    "threshold_equivariant": (steep, equal),
    "strict_threshold": (at_a_score, equal),
    "best_at_perfect": (separated, best),
    "closed_form_at_constant": (constant, stated),
    "monotone": (raised, never_worse),
    "monotone_without_ties": (raised_without_ties, never_worse),
    "negation_reflects": (negated, reflected),
    "pair_count": (shuffled, of_pairs),
    "prevalence_free": (normals_doubled, equal),
    "easy_normal_harmless": (one_more_normal, never_worse),
}


def broken(trait: str, names: list[str], case: Case) -> set[str]:
    """Which of these metrics do not have the trait on this case."""
    related, relation = PROPERTIES[trait]
    first, second = related(case)
    before, after = values(first, names), values(second, names)
    held = {n for n in names if relation(SPECS[n], first, before[n], after[n])}
    return set(names) - held


def test_there_is_a_property_for_every_trait_of_images() -> None:
    assert set(PROPERTIES) == {t for t, trait in TRAITS.items() if "image" in trait.levels}
    assert all(spec.traits <= set(PROPERTIES) for spec in SPECS.values())


@pytest.mark.parametrize("trait", PROPERTIES)
@FAST
@given(case=cases())
def test_a_claimed_trait_holds_on_every_case(trait: str, case: Case) -> None:
    claiming = [name for name, spec in SPECS.items() if trait in spec.traits]
    assert not broken(trait, claiming, case)


@pytest.mark.parametrize("trait", PROPERTIES)
def test_a_denied_trait_fails_on_some_case(trait: str) -> None:
    left = {name for name, spec in SPECS.items() if trait in spec.denied}
    for seed in range(400):
        left -= broken(trait, sorted(left), random_case(seed)) if left else set()
    assert not left, f"no case in 400 speaks against {trait}"


@FAST
@given(case=cases())
def test_every_value_lies_in_the_range_of_its_metric(case: Case) -> None:
    for name, value in values(case, NAMES).items():
        low, high = SPECS[name].range
        assert np.isnan(value) or low <= value <= high, name


@FAST
@given(case=cases())
def test_the_oracles_are_never_below_one_deployed_threshold(case: Case) -> None:
    one = replace(case, thresholds=np.full(len(case.labels), case.thresholds[0]))
    found = values(one, NAMES)
    assert found["image_f1_oracle"] >= found["image_f1"]
    assert found["image_accuracy_oracle"] >= found["image_accuracy"]
    assert found["image_cost_oracle"] <= found["image_cost"]  # of one arithmetic: no tolerance
