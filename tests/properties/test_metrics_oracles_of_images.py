"""Image metrics against curves built point by point, and against scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from adharness.metrics import METRICS, evaluate_images

FAST = settings(max_examples=30, deadline=None, derandomize=True)
Case: TypeAlias = tuple[np.ndarray, np.ndarray]
Point: TypeAlias = tuple[float, float]
THRESHOLD = 0.25


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to 40 images; few distinct scores are many ties."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count, width = int(rng.integers(2, 41)), int(rng.choice([1, 4, 40]))
    labels = np.array([0, 1, *rng.integers(0, 2, count - 2)])
    return labels, rng.integers(-width, width + 1, count) / 8


def value(metric: str, case: Case) -> float:
    return evaluate_images(*case, [metric], threshold=THRESHOLD)[metric].value


def counts(case: Case, flagged: np.ndarray) -> tuple[int, int, int, int]:
    """True and false positives, false and true negatives."""
    found = [0, 0, 0, 0]
    for label, alarm in zip(case[0], flagged, strict=True):
        found[(0 if label else 1) if alarm else (2 if label else 3)] += 1
    return found[0], found[1], found[2], found[3]


def at_every_score(case: Case) -> list[tuple[int, int, int, int]]:
    """Counts with nothing flagged, and then at each distinct score, descending."""
    thresholds = [np.inf, *sorted(set(case[1].tolist()), reverse=True)]
    return [counts(case, case[1] >= threshold) for threshold in thresholds]


def roc(case: Case) -> list[Point]:
    return [(fp / (fp + tn), tp / (tp + fn)) for tp, fp, fn, tn in at_every_score(case)]


def area(points: list[Point], limit: float) -> float:
    """Trapezoids up to the limit; the one that crosses it is cut on its line."""
    total = 0.0
    for (x, y), (after, above) in pairwise(points):
        if x < limit and after > x:
            end = min(after, limit)
            total += (end - x) * (y + (y + (above - y) * (end - x) / (after - x))) / 2
    return total / limit


def fpr_at_95_tpr(case: Case) -> float:
    points = roc(case)
    for (x, y), (after, above) in pairwise(points):
        if above >= 0.95 - 1e-12:
            return x + (after - x) * (0.95 - y) / (above - y)
    raise AssertionError("the last point finds all")


def average_precision(case: Case) -> float:
    found = at_every_score(case)[1:]
    recalls = [0.0, *(tp / (tp + fn) for tp, _, fn, _ in found)]
    gains = [later - earlier for earlier, later in pairwise(recalls)]
    return sum(g * tp / (tp + fp) for g, (tp, fp, _, _) in zip(gains, found, strict=True))


def ratio(top: float, bottom: float) -> float:
    return top / bottom if bottom else float("nan")


def f1(tp: int, fp: int, fn: int, tn: int) -> float:
    return 2 * tp / (2 * tp + fp + fn)


def accuracy(tp: int, fp: int, fn: int, tn: int) -> float:
    return (tp + tn) / (tp + fp + fn + tn)


def deployed(case: Case) -> tuple[int, int, int, int]:
    return counts(case, case[1] > THRESHOLD)


def balanced_accuracy(case: Case) -> float:
    tp, fp, fn, tn = deployed(case)
    return (tp / (tp + fn) + tn / (tn + fp)) / 2


def cost(tp: int, fp: int, fn: int, tn: int) -> float:
    """By the default costs: 10 a miss, 1 a false alarm, one part in a hundred defective."""
    return 0.01 * 10 * fn / (tp + fn) + 0.99 * 1 * fp / (fp + tn)


BRUTE: Mapping[str, Callable[[Case], float]] = {
    "image_auroc": lambda case: area(roc(case), 1.0),
    "image_auroc_fpr10": lambda case: area(roc(case), 0.1),
    "image_fpr_at_95_tpr": fpr_at_95_tpr,
    "image_ap": average_precision,
    "image_f1_oracle": lambda case: max(f1(*found) for found in at_every_score(case)),
    "image_accuracy_oracle": lambda case: max(accuracy(*found) for found in at_every_score(case)),
    "image_cost_oracle": lambda case: min(cost(*found) for found in at_every_score(case)),
    "image_cost": lambda case: cost(*deployed(case)),
    "image_f1": lambda case: f1(*deployed(case)),
    "image_accuracy": lambda case: accuracy(*deployed(case)),
    "image_balanced_accuracy": balanced_accuracy,
    "image_precision": lambda case: ratio(deployed(case)[0], sum(deployed(case)[:2])),
    "image_recall": lambda case: ratio(deployed(case)[0], deployed(case)[0] + deployed(case)[2]),
    "image_fpr": lambda case: ratio(deployed(case)[1], deployed(case)[1] + deployed(case)[3]),
}


def test_every_image_metric_has_a_brute_force() -> None:
    assert set(BRUTE) == {name for name, spec in METRICS.items() if spec.level == "image"}


@pytest.mark.parametrize("metric", BRUTE)
@FAST
@given(case=cases())
def test_a_metric_equals_its_brute_force(metric: str, case: Case) -> None:
    assert value(metric, case) == pytest.approx(BRUTE[metric](case), abs=1e-12, nan_ok=True)


def _partial_area(case: Case) -> float:
    """Undo McClish's affine map of the area up to a rate of 0.1 to the range from 0.5 to 1."""
    mapped, lowest, highest = sklearn_metrics.roc_auc_score(*case, max_fpr=0.1), 0.1**2 / 2, 0.1
    return float((lowest + (2 * mapped - 1) * (highest - lowest)) / 0.1)


def _trapezoids(case: Case) -> float:
    precision, recall, _ = sklearn_metrics.precision_recall_curve(*case)
    return float(sklearn_metrics.auc(recall, precision))


def _judged(score: Callable[..., float]) -> Callable[[Case], float]:
    return lambda case: float(score(case[0], case[1] > THRESHOLD))


LIBRARY: Mapping[str, Callable[[Case], float]] = {
    "image_auroc": lambda case: float(sklearn_metrics.roc_auc_score(*case)),
    "image_ap": lambda case: float(sklearn_metrics.average_precision_score(*case)),
    "image_ap@trapezoid": _trapezoids,
    "image_auroc_fpr10": _partial_area,
    "image_f1": _judged(sklearn_metrics.f1_score),
    "image_accuracy": _judged(sklearn_metrics.accuracy_score),
    "image_balanced_accuracy": _judged(sklearn_metrics.balanced_accuracy_score),
    "image_recall": _judged(sklearn_metrics.recall_score),
    "image_precision": _judged(
        lambda truth, alarm: sklearn_metrics.precision_score(truth, alarm, zero_division=np.nan)
    ),
}


@pytest.mark.parametrize("metric", LIBRARY)
@FAST
@given(case=cases())
def test_a_metric_equals_that_of_the_library(metric: str, case: Case) -> None:
    assert value(metric, case) == pytest.approx(LIBRARY[metric](case), abs=1e-12, nan_ok=True)
