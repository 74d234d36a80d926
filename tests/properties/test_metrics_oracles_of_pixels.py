"""Pixel and region metrics against curves built point by point, and against scikit-learn."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from sklearn import metrics as sklearn_metrics

from adharness.metrics import METRICS, DeclaredRegions, evaluate_pixels
from pixel_cases import Case, build, flat, taken, unions

FAST = settings(max_examples=25, deadline=None, derandomize=True)
EIGHT = np.ones((3, 3))
cases = st.integers(0, 2**32 - 1).map(build)


def value(metric: str, case: Case) -> float:
    given_case = (case.regions, case.maps, [metric])
    return evaluate_pixels(*given_case, threshold=case.thresholds)[metric].value


def thresholds(case: Case) -> list[float]:
    """Every distinct score, descending, after one that flags nothing."""
    return [math.inf, *sorted({float(s) for s in flat(case)[1]}, reverse=True)]


def area(rates: list[float], heights: list[float], limit: float) -> float:
    """Trapezoids up to the limit; the one that crosses it is cut on its line."""
    total = 0.0
    steps = zip(rates, rates[1:], heights, heights[1:], strict=False)
    for x, after, y, above in steps:
        if x < limit and after > x:
            end = min(after, limit)
            total += (end - x) * (y + (y + (above - y) * (end - x) / (after - x))) / 2
    return total / limit


def regions(case: Case) -> list[np.ndarray]:
    """Scores of each 8-connected region."""
    found = []
    for mask, scores in zip(unions(case), case.maps, strict=True):
        labels, count = ndimage.label(mask, EIGHT)
        found += [scores[labels == number] for number in range(1, count + 1)]
    return found


def overlap_area(case: Case, limit: float, saturated: list[tuple[np.ndarray, int]]) -> float:
    labels, scores = flat(case)
    rates = [float(np.mean(scores[~labels] >= t)) for t in thresholds(case)]
    overlaps = [
        float(np.mean([min(np.count_nonzero(region >= t) / s, 1.0) for region, s in saturated]))
        for t in thresholds(case)
    ]
    return area(rates, overlaps, limit)


def aupro(case: Case, limit: float) -> float:
    return overlap_area(case, limit, [(region, len(region)) for region in regions(case)])


def spro(case: Case, limit: float) -> float:
    pairs = [(r, scores) for r, scores in zip(case.regions, case.maps, strict=True) if r]
    saturated = [
        (scores[mask], saturation)
        for declared, scores in pairs
        for mask, saturation in zip(declared.masks, declared.saturations_px, strict=True)
    ]
    return overlap_area(case, limit, saturated)


def auroc(case: Case) -> float:
    labels, scores = flat(case)
    rates = [float(np.mean(scores[~labels] >= t)) for t in thresholds(case)]
    return area(rates, [float(np.mean(scores[labels] >= t)) for t in thresholds(case)], 1.0)


def anomalous_only(case: Case) -> Case:
    return taken(case, [i for i, declared in enumerate(case.regions) if declared])


def counts(labels: np.ndarray, flagged: np.ndarray) -> tuple[int, int, int]:
    return int(sum(labels & flagged)), int(sum(~labels & flagged)), int(sum(labels & ~flagged))


def at_every_score(case: Case) -> list[tuple[int, int, int]]:
    labels, scores = flat(case)
    return [counts(labels, scores >= t) for t in thresholds(case)]


def average_precision(case: Case) -> float:
    total, before = 0.0, 0
    for tp, fp, fn in at_every_score(case)[1:]:
        total += (tp - before) / (tp + fn) * tp / (tp + fp)
        before = tp
    return total


def f1(tp: int, fp: int, fn: int) -> float:
    return 2 * tp / (2 * tp + fp + fn)


def iou(tp: int, fp: int, fn: int) -> float:
    return tp / (tp + fp + fn)


def deployed(case: Case) -> tuple[int, int, int]:
    each = zip(case.maps, case.thresholds, strict=True)
    flagged = [(scores > threshold).ravel() for scores, threshold in each]
    return counts(flat(case)[0], np.concatenate(flagged))


def region_recall(case: Case) -> float:
    found, total = 0, 0
    for mask, scores, threshold in zip(unions(case), case.maps, case.thresholds, strict=True):
        labels, count = ndimage.label(mask, EIGHT)
        found += len(set(labels[scores > threshold].tolist()) - {0})
        total += count
    return found / total


def _log_area(rates: list[float], overlaps: list[float], low: float, high: float) -> float:
    """Exact integral over ln(rate) of straight lines in the rate, divided by ln(high / low)."""
    total = 0.0
    for x, after, y, above in zip(rates, rates[1:], overlaps, overlaps[1:], strict=False):
        start, end = max(x, low), min(after, high)
        if after > x and end > start:
            slope = (above - y) / (after - x)
            total += slope * (end - start) + (y - slope * x) * math.log(end / start)
    return total / math.log(high / low)


def aupimo_of_images(case: Case, low: float = 1e-5, high: float = 1e-4) -> list[float]:
    good = [s for declared, s in zip(case.regions, case.maps, strict=True) if declared is None]
    rates = [float(np.mean([np.mean(scores >= t) for scores in good])) for t in thresholds(case)]
    found = []
    for mask, scores in zip(unions(case), case.maps, strict=True):
        if mask.any():
            overlaps = [float(np.mean(scores[mask] >= t)) for t in thresholds(case)]
            found.append(_log_area(rates, overlaps, low, high))
    return found


BRUTE: Mapping[str, Callable[[Case], float]] = {
    "pixel_auroc": auroc,
    "pixel_auroc_anomalous": lambda case: auroc(anomalous_only(case)),
    "pixel_ap": average_precision,
    "pixel_f1_oracle": lambda case: max(f1(*found) for found in at_every_score(case)),
    "pixel_iou_oracle": lambda case: max(iou(*found) for found in at_every_score(case)),
    "pixel_aupimo": lambda case: float(np.mean(aupimo_of_images(case))),
    "pixel_f1": lambda case: f1(*deployed(case)),
    "pixel_seg_f1": lambda case: f1(*deployed(case)),
    "pixel_iou": lambda case: iou(*deployed(case)),
    "region_recall": region_recall,
    "region_aupro_01": lambda case: aupro(case, 0.01),
    "region_aupro_05": lambda case: aupro(case, 0.05),
    "region_aupro_30": lambda case: aupro(case, 0.3),
    "region_aupro_100": lambda case: aupro(case, 1.0),
    "region_spro_05": lambda case: spro(case, 0.05),
    "region_spro_30": lambda case: spro(case, 0.3),
    "region_spro_100": lambda case: spro(case, 1.0),
}


def test_every_pixel_and_region_metric_has_a_brute_force() -> None:
    assert {name for name, spec in METRICS.items() if spec.level != "image"} <= set(BRUTE)


@pytest.mark.parametrize("metric", BRUTE)
@FAST
@given(case=cases)
def test_a_metric_equals_its_brute_force(metric: str, case: Case) -> None:
    assert value(metric, case) == pytest.approx(BRUTE[metric](case), abs=1e-12)


def large_good_images() -> Iterator[Case]:
    """Good images of different sizes whose rates lie between the bounds of AUPIMO."""
    for seed in range(4):
        case, rng = build(seed), np.random.default_rng(seed)
        shapes = [(150, 200), (90, 110), (10, 10)][: 1 + seed % 3]
        top = max(float(scores.max()) for scores in case.maps)
        spread = [rng.exponential(top / 9, shape) - 1 for shape in shapes]
        good = [np.minimum((s * 8).round() / 8, top + 1).astype(np.float32) for s in spread]
        maps = [*case.maps, *good]
        kept = [r for r in case.regions if r]
        bad = [s for s, r in zip(case.maps, case.regions, strict=True) if r]
        maps = [*bad, *good]
        yield Case([*kept, *[None] * len(good)], maps, np.zeros(len(maps)), seed)


def test_aupimo_equals_its_brute_force_within_its_own_bounds() -> None:
    partial = 0
    for case in large_good_images():
        found = evaluate_pixels(case.regions, case.maps, ["pixel_aupimo"])["pixel_aupimo"]
        expected = aupimo_of_images(case)
        listed = [one for one in found.per_image or () if one is not None]
        assert listed == pytest.approx(expected, abs=1e-12)
        assert found.value == pytest.approx(np.mean(expected), abs=1e-12)
        partial += sum(0.01 < one < 0.99 for one in expected)
    assert partial > 3  # the cases do reach between the bounds


@FAST
@given(case=cases)
def test_the_intersection_over_union_is_f1_in_other_words(case: Case) -> None:
    best = value("pixel_f1_oracle", case)
    assert value("pixel_iou_oracle", case) == pytest.approx(best / (2 - best), abs=1e-12)


@FAST
@given(case=cases)
def test_one_region_and_no_limit_give_the_pixel_auroc(case: Case) -> None:
    one = np.zeros_like(unions(case)[0])
    one[: len(one) // 2] = True
    masks = [DeclaredRegions([one], [int(one.sum())]), *(None for _ in case.maps[1:])]
    names = ["pixel_auroc", "region_aupro_100", "region_spro_100"]
    found = [v.value for v in evaluate_pixels(masks, case.maps, names).values()]
    assert found == pytest.approx([found[0]] * 3, abs=1e-12)


@FAST
@given(case=cases)
def test_the_pixel_metrics_equal_those_of_the_library(case: Case) -> None:
    labels, scores = flat(case)
    precision, recall, _ = sklearn_metrics.precision_recall_curve(labels, scores)
    expected = {
        "pixel_auroc": sklearn_metrics.roc_auc_score(labels, scores),
        "pixel_auroc_anomalous": sklearn_metrics.roc_auc_score(*flat(anomalous_only(case))),
        "pixel_ap": sklearn_metrics.average_precision_score(labels, scores),
        "pixel_ap@trapezoid": sklearn_metrics.auc(recall, precision),
    }
    assert {name: value(name, case) for name in expected} == pytest.approx(expected, abs=1e-12)
