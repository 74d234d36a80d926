"""One test a trait, over all pixel and region metrics that claim it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from sklearn import metrics as oracle

from adharness.metrics import METRICS, evaluate_pixels, pro_limit

Case: TypeAlias = tuple[list[np.ndarray], list[np.ndarray]]
FAST = settings(max_examples=16, deadline=None, derandomize=True)


@st.composite
def cases(draw: st.DrawFn, steps: int = 32) -> Case:
    """Masks and maps of up to 8 x 8; steps of 1/8, so few `steps` make many ties."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    masks, maps = [], []
    for _ in range(draw(st.integers(1, 3))):
        shape = (draw(st.integers(2, 8)), draw(st.integers(2, 8)))
        masks.append(rng.random(shape) < draw(st.sampled_from([0.0, 0.15, 0.4])))
        maps.append((rng.integers(-steps, steps + 1, shape) / 8).astype(np.float32))
    masks[0][0, 0], masks[0][1, 1] = True, False
    return masks, maps


def claiming(trait: str) -> pytest.MarkDecorator:
    names = [s.name for s in METRICS.values() if s.level != "image" and trait in s.traits]
    return pytest.mark.parametrize("metric", names)


def value(metric: str, case: Case) -> float:
    return evaluate_pixels(*case, [metric])[metric].value


def mapped(case: Case, change: Callable[[np.ndarray], np.ndarray]) -> Case:
    masks, maps = case
    return [change(mask) for mask in masks], [change(scores) for scores in maps]


def same(one: float, other: float) -> bool:
    return one == pytest.approx(other, abs=1e-12)


@claiming("permutation_invariant")
@FAST
@given(case=cases(steps=4))
def test_the_order_of_the_images_is_irrelevant(metric: str, case: Case) -> None:
    masks, maps = case
    assert same(value(metric, (masks[::-1], maps[::-1])), value(metric, case))


@claiming("duplication_invariant")
@FAST
@given(case=cases(steps=4))
def test_the_set_taken_twice_gives_the_same(metric: str, case: Case) -> None:
    masks, maps = case
    assert same(value(metric, (masks * 2, maps * 2)), value(metric, case))


@claiming("rank_invariant")
@FAST
@given(case=cases())
def test_a_steep_increasing_transform_changes_nothing(metric: str, case: Case) -> None:
    masks, maps = case
    steep = [np.exp(6 * scores.astype(np.float64)) for scores in maps]
    assert value(metric, (masks, steep)) == value(metric, case)


@claiming("best_at_perfect")
@FAST
@given(case=cases())
def test_full_separation_gives_exactly_the_best_value(metric: str, case: Case) -> None:
    masks, maps = case
    separated = [np.where(m, 1 + abs(s), -abs(s)) for m, s in zip(masks, maps, strict=True)]
    assert value(metric, (masks, separated)) == METRICS[metric].best


@claiming("closed_form_at_constant")
@FAST
@given(case=cases())
def test_equal_scores_give_the_stated_value(metric: str, case: Case) -> None:
    masks, maps = case
    share = np.concatenate([mask.ravel() for mask in masks]).mean()
    limit = pro_limit(metric)
    expected = {"pixel_auroc": 0.5, "pixel_ap": share, "pixel_f1_oracle": 2 * share / (1 + share)}
    found = value(metric, (masks, [np.full_like(scores, -2.0) for scores in maps]))
    assert same(found, limit / 2 if limit else expected[metric])


def _raised(case: Case, step: float) -> Case:
    masks, maps = case
    higher = [scores.copy() for scores in maps]
    higher[0][0, 0] += step  # an anomalous pixel in every case
    return masks, higher


@claiming("monotone")
@FAST
@given(case=cases(steps=4), step=st.integers(0, 8).map(lambda step: step / 8))
def test_raising_an_anomalous_pixel_never_hurts(metric: str, case: Case, step: float) -> None:
    assert value(metric, _raised(case, step)) >= value(metric, case) - 1e-12


@claiming("monotone_without_ties")
@FAST
@given(case=cases(), seed=st.integers(0, 99), step=st.integers(0, 99))
def test_raising_an_anomalous_pixel_never_hurts_without_ties(
    metric: str, case: Case, seed: int, step: int
) -> None:
    masks, maps = case
    ranks = np.random.default_rng(seed).permutation(sum(scores.size for scores in maps))
    parts = np.split(ranks, np.cumsum([scores.size for scores in maps])[:-1])
    distinct = [part.reshape(s.shape).astype(float) for part, s in zip(parts, maps, strict=True)]
    untied = (masks, distinct)
    assert value(metric, _raised(untied, step + 0.5)) >= value(metric, untied) - 1e-12


@claiming("negation_reflects")
@FAST
@given(case=cases(steps=4))
def test_negated_scores_give_one_minus_the_value(metric: str, case: Case) -> None:
    masks, maps = case
    assert same(value(metric, (masks, [-scores for scores in maps])), 1 - value(metric, case))


def _pixels(case: Case) -> tuple[np.ndarray, np.ndarray]:
    masks, maps = case
    return np.concatenate([m.ravel() for m in masks]), np.concatenate([s.ravel() for s in maps])


@claiming("pair_count")
@FAST
@given(case=cases(steps=4))
def test_the_value_is_the_share_of_pairs_in_order(metric: str, case: Case) -> None:
    labels, scores = _pixels(case)
    gap = scores[labels][:, None] - scores[~labels]
    assert same(value(metric, case), float(np.mean((gap > 0) + 0.5 * (gap == 0))))


@claiming("prevalence_free")
@FAST
@given(case=cases(steps=4))
def test_every_normal_pixel_taken_twice_changes_nothing(metric: str, case: Case) -> None:
    labels, scores = _pixels(case)
    again = scores[~labels][None, :]  # all normal pixels once more, as one good image
    masks, maps = case
    after = evaluate_pixels([*masks, None], [*maps, again], [metric])[metric].value
    assert same(after, value(metric, case))


@claiming("easy_normal_harmless")
@FAST
@given(case=cases(steps=4))
def test_one_more_good_image_below_all_others_never_hurts(metric: str, case: Case) -> None:
    masks, maps = case
    after = evaluate_pixels([*masks, None], [*maps, np.full((3, 5), -100.0)], [metric])
    assert after[metric].value >= value(metric, case) - 1e-12


@claiming("flip_invariant")
@FAST
@given(case=cases(steps=4))
def test_flips_and_transposition_change_nothing(metric: str, case: Case) -> None:
    for change in (np.flipud, np.fliplr, np.transpose):
        assert same(value(metric, mapped(case, change)), value(metric, case))


@claiming("upscale_invariant")
@FAST
@given(case=cases(steps=4), factor=st.integers(2, 3))
def test_nearest_upscaling_changes_nothing(metric: str, case: Case, factor: int) -> None:
    upscaled = mapped(case, lambda array: array.repeat(factor, axis=0).repeat(factor, axis=1))
    assert same(value(metric, upscaled), value(metric, case))


@claiming("regions_weigh_equal")
@FAST
@given(seed=st.integers(0, 999))
def test_a_region_of_one_pixel_and_one_of_four_weigh_the_same(metric: str, seed: int) -> None:
    small, large = np.zeros((6, 6), bool), np.zeros((6, 6), bool)
    small[0, 0], large[3:5, 3:5] = True, True
    background = np.random.default_rng(seed).random((6, 6))
    one = value(metric, ([small | large], [np.where(small, 2.0, background * ~large)]))
    four = value(metric, ([small | large], [np.where(large, 2.0, background * ~small)]))
    assert same(one, four)


def brute_force_aupro(masks: list[np.ndarray], maps: list[np.ndarray], limit: float) -> float:
    """Every threshold, every region, by hand; the curve integrated by the trapezoid rule."""
    regions, normal = [], []
    for index, mask in enumerate(masks):
        labels, count = ndimage.label(mask, structure=np.ones((3, 3)))
        regions += [(index, labels == number) for number in range(1, count + 1)]
        normal.append(maps[index][~mask])
    background = np.concatenate(normal)
    rates, overlaps = [0.0], [0.0]
    for threshold in sorted({float(s) for scores in maps for s in scores.ravel()}, reverse=True):
        rates.append(float(np.mean(background >= threshold)))
        shares = [np.mean(maps[index][region] >= threshold) for index, region in regions]
        overlaps.append(float(np.mean(shares)))
    inside = [k for k, rate in enumerate(rates) if rate <= limit]
    x, y = [rates[k] for k in inside], [overlaps[k] for k in inside]
    if x[-1] < limit:
        after = inside[-1] + 1
        slope = (overlaps[after] - y[-1]) / (rates[after] - x[-1])
        y.append(y[-1] + slope * (limit - x[-1]))
        x.append(limit)
    return float(np.trapezoid(y, x)) / limit


@pytest.mark.parametrize("percent", ["01", "05", "30", "50", "100"])
@FAST
@given(case=cases(steps=6))
def test_the_overlap_equals_a_brute_force(percent: str, case: Case) -> None:
    expected = brute_force_aupro(*case, int(percent) / 100)
    assert same(value(f"region_aupro_{percent}", case), expected)


@FAST
@given(case=cases(steps=6))
def test_one_region_and_no_limit_give_the_pixel_auroc(case: Case) -> None:
    masks, maps = case
    one = np.zeros_like(masks[0])
    one[: len(one) // 2] = True
    single = ([one, *(None for _ in maps[1:])], maps)
    found = evaluate_pixels(*single, ["region_aupro_100", "pixel_auroc"])
    assert same(found["region_aupro_100"].value, found["pixel_auroc"].value)


@FAST
@given(case=cases(steps=6))
def test_the_pixel_metrics_equal_the_library_ones(case: Case) -> None:
    labels, scores = _pixels(case)
    assert same(value("pixel_auroc", case), oracle.roc_auc_score(labels, scores))
    assert same(value("pixel_ap", case), oracle.average_precision_score(labels, scores))
