"""Wrong pixel metrics, AUPIMO and saturated overlaps, each rejected by a named property.

Every property is first shown to hold for our metric on the very same data.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import pytest
from scipy import ndimage

from adharness.metrics import DeclaredRegions, evaluate_pixels

Masks: TypeAlias = Sequence[np.ndarray | DeclaredRegions | None]
Maps: TypeAlias = Sequence[np.ndarray]
Metric: TypeAlias = Callable[[Masks, Maps], float]
EIGHT = np.ones((3, 3))
THRESHOLD = 0.5
LOWEST, HIGHEST = 1e-5, 1e-4


def ours(name: str) -> Metric:
    return lambda masks, maps: evaluate_pixels(masks, maps, [name], threshold=THRESHOLD)[name].value


# --- mutants --------------------------------------------------------------------------------


def anomalous_only_auroc(masks: Masks, maps: Maps) -> float:
    return ours("pixel_auroc_anomalous")(masks, maps)


def normalized_map_auroc(masks: Masks, maps: Maps) -> float:
    """Each map brought to [0, 1] on its own."""
    scaled = [(s - s.min()) / max(float(np.ptp(s)), 1e-12) for s in maps]
    return ours("pixel_auroc")(masks, scaled)


def image_average_f1(masks: Masks, maps: Maps) -> float:
    pairs = [(m, s) for m, s in zip(masks, maps, strict=True) if np.any(m)]
    return float(np.mean([ours("pixel_f1")([mask], [scores]) for mask, scores in pairs]))


def inclusive_f1(masks: Masks, maps: Maps) -> float:
    return ours("pixel_f1")(masks, [np.nextafter(s, np.inf, dtype=np.float32) for s in maps])


def half_covered_region_recall(masks: Masks, maps: Maps) -> float:
    found = []
    for mask, scores in zip(masks, maps, strict=True):
        labels, count = ndimage.label(mask, EIGHT)
        found += [np.mean(scores[labels == n + 1] > THRESHOLD) >= 0.5 for n in range(count)]
    return float(np.mean(found))


def _aupimo(masks: Masks, maps: Maps, rate: Callable[[float], float]) -> float:
    """Mean over images of the overlap over ln(rate), by a sum over small steps of the rate."""
    rates = np.geomspace(LOWEST, HIGHEST, 400)
    scores = np.unique(np.concatenate([one.ravel() for one in maps]))
    of_scores = np.array([rate(float(score)) for score in scores])
    lowest = [scores[of_scores <= allowed].min(initial=math.inf) for allowed in rates]
    bad = [(mask, one) for mask, one in zip(masks, maps, strict=True) if mask is not None]
    return float(np.mean([np.mean(one[mask] >= low) for low in lowest for mask, one in bad]))


def all_normals_aupimo(masks: Masks, maps: Maps) -> float:
    """The rate counts the normal pixels beside the anomalies too."""
    pairs = zip(masks, maps, strict=True)
    normals = np.concatenate([s.ravel() if m is None else s[~np.asarray(m)] for m, s in pairs])
    return _aupimo(masks, maps, lambda score: float(np.mean(normals >= score)))


def pooled_aupimo(masks: Masks, maps: Maps) -> float:
    """The rate pools the pixels of the good images, so that a large image weighs more."""
    good = np.concatenate([s.ravel() for m, s in zip(masks, maps, strict=True) if m is None])
    return _aupimo(masks, maps, lambda score: float(np.mean(good >= score)))


def linear_aupimo(masks: Masks, maps: Maps) -> float:
    """Averaged over the rate and not over its logarithm: the mean of a ramp is one half."""
    found = ours("pixel_aupimo")(masks, maps)
    ramp = (HIGHEST - LOWEST) / math.log(HIGHEST / LOWEST)
    return found / ramp * (HIGHEST + LOWEST) / 2


def unsaturated_spro(masks: Masks, maps: Maps) -> float:
    whole = [
        replace(m, saturations_px=[int(np.sum(one)) for one in m.masks])
        if isinstance(m, DeclaredRegions)
        else m
        for m in masks
    ]
    return ours("region_spro_30")(whole, maps)


def uncapped_spro(masks: Masks, maps: Maps) -> float:
    """Found pixels over the saturation, beyond one too, at a threshold no normal pixel passes."""
    found = []
    for declared, scores in zip(masks, maps, strict=True):
        if isinstance(declared, DeclaredRegions):
            regions = zip(declared.masks, declared.saturations_px, strict=True)
            found += [np.sum(scores[mask] > THRESHOLD) / full for mask, full in regions]
    return float(np.mean(found))


def connected_spro(masks: Masks, maps: Maps) -> float:
    """Declared regions replaced by the connected parts of their union."""
    unions = [np.any(m.masks, axis=0) if isinstance(m, DeclaredRegions) else m for m in masks]
    return ours("region_aupro_30")(unions, maps)


# --- properties -----------------------------------------------------------------------------


def drawn(*rows: str) -> tuple[np.ndarray, np.ndarray]:
    """A mask, `x` a found and `o` a missed pixel of a region, on a background between them."""
    letters = np.array([list(row) for row in rows])
    scores = np.select([letters == "x", letters == "o"], [3.0, 0.0], 0.4)
    return np.isin(letters, ["x", "o"]), scores


def a_good_image_below_all_others_helps(metric: Metric) -> bool:
    mask, scores = drawn("xo..", "....")
    more = metric([mask, np.zeros((2, 4), bool)], [scores, np.full((2, 4), -9.0)])
    return more > metric([mask], [scores])


def a_quiet_image_scores_below_a_loud_one(metric: Metric) -> bool:
    mask = np.array([[True, False]])
    return metric([mask, ~mask & False], [np.array([[9.0, 8.0]]), np.array([[0.0, 1.0]])]) == 1.0


def pixels_of_all_images_count_together(metric: Metric) -> bool:
    first, second = drawn("xxxx", "oooo"), drawn("x...", "....")
    found = metric([first[0], second[0]], [first[1], second[1]])
    return bool(np.isclose(found, 2 * 5 / (5 + 9)))


def equal_to_the_threshold_is_normal(metric: Metric) -> bool:
    return metric([np.array([[True, True, False]])], [np.array([[0.5, 1.0, 0.5]])]) == 2 / 3


def one_pixel_finds_a_region(metric: Metric) -> bool:
    mask, scores = drawn("xooo", "....")
    return metric([mask], [scores]) == 1.0


def normal_pixels_beside_anomalies_set_no_rate(metric: Metric) -> bool:
    mask, scores = drawn("x...", "....")
    beside = np.where(mask, scores, 9.0)
    return metric([mask, None], [beside, np.zeros((4, 4))]) == 1.0


def every_good_image_weighs_the_same(metric: Metric) -> bool:
    mask, scores = drawn("xo..", "....")
    large = np.zeros((200, 200))
    large[0, :2] = 5.0  # of this image a rate of 5e-5, of both together half of it
    small, larger = (
        metric([mask, None, None], [scores, large, np.zeros((side, side))]) for side in (10, 100)
    )
    return bool(np.isclose(small, larger)) and 0 < small < 0.5


def constant_maps_give_the_mean_of_a_ramp_over_the_logarithm(metric: Metric) -> bool:
    found = metric([np.array([[True, False]]), None], [np.ones((1, 2)), np.ones((2, 2))])
    return bool(np.isclose(found, 9e-5 / math.log(10)))


def finding_as_much_as_saturates_finds_all(metric: Metric) -> bool:
    mask, scores = drawn("xxoo", "....")
    return metric([DeclaredRegions([mask], [2])], [scores]) == 1.0


def no_region_counts_for_more_than_one(metric: Metric) -> bool:
    mask, scores = drawn("xxxx", "....")
    return metric([DeclaredRegions([mask], [2])], [scores]) == 1.0


def declared_regions_need_not_be_connected(metric: Metric) -> bool:
    mask, scores = drawn("x..o", "....", "....", "x..x")
    return bool(np.isclose(metric([DeclaredRegions([mask], [4])], [scores]), 0.75)) and bool(
        np.isclose(metric([DeclaredRegions([mask, scores > 1], [4, 3])], [scores]), 0.875)
    )


@dataclass(frozen=True)
class Trial:
    """A mutant, the metric it poses as, and the property that must tell them apart."""

    holds: Callable[[Metric], bool]
    ours: str
    mutant: Metric


TRIALS = [
    Trial(a_good_image_below_all_others_helps, "pixel_auroc", anomalous_only_auroc),
    Trial(a_quiet_image_scores_below_a_loud_one, "pixel_auroc", normalized_map_auroc),
    Trial(pixels_of_all_images_count_together, "pixel_f1", image_average_f1),
    Trial(equal_to_the_threshold_is_normal, "pixel_f1", inclusive_f1),
    Trial(one_pixel_finds_a_region, "region_recall", half_covered_region_recall),
    Trial(normal_pixels_beside_anomalies_set_no_rate, "pixel_aupimo", all_normals_aupimo),
    Trial(every_good_image_weighs_the_same, "pixel_aupimo", pooled_aupimo),
    Trial(constant_maps_give_the_mean_of_a_ramp_over_the_logarithm, "pixel_aupimo", linear_aupimo),
    Trial(finding_as_much_as_saturates_finds_all, "region_spro_30", unsaturated_spro),
    Trial(no_region_counts_for_more_than_one, "region_spro_30", uncapped_spro),
    Trial(declared_regions_need_not_be_connected, "region_spro_30", connected_spro),
]


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.mutant.__name__)
def test_a_wrong_metric_is_rejected_by_the_property_that_ours_has(trial: Trial) -> None:
    assert trial.holds(ours(trial.ours))
    assert not trial.holds(trial.mutant)
