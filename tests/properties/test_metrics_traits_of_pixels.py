"""One property a trait: claimed, it holds on every case; denied, a case is found against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adharness.metrics import DeclaredRegions, MetricSpec
from adharness.metrics.traits import TRAITS
from pixel_cases import (
    HIGHEST,
    LOWEST,
    NAMES,
    SPECS,
    Case,
    build,
    flat,
    mapped,
    scored,
    taken,
    unions,
    values,
)

FAST = settings(max_examples=30, deadline=None, derandomize=True)
Pair: TypeAlias = tuple[Case, Case]
cases = st.integers(0, 2**32 - 1).map(build)


# --- what is compared: a case and another one that is related to it ---------------------------


def shuffled(case: Case) -> Pair:
    order = np.random.default_rng(case.seed).permutation(len(case.maps))
    return case, taken(case, order.tolist())


def doubled(case: Case) -> Pair:
    return case, taken(case, [*range(len(case.maps))] * 2)


def in_pieces(case: Case) -> Pair:
    return case, replace(case, in_pieces=True)


def steep(case: Case) -> Pair:
    """Spread over 20 decades; as float32, so that equal scores and thresholds stay equal."""

    def change(scores: np.ndarray) -> np.ndarray:
        return np.exp(6 * scores.astype(np.float64)).astype(np.float32)

    return case, replace(scored(case, change), thresholds=change(case.thresholds))


def at_a_score(case: Case) -> Pair:
    """Thresholds that equal a score of their image, and half a step above."""
    thresholds = np.array([float(scores.flat[0]) for scores in case.maps])
    return replace(case, thresholds=thresholds), replace(case, thresholds=thresholds + 1 / 16)


def separated(case: Case) -> Pair:
    pairs = zip(unions(case), case.maps, strict=True)
    maps = [np.where(mask, abs(scores) + 1 / 64, -abs(scores)) for mask, scores in pairs]
    return case, replace(case, maps=maps, thresholds=np.zeros(len(maps)))


def constant(case: Case) -> Pair:
    return case, scored(case, lambda scores: np.full_like(scores, -2.0))


def raised(case: Case) -> Pair:
    rng = np.random.default_rng(case.seed)
    higher = case.maps[0].copy()
    place = rng.choice(np.flatnonzero(unions(case)[0]))
    higher.flat[place] += rng.integers(1, 5) * rng.choice([0.125, 4, 64])
    return case, replace(case, maps=[higher, *case.maps[1:]])


def raised_without_ties(case: Case) -> Pair:
    rng = np.random.default_rng(case.seed)
    order = rng.permutation(sum(scores.size for scores in case.maps)) / 8 + 1 / 32
    pieces = np.split(order, np.cumsum([scores.size for scores in case.maps])[:-1])
    maps = [piece.reshape(s.shape) for piece, s in zip(pieces, case.maps, strict=True)]
    before, after = raised(replace(case, maps=maps))
    after.maps[0][after.maps[0] != before.maps[0]] += 1 / 16  # never onto another score
    return before, after


def negated(case: Case) -> Pair:
    return case, replace(scored(case, np.negative), thresholds=-case.thresholds)


def normals_doubled(case: Case) -> Pair:
    """Each row taken W times, then each normal pixel of the image again as a row of W pixels."""
    before = mapped(case, lambda array: array.repeat(array.shape[1], axis=0))
    normals = [scores[~mask] for mask, scores in zip(unions(case), case.maps, strict=True)]
    rows = [n[:, None].repeat(s.shape[1], axis=1) for n, s in zip(normals, case.maps, strict=True)]
    maps = [np.vstack(pair) for pair in zip(before.maps, rows, strict=True)]
    regions = [
        r and replace(r, masks=[np.vstack([mask, np.zeros(row.shape, bool)]) for mask in r.masks])
        for r, row in zip(before.regions, rows, strict=True)
    ]
    return before, replace(before, maps=maps, regions=regions)


def one_more_good_image(case: Case) -> Pair:
    lowest = min(scores.min() for scores in case.maps)
    below = np.full((3, 5), lowest - [1 / 8, 4, 500][case.seed % 3])
    more = taken(case, [*range(len(case.maps)), -1])
    return case, replace(more, maps=[*case.maps, below])


def turned(case: Case) -> Pair:
    return case, mapped(case, [np.flipud, np.fliplr, np.transpose][case.seed % 3])


def upscaled(case: Case) -> Pair:
    k = 2 + case.seed % 2
    return case, mapped(case, lambda array: array.repeat(k, axis=0).repeat(k, axis=1))


def small_or_large_found(case: Case) -> Pair:
    """A region of one pixel and one of four, and their scores the other way round."""
    rng = np.random.default_rng(case.seed)
    small, large = np.zeros((2, 6, 6), bool)
    small[0, 0], large[3:5, 3:5] = True, True
    background = rng.integers(-8, 9, (6, 6)) / 8
    one, other = rng.integers(-12, 13, 2) / 8
    maps = [
        np.where(small, a, np.where(large, b, background)) for a, b in ((one, other), (other, one))
    ]
    regions = [DeclaredRegions([small, large], [1, 1 + case.seed % 4]), None]
    first = replace(taken(case, [0, -1]), regions=regions, maps=[maps[0], background])
    return first, replace(first, maps=[maps[1], background])


# --- how the two values must relate -----------------------------------------------------------


def same(one: float, other: float) -> bool:
    return one == pytest.approx(other, abs=1e-12, nan_ok=True)


def equal(spec: MetricSpec, case: Case, before: float, after: float) -> bool:
    ader = spec.dialect == "ader"
    # ADer adds 1e-8 to its denominators, which weighs less the more pixels there are.
    return before == pytest.approx(after, abs=1e-7, nan_ok=True) if ader else same(before, after)


def best(spec: MetricSpec, case: Case, before: float, after: float) -> bool:
    return same(after, spec.best) if spec.dialect else after == spec.best


def never_worse(spec: MetricSpec, case: Case, before: float, after: float) -> bool:
    return bool(np.isnan(before) or after >= before - 1e-12)


def reflected(spec: MetricSpec, case: Case, before: float, after: float) -> bool:
    return same(after, 1 - before)


def of_pairs(spec: MetricSpec, case: Case, before: float, after: float) -> bool:
    labels, scores = flat(case)
    if spec.quantity == "auroc_anomalous":
        labels, scores = flat(taken(case, [i for i, r in enumerate(case.regions) if r]))
    gap = scores[labels][:, None] - scores[~labels]
    return same(before, float(np.mean((gap > 0) + 0.5 * (gap == 0))))


def stated(spec: MetricSpec, case: Case, before: float, after: float) -> bool:
    share = float(flat(case)[0].mean())
    expected = {
        "auroc": 0.5,
        "auroc_anomalous": 0.5,
        "ap": share,
        "f1_oracle": 2 * share / (1 + share),
        "iou_oracle": share,
        "aupimo": (HIGHEST - LOWEST) / np.log(HIGHEST / LOWEST),
    }
    return same(after, spec.limit / 2 if spec.limit else expected[spec.quantity])


Relation: TypeAlias = Callable[[MetricSpec, Case, float, float], bool]
PROPERTIES: Mapping[str, tuple[Callable[[Case], Pair], Relation]] = {
    "permutation_invariant": (shuffled, equal),
    "duplication_invariant": (doubled, equal),
    "batch_split_invariant": (in_pieces, equal),
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
    "easy_normal_harmless": (one_more_good_image, never_worse),
    "flip_invariant": (turned, equal),
    "upscale_invariant": (upscaled, equal),
    "regions_weigh_equal": (small_or_large_found, equal),
}


def broken(trait: str, names: list[str], case: Case) -> set[str]:
    """Which of these metrics do not have the trait on this case."""
    related, relation = PROPERTIES[trait]
    first, second = related(case)
    before, after = values(first, names), values(second, names)
    held = {n for n in names if relation(SPECS[n], first, before[n], after[n])}
    return set(names) - held


def test_there_is_a_property_for_every_trait_of_pixels_and_regions() -> None:
    assert set(PROPERTIES) == set(TRAITS)


@pytest.mark.parametrize("trait", PROPERTIES)
@FAST
@given(case=cases)
def test_a_claimed_trait_holds_on_every_case(trait: str, case: Case) -> None:
    claiming = [name for name, spec in SPECS.items() if trait in spec.traits]
    assert not broken(trait, claiming, case)


@pytest.mark.parametrize("trait", PROPERTIES)
def test_a_denied_trait_fails_on_some_case(trait: str) -> None:
    left = {name for name, spec in SPECS.items() if trait in spec.denied}
    for seed in range(400):
        if not left:
            break
        left -= broken(trait, sorted(left), build(seed))
    assert not left, f"no case in 400 speaks against {trait}"


@FAST
@given(case=cases)
def test_every_value_lies_in_the_range_of_its_metric(case: Case) -> None:
    for name, value in values(case, NAMES).items():
        low, high = SPECS[name].range
        assert np.isnan(value) or low <= value <= high + 1e-12, name
