"""Wrong metrics modelled on ones in use, each rejected by the property named for it.

Every property is first shown to hold for our metric on the very same data, so that a property
that rejects everything does not pass for a good one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import ndimage

from adharness.metrics import aupro, evaluate_images, rank_pixels

ImageMetric = Callable[[np.ndarray, np.ndarray], float]
RegionMetric = Callable[[list[np.ndarray], list[np.ndarray], float], float]
EIGHT = np.ones((3, 3))


# --- ours -----------------------------------------------------------------------------------


def ours(name: str) -> ImageMetric:
    return lambda labels, scores: evaluate_images(labels, scores, [name], threshold=0.5)[name].value


def our_aupro(masks: list[np.ndarray], maps: list[np.ndarray], limit: float) -> float:
    pairs = [(mask, scores.astype(np.float32)) for mask, scores in zip(masks, maps, strict=True)]
    return float(aupro(rank_pixels(pairs), limit=limit))


# --- mutants --------------------------------------------------------------------------------


def _curve(
    masks: list[np.ndarray],
    maps: list[np.ndarray],
    *,
    thresholds: np.ndarray | None = None,
    structure: np.ndarray = EIGHT,
    pixel_average: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """False-positive rates and mean overlaps, with one choice made wrongly."""
    flat = np.concatenate([scores.ravel() for scores in maps])
    if thresholds is None:
        thresholds = np.unique(flat)[::-1]
    background = np.concatenate([s[~m] for m, s in zip(masks, maps, strict=True)])
    regions = []
    for mask, scores in zip(masks, maps, strict=True):
        labels, count = ndimage.label(mask, structure=structure)
        regions += [scores[labels == number] for number in range(1, count + 1)]
    if pixel_average:
        regions = [np.concatenate(regions)]
    rates = [0.0, *(float(np.mean(background >= t)) for t in thresholds)]
    overlaps = [0.0, *(float(np.mean([np.mean(r >= t) for r in regions])) for t in thresholds)]
    return np.array(rates), np.array(overlaps)


def _area(rates: np.ndarray, overlaps: np.ndarray, limit: float) -> float:
    fine = np.union1d(np.linspace(0, limit, 2), rates[rates <= limit])
    steps = [(0.0, float(overlaps[rates == 0].max()))]
    steps += [(x, float(np.interp(x, rates, overlaps))) for x in fine if x > 0]
    x, y = np.array(steps).T
    return float(np.trapezoid(y, x)) / limit


def uniform_grid_aupro(masks: list[np.ndarray], maps: list[np.ndarray], limit: float) -> float:
    low, high = min(s.min() for s in maps), max(s.max() for s in maps)
    grid = np.linspace(high, low, 200)
    return _area(*_curve(masks, maps, thresholds=grid), limit)


def four_connected_aupro(masks: list[np.ndarray], maps: list[np.ndarray], limit: float) -> float:
    return _area(*_curve(masks, maps, structure=ndimage.generate_binary_structure(2, 1)), limit)


def pixel_average_aupro(masks: list[np.ndarray], maps: list[np.ndarray], limit: float) -> float:
    return _area(*_curve(masks, maps, pixel_average=True), limit)


def rescaled_aupro(masks: list[np.ndarray], maps: list[np.ndarray], limit: float) -> float:
    rates, overlaps = _curve(masks, maps)
    rates, overlaps = rates[rates < limit], overlaps[rates < limit]
    return float(np.trapezoid(overlaps, rates / max(rates.max(), 1e-12)))


def bad_images_only_aupro(masks: list[np.ndarray], maps: list[np.ndarray], limit: float) -> float:
    kept = [index for index, mask in enumerate(masks) if mask.any()]
    return our_aupro([masks[k] for k in kept], [maps[k] for k in kept], limit)


def order_dependent_auroc(labels: np.ndarray, scores: np.ndarray) -> float:
    ranked = labels[np.argsort(-scores, kind="stable")]
    below = np.cumsum(1 - ranked[::-1])[::-1]
    return float((ranked * below).sum() / (labels.sum() * (1 - labels).sum()))


def _precision_recall(labels: np.ndarray, scores: np.ndarray) -> tuple[list[float], list[float]]:
    flagged = [scores >= threshold for threshold in np.unique(scores)[::-1]]
    precision = [float(labels[f].mean()) for f in flagged]
    recall = [float(labels[f].sum() / labels.sum()) for f in flagged]
    return [1.0, *precision], [0.0, *recall]


def trapezoid_ap(labels: np.ndarray, scores: np.ndarray) -> float:
    precision, recall = _precision_recall(labels, scores)
    return float(np.trapezoid(precision, recall))


def grid_f1_oracle(labels: np.ndarray, scores: np.ndarray) -> float:
    scaled = (scores - scores.min()) / max(float(np.ptp(scores)), 1e-12)
    grid = [ours_at(labels, scaled, threshold) for threshold in np.linspace(0, 1, 21)]
    return max(grid)


def ours_at(labels: np.ndarray, scores: np.ndarray, threshold: float) -> float:
    return evaluate_images(labels, scores, ["image_f1"], threshold=threshold)["image_f1"].value


def inclusive_fpr(labels: np.ndarray, scores: np.ndarray) -> float:
    return float(np.mean(scores[labels == 0] >= 0.5))


def zero_for_undefined_precision(labels: np.ndarray, scores: np.ndarray) -> float:
    flagged = scores > 0.5
    return float(labels[flagged].sum() / max(flagged.sum(), 1))


# --- properties -----------------------------------------------------------------------------

RNG_LABELS = np.array([0, 1, 0, 1, 0, 1, 1, 0, 0, 1])
RNG_SCORES = np.array([0.0, 0.5, 0.75, 1.0, 0.25, 2.5, 3.0, 1.5, 2.0, 1.25])


def steep_transform(metric: ImageMetric) -> bool:
    after = metric(RNG_LABELS, np.exp(6 * RNG_SCORES))
    return bool(np.isclose(after, metric(RNG_LABELS, RNG_SCORES)))


def order_inside_ties_is_irrelevant(metric: ImageMetric) -> bool:
    scores = np.array([1.0, 1.0, 0.0, 1.0])
    first, second = np.array([1, 0, 0, 1]), np.array([0, 1, 0, 1])
    return bool(np.isclose(metric(first, scores), metric(second, scores)))


def constant_scores_give_the_prevalence(metric: ImageMetric) -> bool:
    return bool(np.isclose(metric(np.array([0, 0, 0, 1]), np.ones(4)), 0.25))


def equal_to_the_threshold_is_normal(metric: ImageMetric) -> bool:
    return metric(np.array([0, 0, 1]), np.array([0.5, 0.0, 1.0])) == 0.0


def no_alarm_has_no_precision(metric: ImageMetric) -> bool:
    return bool(np.isnan(metric(np.array([0, 1]), np.array([0.1, 0.2]))))


def _maps(seed: int = 0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    rng = np.random.default_rng(seed)
    masks = [np.zeros((8, 8), bool) for _ in range(3)]
    masks[0][2:5, 1:4] = masks[1][6, 6] = masks[1][0, :3] = True
    order = rng.permutation(192).reshape(3, 8, 8) / 64  # distinct, so that exp(6s) is too
    return masks, [scores + 0.8 * mask for scores, mask in zip(order, masks, strict=True)]


def steep_transform_of_maps(metric: RegionMetric) -> bool:
    masks, maps = _maps()
    after = metric(masks, [np.exp(6 * scores) for scores in maps], 0.3)
    return bool(np.isclose(after, metric(masks, maps, 0.3)))


def diagonal_neighbours_are_one_region(metric: RegionMetric) -> bool:
    mask = np.zeros((5, 5), bool)
    mask[0, 0] = mask[1, 1] = mask[4, 4] = True  # two regions: the found one weighs a half
    return bool(np.isclose(metric([mask], [np.where(mask, 0.0, 1.0) + 9 * _corner()], 0.3), 0.5))


def _corner() -> np.ndarray:
    corner = np.zeros((5, 5))
    corner[4, 4] = 1.0
    return corner


def small_and_large_regions_weigh_the_same(metric: RegionMetric) -> bool:
    mask = np.zeros((6, 6), bool)
    mask[0, 0] = mask[3:5, 3:5] = True
    found = np.zeros((6, 6))
    found[0, 0] = 2.0
    background = np.where(mask, 0.0, 1.0)
    return bool(np.isclose(metric([mask], [background + found], 0.3), 0.5))


def constant_map_gives_half_the_limit(metric: RegionMetric) -> bool:
    masks, maps = _maps()
    return bool(np.isclose(metric(masks, [np.ones_like(m) for m in maps], 0.3), 0.15))


def a_good_image_below_all_others_helps(metric: RegionMetric) -> bool:
    masks, maps = _maps()
    more = metric([*masks, np.zeros((8, 8), bool)], [*maps, np.full((8, 8), -9.0)], 0.3)
    return more > metric(masks, maps, 0.3)


@dataclass(frozen=True)
class Trial:
    """A mutant, our metric, and the property that must tell them apart."""

    holds: Callable[..., bool]
    ours: Callable[..., float]
    mutant: Callable[..., float]


TRIALS = [
    Trial(steep_transform_of_maps, our_aupro, uniform_grid_aupro),
    Trial(diagonal_neighbours_are_one_region, our_aupro, four_connected_aupro),
    Trial(small_and_large_regions_weigh_the_same, our_aupro, pixel_average_aupro),
    Trial(constant_map_gives_half_the_limit, our_aupro, rescaled_aupro),
    Trial(a_good_image_below_all_others_helps, our_aupro, bad_images_only_aupro),
    Trial(order_inside_ties_is_irrelevant, ours("image_auroc"), order_dependent_auroc),
    Trial(constant_scores_give_the_prevalence, ours("image_ap"), trapezoid_ap),
    Trial(steep_transform, ours("image_f1_oracle"), grid_f1_oracle),
    Trial(equal_to_the_threshold_is_normal, ours("image_fpr"), inclusive_fpr),
    Trial(no_alarm_has_no_precision, ours("image_precision"), zero_for_undefined_precision),
]


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.mutant.__name__)
def test_a_wrong_metric_is_rejected_by_the_property_that_ours_has(trial: Trial) -> None:
    assert trial.holds(trial.ours)
    assert not trial.holds(trial.mutant)


@pytest.mark.parametrize(
    "mutant", [uniform_grid_aupro, four_connected_aupro, pixel_average_aupro, bad_images_only_aupro]
)
def test_a_region_mutant_is_wrong_in_its_one_choice_only(mutant: RegionMetric) -> None:
    mask = np.zeros((4, 4), bool)
    mask[1, 1:3] = True  # one straight region, one image, scores on the grid: nothing to get wrong
    scores = np.arange(200.0)[::13][:16].reshape(4, 4)
    scores[0, 0], scores[3, 3] = 0.0, 199.0
    assert mutant([mask], [scores], 0.3) == pytest.approx(our_aupro([mask], [scores], 0.3))
