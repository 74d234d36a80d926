"""Dialects against literal loops over their thresholds, and on maps spread by a steep transform."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from adharness.metrics import evaluate_pixels
from pixel_cases import SPECS, Case, build, flat, taken, unions

FAST = settings(max_examples=16, deadline=None, derandomize=True)
EIGHT, FOUR = np.ones((3, 3)), ndimage.generate_binary_structure(2, 1)
EPS = 1e-8
Points: TypeAlias = list[tuple[float, float]]
"""False-positive rate and mean overlap, one pair a threshold, from the highest on."""


def above(scores: np.ndarray, threshold: float) -> np.ndarray:
    return scores.astype(np.float64) > threshold


def from_on(scores: np.ndarray, threshold: float) -> np.ndarray:
    return scores.astype(np.float64) >= threshold


def ends(case: Case) -> tuple[float, float]:
    scores = flat(case)[1]
    return float(scores.min()), float(scores.max())


def equal_steps(case: Case, steps: int) -> list[float]:
    """From the lowest score up to one step below the highest."""
    low, high = ends(case)
    return [low + (high - low) / steps * step for step in range(steps)]


def regions(case: Case, structure: np.ndarray) -> list[np.ndarray]:
    found = []
    for mask, scores in zip(unions(case), case.maps, strict=True):
        labels, count = ndimage.label(mask, structure)
        found += [scores[labels == number] for number in range(1, count + 1)]
    return found


def points(
    case: Case,
    thresholds: Iterable[float],
    flags: Callable[[np.ndarray, float], np.ndarray],
    structure: np.ndarray = EIGHT,
) -> Points:
    labels, scores = flat(case)
    found = []
    for threshold in sorted(thresholds, reverse=True):
        rate = float(flags(scores[~labels], threshold).mean())
        each = [float(flags(region, threshold).mean()) for region in regions(case, structure)]
        found.append((rate, float(np.mean(each))))
    return found


def trapezoids(curve: Points) -> float:
    total = 0.0
    for (x, y), (after, higher) in pairwise(curve):
        total += (after - x) * (y + higher) / 2
    return total


def cut(curve: Points, limit: float) -> Points:
    """Keep the points below the limit, and the one on the curve at the limit."""
    at_limit = float(np.interp(limit, *np.array(curve).T))
    return [*((x, y) for x, y in curve if x < limit), (limit, at_limit)]


def rescaled(curve: Points, limit: float, *, from_zero: bool) -> float:
    kept = [(x, y) for x, y in curve if x < limit]
    low = 0.0 if from_zero else min((x for x, _ in kept), default=0.0)
    width = max((x for x, _ in kept), default=0.0) - low
    return trapezoids([((x - low) / width, y) for x, y in kept]) if width else float("nan")


def ader(case: Case) -> float:
    return rescaled(points(case, equal_steps(case, 100), above), 0.3, from_zero=False)


def rd4ad(case: Case) -> float:
    return rescaled(points(case, equal_steps(case, 200), above), 0.3, from_zero=True)


def mvtec_3d(case: Case) -> float:
    """One threshold at each of 100 equal ranks of the normal scores; the rate is the rank's."""
    labels, scores = flat(case)
    normal = sorted(scores[~labels].tolist())
    curve = [(1.0, 1.0)]
    for place in np.linspace(0, len(normal) - 1, 100).astype(int).tolist():
        each = [float(above(region, normal[place]).mean()) for region in regions(case, EIGHT)]
        curve.append((1 - (place + 1) / len(normal), float(np.mean(each))))
    return trapezoids(cut(curve[::-1], 0.3)) / 0.3


def study(case: Case) -> float:
    """Only images with an anomaly, 4-connected, and no point made at the limit."""
    bad = taken(case, [i for i, declared in enumerate(case.regions) if declared])
    curve = points(bad, np.linspace(*ends(bad), 200).tolist(), from_on, FOUR)
    return trapezoids([(x, y) for x, y in curve if x <= 0.3]) / 0.3


def binned_50(case: Case) -> float:
    curve = [(0.0, 0.0), *points(case, equal_steps(case, 50), from_on)]
    return trapezoids(cut(curve, 0.3)) / 0.3


def counts(case: Case, flagged: np.ndarray) -> tuple[int, int, int]:
    """True and false positives, and all positives."""
    labels = flat(case)[0]
    return int((labels & flagged).sum()), int((~labels & flagged).sum()), int(labels.sum())


def twenty_one(case: Case) -> list[tuple[int, int, int]]:
    low, high = ends(case)
    steps = np.linspace(0, 1, 21).tolist()
    return [counts(case, above(flat(case)[1], low + (high - low) * step)) for step in steps]


def ader_f1(case: Case) -> float:
    found = []
    for tp, fp, positives in twenty_one(case):
        precision, recall = tp / (tp + fp + EPS), tp / (positives + EPS)
        found.append(2 * precision * recall / (precision + recall + EPS))
    return max(found)


def ader_iou(case: Case) -> float:
    return max(tp / (positives + fp + EPS) for tp, fp, positives in twenty_one(case))


def binned_50_ap(case: Case) -> float:
    curve = [(0.0, 1.0)]
    for threshold in reversed(equal_steps(case, 50)):
        tp, fp, positives = counts(case, from_on(flat(case)[1], threshold))
        curve.append((tp / positives, tp / (tp + fp) if tp + fp else 1.0))
    return trapezoids(curve)


LOOPS: Mapping[str, Callable[[Case], float]] = {
    "region_aupro_30@ader": ader,
    "region_aupro_30@rd4ad": rd4ad,
    "region_aupro_30@mvtec_3d": mvtec_3d,
    "region_aupro_30@study": study,
    "region_aupro_30@binned_50": binned_50,
    "pixel_f1_oracle@ader": ader_f1,
    "pixel_iou_oracle@ader": ader_iou,
    "pixel_ap@binned_50": binned_50_ap,
}


def value(metric: str, case: Case) -> float:
    return evaluate_pixels(case.regions, case.maps, [metric])[metric].value


def test_every_dialect_has_its_loop_but_the_trapezoid_which_the_library_has() -> None:
    assert set(LOOPS) == {n for n, s in SPECS.items() if s.dialect} - {"pixel_ap@trapezoid"}


@pytest.mark.parametrize("metric", LOOPS)
@FAST
@given(case=st.integers(0, 2**32 - 1).map(build))
def test_a_dialect_equals_its_loop(metric: str, case: Case) -> None:
    assert value(metric, case) == pytest.approx(LOOPS[metric](case), abs=1e-9, nan_ok=True)


@cache
def smooth(steepness: float) -> tuple[list[np.ndarray | None], list[np.ndarray]]:
    """Disks in smooth noise, 10 images of 128 x 128, each passed through exp(steepness * z).

    The noise comes in steps of 1/512, so that even after exp no two scores meet in float32.
    """
    rng = np.random.default_rng(3)
    rows, columns = np.indices((128, 128))
    masks: list[np.ndarray | None] = []
    maps = []
    for number in range(10):
        noise = ndimage.gaussian_filter(rng.normal(size=(128, 128)), 3) * 10
        row, column = rng.integers(20, 108, 2)
        disk = (rows - row) ** 2 + (columns - column) ** 2 < rng.integers(4, 14) ** 2
        bad = number % 2 == 0
        z = np.round((noise + rng.choice([0.5, 1.5, 4.5]) * disk * bad) * 512) / 512
        masks.append(disk if bad else None)
        maps.append(np.exp(steepness * z) if steepness else z)
    return masks, maps


EXACT = ["region_aupro_30", "region_aupro_05", "pixel_auroc", "pixel_ap", "pixel_f1_oracle"]
UNMOVED = [*EXACT, "pixel_iou_oracle", "pixel_aupimo", "region_aupro_30@mvtec_3d"]
MOVED = [f"region_aupro_30@{d}" for d in ("ader", "rd4ad", "study", "binned_50")]
MOVED += ["pixel_f1_oracle@ader", "pixel_iou_oracle@ader", "pixel_ap@binned_50"]


@pytest.mark.parametrize("steepness", [0.6, 1.2])
def test_a_steep_transform_moves_no_exact_metric_at_all(steepness: float) -> None:
    assert evaluate_pixels(*smooth(steepness), UNMOVED) == evaluate_pixels(*smooth(0), UNMOVED)


def test_a_steep_transform_moves_every_dialect_of_equal_score_steps() -> None:
    before, after = (evaluate_pixels(*smooth(steep), MOVED) for steep in (0, 1.2))
    moved = {name: abs(after[name].value - before[name].value) for name in MOVED}
    assert min(moved.values()) > 0.05, moved


def test_without_the_transform_the_dialects_of_many_steps_are_close_to_the_exact_value() -> None:
    names = ["region_aupro_30", *(f"region_aupro_30@{d}" for d in ("ader", "rd4ad", "mvtec_3d"))]
    exact, *others = (found.value for found in evaluate_pixels(*smooth(0), names).values())
    assert others == pytest.approx([exact] * 3, abs=0.05)
    assert exact not in others
