"""Wrong per-region overlaps modelled on ones in use, each rejected by a named property.

Every property is first shown to hold for our metric on the very same data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pytest
from scipy import ndimage

from adharness.metrics import evaluate_pixels

Masks: TypeAlias = Sequence[np.ndarray]
Maps: TypeAlias = Sequence[np.ndarray]
Metric: TypeAlias = Callable[[Masks, Maps], float]
EIGHT = np.ones((3, 3))
LIMIT = 0.3


def aupro(masks: Masks, maps: Maps) -> float:
    return evaluate_pixels(masks, maps, ["region_aupro_30"])["region_aupro_30"].value


# --- mutants --------------------------------------------------------------------------------


def _regions(masks: Masks, maps: Maps, structure: np.ndarray = EIGHT) -> list[np.ndarray]:
    found = []
    for mask, scores in zip(masks, maps, strict=True):
        labels, count = ndimage.label(mask, structure=structure)
        found += [scores[labels == number] for number in range(1, count + 1)]
    return found


def _normals(masks: Masks, maps: Maps) -> np.ndarray:
    return np.concatenate([s[~m] for m, s in zip(masks, maps, strict=True)])


def _curve(
    masks: Masks,
    maps: Maps,
    *,
    thresholds: np.ndarray | None = None,
    regions: list[np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """False-positive rates and mean overlaps, with one choice made wrongly."""
    if thresholds is None:
        thresholds = np.unique(np.concatenate([scores.ravel() for scores in maps]))[::-1]
    regions = _regions(masks, maps) if regions is None else regions
    background = _normals(masks, maps)
    rates = [0.0, *(float(np.mean(background >= t)) for t in thresholds)]
    overlaps = [0.0, *(float(np.mean([np.mean(r >= t) for r in regions])) for t in thresholds)]
    return np.array(rates), np.array(overlaps)


def _area(curve: tuple[np.ndarray, np.ndarray]) -> float:
    rates, overlaps = curve
    x, y = np.append(rates[rates < LIMIT], LIMIT), overlaps[rates < LIMIT]
    after = int(np.count_nonzero(rates < LIMIT))
    share = (LIMIT - rates[after - 1]) / (rates[after] - rates[after - 1])
    cut = overlaps[after - 1] + share * (overlaps[after] - overlaps[after - 1])
    return float(np.trapezoid(np.append(y, cut), x)) / LIMIT


def uniform_grid_aupro(masks: Masks, maps: Maps) -> float:
    low, high = min(s.min() for s in maps), max(s.max() for s in maps)
    return _area(_curve(masks, maps, thresholds=np.linspace(high, low, 200)))


def four_connected_aupro(masks: Masks, maps: Maps) -> float:
    cross = ndimage.generate_binary_structure(2, 1)
    return _area(_curve(masks, maps, regions=_regions(masks, maps, cross)))


def pixel_average_aupro(masks: Masks, maps: Maps) -> float:
    return _area(_curve(masks, maps, regions=[np.concatenate(_regions(masks, maps))]))


def reused_label_aupro(masks: Masks, maps: Maps) -> float:
    """Region 1 of every image is one region."""
    by_label: dict[int, list[np.ndarray]] = {}
    for mask, scores in zip(masks, maps, strict=True):
        labels, count = ndimage.label(mask, EIGHT)
        for number in range(1, count + 1):
            by_label.setdefault(number, []).append(scores[labels == number])
    return _area(_curve(masks, maps, regions=[np.concatenate(r) for r in by_label.values()]))


def rescaled_aupro(masks: Masks, maps: Maps) -> float:
    rates, overlaps = _curve(masks, maps)
    kept = rates < LIMIT
    return float(np.trapezoid(overlaps[kept], rates[kept] / max(rates[kept].max(), 1e-12)))


def averaged_endpoint_aupro(masks: Masks, maps: Maps) -> float:
    """The curve ends halfway to the first point beyond the limit, and is divided by that."""
    rates, overlaps = _curve(masks, maps)
    after = int(np.argmax(rates > LIMIT))
    ends = [(axis[after - 1] + axis[after]) / 2 for axis in (rates, overlaps)]
    x, y = np.append(rates[:after], ends[0]), np.append(overlaps[:after], ends[1])
    return float(np.trapezoid(y, x) / ends[0])


def undivided_aupro(masks: Masks, maps: Maps) -> float:
    return LIMIT * _area(_curve(masks, maps))


def bad_images_only_aupro(masks: Masks, maps: Maps) -> float:
    kept = [index for index, mask in enumerate(masks) if mask.any()]
    return aupro([masks[k] for k in kept], [maps[k] for k in kept])


def zero_for_undefined_aupro(masks: Masks, maps: Maps) -> float:
    return aupro(masks, maps) if any(mask.any() for mask in masks) else 0.0


def clamped_aupro(masks: Masks, maps: Maps) -> float:
    return aupro(masks, [np.clip(scores, 0, 1) for scores in maps])


def resized_mask_aupro(masks: Masks, maps: Maps) -> float:
    """Masks and maps halved by averaging, the mask cut at one half."""

    def halved(array: np.ndarray) -> np.ndarray:
        rows, columns = array.shape
        return array.reshape(rows // 2, 2, columns // 2, 2).mean(axis=(1, 3))

    return aupro([halved(mask) > 0.5 for mask in masks], [halved(scores) for scores in maps])


# --- properties -----------------------------------------------------------------------------


def _maps(seed: int = 0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    rng = np.random.default_rng(seed)
    masks = [np.zeros((8, 8), bool) for _ in range(3)]
    masks[0][2:5, 1:4] = masks[1][6, 6] = masks[1][0, :3] = True
    order = rng.permutation(192).reshape(3, 8, 8) / 64  # distinct, so that exp(6s) is too
    return masks, [scores + 0.8 * mask for scores, mask in zip(order, masks, strict=True)]


def _changed(metric: Metric, change: Callable[[np.ndarray], np.ndarray]) -> bool:
    masks, maps = _maps()
    return not np.isclose(metric(masks, [change(s) for s in maps]), metric(masks, maps))


def _drawn(*rows: str) -> tuple[np.ndarray, np.ndarray]:
    """A mask, `x` a found and `o` a missed pixel of a region, on a background between them."""
    drawn = np.array([list(row) for row in rows])
    return np.isin(drawn, ["x", "o"]), np.select([drawn == "x", drawn == "o"], [3.0, 0.0], 1.0)


def steep_transforms_change_nothing(metric: Metric) -> bool:
    return not _changed(metric, lambda scores: np.exp(6 * scores))


def the_place_of_the_zero_changes_nothing(metric: Metric) -> bool:
    return not _changed(metric, lambda scores: scores - 1)


def diagonal_neighbours_are_one_region(metric: Metric) -> bool:
    mask, scores = _drawn("o....", ".o...", ".....", ".....", "....x")
    return bool(np.isclose(metric([mask], [scores]), 0.5))


def small_and_large_regions_weigh_the_same(metric: Metric) -> bool:
    mask, scores = _drawn("x.....", "......", "...oo.", "...oo.")
    return bool(np.isclose(metric([mask], [scores]), 0.5))


def regions_of_two_images_count_apart(metric: Metric) -> bool:
    first, second = _drawn("x...", "....", "...."), _drawn("oo..", "oo..", "....")
    return bool(np.isclose(metric([first[0], second[0]], [first[1], second[1]]), 0.5))


def a_region_of_one_pixel_counts_at_native_resolution(metric: Metric) -> bool:
    mask, scores = _drawn("o.....", "......", "..xx..", "..xx..")
    return bool(np.isclose(metric([mask], [scores]), 0.5))


def constant_maps_give_half_the_limit(metric: Metric) -> bool:
    masks, maps = _maps()
    return bool(np.isclose(metric(masks, [np.ones_like(m) for m in maps]), LIMIT / 2))


def perfect_maps_give_one(metric: Metric) -> bool:
    masks, _ = _maps()
    return metric(masks, [mask.astype(float) for mask in masks]) == 1.0


def a_good_image_below_all_others_helps(metric: Metric) -> bool:
    masks, maps = _maps()
    more = metric([*masks, np.zeros((8, 8), bool)], [*maps, np.full((8, 8), -9.0)])
    return more > metric(masks, maps)


def no_region_has_no_value(metric: Metric) -> bool:
    return bool(np.isnan(metric([np.zeros((2, 2), bool)], [np.eye(2)])))


@dataclass(frozen=True)
class Trial:
    """A mutant, and the property that must tell it from our metric."""

    holds: Callable[[Metric], bool]
    mutant: Metric


TRIALS = [
    Trial(steep_transforms_change_nothing, uniform_grid_aupro),
    Trial(diagonal_neighbours_are_one_region, four_connected_aupro),
    Trial(small_and_large_regions_weigh_the_same, pixel_average_aupro),
    Trial(regions_of_two_images_count_apart, reused_label_aupro),
    Trial(constant_maps_give_half_the_limit, rescaled_aupro),
    Trial(constant_maps_give_half_the_limit, averaged_endpoint_aupro),
    Trial(perfect_maps_give_one, undivided_aupro),
    Trial(a_good_image_below_all_others_helps, bad_images_only_aupro),
    Trial(no_region_has_no_value, zero_for_undefined_aupro),
    Trial(the_place_of_the_zero_changes_nothing, clamped_aupro),
    Trial(a_region_of_one_pixel_counts_at_native_resolution, resized_mask_aupro),
]


def _name(trial: Trial) -> str:
    return f"{trial.holds.__name__}-{trial.mutant.__name__}"


@pytest.mark.parametrize("trial", TRIALS, ids=_name)
def test_a_wrong_metric_is_rejected_by_the_property_that_ours_has(trial: Trial) -> None:
    assert trial.holds(aupro)
    assert not trial.holds(trial.mutant)


@pytest.mark.parametrize(
    "mutant",
    [uniform_grid_aupro, four_connected_aupro, pixel_average_aupro, reused_label_aupro],
)
def test_a_region_mutant_is_wrong_in_its_one_choice_only(mutant: Metric) -> None:
    mask = np.zeros((4, 4), bool)
    mask[1, 1:3] = True  # one straight region, one image, scores on the grid: nothing to get wrong
    scores = np.arange(200.0)[::13][:16].reshape(4, 4)
    scores[0, 0], scores[3, 3] = 0.0, 199.0
    assert mutant([mask], [scores]) == pytest.approx(aupro([mask], [scores]))
