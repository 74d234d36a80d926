"""Wrong image metrics modelled on ones in use, each rejected by the property named for it.

Every property is first shown to hold for our metric on the very same data, so that a property
that rejects everything does not pass for a good one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import pytest

from adharness.metrics import evaluate_images

Metric: TypeAlias = Callable[[np.ndarray, np.ndarray], float]
THRESHOLD = 0.5


def ours(name: str) -> Metric:
    return lambda labels, scores: (
        evaluate_images(labels, scores, [name], threshold=THRESHOLD)[name].value
    )


auroc = ours("image_auroc")


# --- mutants --------------------------------------------------------------------------------


def order_dependent_auroc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Ties ranked as the sort happens to leave them."""
    ranked = labels[np.argsort(-scores, kind="stable")]
    below = np.cumsum(1 - ranked[::-1])[::-1]
    return float((ranked * below).sum() / (labels.sum() * (1 - labels).sum()))


def flipped_auroc(labels: np.ndarray, scores: np.ndarray) -> float:
    """A detector worse than chance shown as one better than chance."""
    return max(auroc(labels, scores), 1 - auroc(labels, scores))


def clamped_auroc(labels: np.ndarray, scores: np.ndarray) -> float:
    return auroc(labels, np.clip(scores, 0, 1))


def sigmoid_auroc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Scores outside of [0, 1] taken for logits, in float32."""
    return auroc(labels, 1 / (1 + np.exp(-scores.astype(np.float32))))


def early_tie_auroc(labels: np.ndarray, scores: np.ndarray) -> float:
    """The ROC point of a tie taken at its first image, as in the code of MVTec LOCO."""
    order = np.argsort(-scores, kind="stable")
    labels, scores = labels[order], scores[order]
    first = np.append(True, np.diff(scores) != 0)
    tpr = np.append((np.cumsum(labels) / labels.sum())[first], 1.0)
    fpr = np.append((np.cumsum(1 - labels) / (1 - labels).sum())[first], 1.0)
    return float(np.trapezoid(np.append(0.0, tpr), np.append(0.0, fpr)))


def mcclish_partial(labels: np.ndarray, scores: np.ndarray) -> float:
    """Chance mapped to one half, as scikit-learn does, under the name of the plain mean."""
    mean, chance = ours("image_auroc_fpr10")(labels, scores), 0.05
    return 0.5 * (1 + (mean - chance) / (1 - chance))


def stepwise_fpr95(labels: np.ndarray, scores: np.ndarray) -> float:
    """The rate at the first score that finds 95 %, without the line through a tie."""
    for threshold in np.unique(scores)[::-1]:
        if np.mean(scores[labels == 1] >= threshold) >= 0.95:
            return float(np.mean(scores[labels == 0] >= threshold))
    raise AssertionError("the lowest score finds all")


def _precision_recall(labels: np.ndarray, scores: np.ndarray) -> tuple[list[float], list[float]]:
    flagged = [scores >= threshold for threshold in np.unique(scores)[::-1]]
    precision = [float(labels[f].mean()) for f in flagged]
    recall = [float(labels[f].sum() / labels.sum()) for f in flagged]
    return [1.0, *precision], [0.0, *recall]


def trapezoid_ap(labels: np.ndarray, scores: np.ndarray) -> float:
    precision, recall = _precision_recall(labels, scores)
    return float(np.trapezoid(precision, recall))


def interpolated_ap(labels: np.ndarray, scores: np.ndarray) -> float:
    """Each precision lifted to the best one at a larger recall, as in PASCAL VOC."""
    precision, recall = _precision_recall(labels, scores)
    lifted = np.maximum.accumulate(precision[1:][::-1])[::-1]
    return float(sum(p * (b - a) for p, (a, b) in zip(lifted, pairwise(recall), strict=True)))


def _f1_at(labels: np.ndarray, flagged: np.ndarray) -> float:
    return float(2 * labels[flagged].sum() / (flagged.sum() + labels.sum()))


def grid_f1_oracle(labels: np.ndarray, scores: np.ndarray) -> float:
    scaled = (scores - scores.min()) / np.ptp(scores)
    return max(_f1_at(labels, scaled > threshold) for threshold in np.linspace(0, 1, 21))


def nan_f1_oracle(labels: np.ndarray, scores: np.ndarray) -> float:
    """The harmonic mean is 0 / 0 where nothing is found, and the maximum keeps that."""
    precision, recall = (np.array(axis[1:]) for axis in _precision_recall(labels, scores))
    with np.errstate(invalid="ignore"):
        return float(np.max(2 * precision * recall / (precision + recall)))


def always_flagging_accuracy_oracle(labels: np.ndarray, scores: np.ndarray) -> float:
    """Only the scores are thresholds: to flag nothing is no choice."""
    return max(float(np.mean((scores >= t) == labels)) for t in np.unique(scores))


def inclusive_fpr(labels: np.ndarray, scores: np.ndarray) -> float:
    return float(np.mean(scores[labels == 0] >= THRESHOLD))


def zero_for_undefined_precision(labels: np.ndarray, scores: np.ndarray) -> float:
    flagged = scores > THRESHOLD
    return float(labels[flagged].sum() / max(flagged.sum(), 1))


def normalized_recall(labels: np.ndarray, scores: np.ndarray) -> float:
    """Scores brought to [0, 1] by the ends of the test set before the threshold."""
    scaled = (scores - scores.min()) / np.ptp(scores)
    return float(np.mean(scaled[labels == 1] > THRESHOLD))


def accuracy_as_balanced(labels: np.ndarray, scores: np.ndarray) -> float:
    return float(np.mean((scores > THRESHOLD) == labels))


# --- properties -----------------------------------------------------------------------------

LABELS = np.array([0, 1, 0, 1, 0, 1, 1, 0, 0, 1])
SCORES = np.array([0.0, 0.5, 0.75, 1.0, 0.25, 2.5, 3.0, 1.5, 2.0, 1.25])
FEW = np.array([0, 0, 0, 1])


def steep_transforms_change_nothing(metric: Metric) -> bool:
    return bool(np.isclose(metric(LABELS, np.exp(6 * SCORES)), metric(LABELS, SCORES)))


def the_place_of_the_zero_changes_nothing(metric: Metric) -> bool:
    shifts = [metric(LABELS, SCORES + shift) for shift in (-2.0, 0.0, 40.0)]
    return bool(np.allclose(shifts, shifts[0]))


def order_inside_ties_is_irrelevant(metric: Metric) -> bool:
    scores = np.array([1.0, 1.0, 0.0, 1.0])
    first, second = np.array([1, 0, 0, 1]), np.array([0, 1, 0, 1])
    return bool(np.isclose(metric(first, scores), metric(second, scores)))


def negation_gives_one_minus_the_value(metric: Metric) -> bool:
    return bool(np.isclose(metric(LABELS, -SCORES), 1 - metric(LABELS, SCORES)))


def constant_scores_give_one_half(metric: Metric) -> bool:
    return bool(np.isclose(metric(FEW, np.ones(4)), 0.5))


def constant_scores_give_the_prevalence(metric: Metric) -> bool:
    return bool(np.isclose(metric(FEW, np.ones(4)), 0.25))


def constant_scores_give_half_the_limit(metric: Metric) -> bool:
    return bool(np.isclose(metric(FEW, np.ones(4)), 0.05))


def constant_scores_find_95_percent_at_a_rate_of_95_percent(metric: Metric) -> bool:
    return bool(np.isclose(metric(FEW, np.ones(4)), 0.95))


def a_lower_precision_at_the_top_is_not_forgiven(metric: Metric) -> bool:
    return bool(
        np.isclose(metric(np.array([0, 1, 1]), np.array([3.0, 2.0, 1.0])), (1 / 2 + 2 / 3) / 2)
    )


def a_normal_image_on_top_leaves_a_best_f1(metric: Metric) -> bool:
    return bool(np.isclose(metric(np.array([0, 1]), np.array([2.0, 1.0])), 2 / 3))


def flagging_nothing_is_a_choice(metric: Metric) -> bool:
    return bool(np.isclose(metric(FEW, np.array([2.0, 3.0, 4.0, 1.0])), 0.75))


def equal_to_the_threshold_is_normal(metric: Metric) -> bool:
    return metric(np.array([0, 0, 1]), np.array([0.5, 0.0, 1.0])) == 0.0


def no_alarm_has_no_precision(metric: Metric) -> bool:
    return bool(np.isnan(metric(np.array([0, 1]), np.array([0.1, 0.2]))))


def a_new_normal_image_changes_no_recall(metric: Metric) -> bool:
    after = metric(np.append(LABELS, 0), np.append(SCORES, 99.0))
    return after == metric(LABELS, SCORES)


def normal_images_taken_twice_change_nothing(metric: Metric) -> bool:
    times = 2 - LABELS
    return bool(
        np.isclose(
            metric(np.repeat(LABELS, times), np.repeat(SCORES, times)), metric(LABELS, SCORES)
        )
    )


@dataclass(frozen=True)
class Trial:
    """A mutant, the metric it poses as, and the property that must tell them apart."""

    holds: Callable[[Metric], bool]
    ours: str
    mutant: Metric


TRIALS = [
    Trial(order_inside_ties_is_irrelevant, "auroc", order_dependent_auroc),
    Trial(negation_gives_one_minus_the_value, "auroc", flipped_auroc),
    Trial(the_place_of_the_zero_changes_nothing, "auroc", clamped_auroc),
    Trial(the_place_of_the_zero_changes_nothing, "auroc", sigmoid_auroc),
    Trial(constant_scores_give_one_half, "auroc", early_tie_auroc),
    Trial(constant_scores_give_half_the_limit, "auroc_fpr10", mcclish_partial),
    Trial(constant_scores_find_95_percent_at_a_rate_of_95_percent, "fpr_at_95_tpr", stepwise_fpr95),
    Trial(constant_scores_give_the_prevalence, "ap", trapezoid_ap),
    Trial(a_lower_precision_at_the_top_is_not_forgiven, "ap", interpolated_ap),
    Trial(steep_transforms_change_nothing, "f1_oracle", grid_f1_oracle),
    Trial(a_normal_image_on_top_leaves_a_best_f1, "f1_oracle", nan_f1_oracle),
    Trial(flagging_nothing_is_a_choice, "accuracy_oracle", always_flagging_accuracy_oracle),
    Trial(equal_to_the_threshold_is_normal, "fpr", inclusive_fpr),
    Trial(no_alarm_has_no_precision, "precision", zero_for_undefined_precision),
    Trial(a_new_normal_image_changes_no_recall, "recall", normalized_recall),
    Trial(normal_images_taken_twice_change_nothing, "balanced_accuracy", accuracy_as_balanced),
]


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.mutant.__name__)
def test_a_wrong_metric_is_rejected_by_the_property_that_ours_has(trial: Trial) -> None:
    assert trial.holds(ours(f"image_{trial.ours}"))
    assert not trial.holds(trial.mutant)
