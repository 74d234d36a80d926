"""Normalizers that are wrong in one choice, each rejected by a property that ours have.

A mutant is our code with one function replaced. `holds` runs the property on whatever is in place;
it must be true of ours and false of the mutant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from adharness import Calibration, ImageContext
from adharness_normalizers import (
    CLUSTER_QUANTILE,
    CONFORMAL,
    LOCAL_DENSITY,
    REGRESSED,
    ZSCORE_ROUTED,
    clusters,
    groups,
    local_density,
    normals,
    regressed,
    zscore_routed,
)
from adharness_normalizers.cluster_quantile import Quantiles
from adharness_normalizers.conformal import Surprise

RNG = np.random.default_rng(0)
PLACES = np.repeat([[0.0, 0.0], [40.0, 0.0]], 15, axis=0) + RNG.normal(size=(30, 2))
SCORES = np.repeat([1.0, 20.0], 15) * (5 + RNG.normal(size=30))
CLASSES = ["a"] * 15 + ["b"] * 15


def fit(spec: Any, order: Any = slice(None), labels: Any = None, **chosen: Any) -> Any:
    names = np.array(CLASSES)[order].tolist()
    context = ImageContext(names, PLACES.astype(np.float32)[order])
    return spec.make(spec.params(**chosen)).fit(Calibration(SCORES[order], labels, context))


def at(count: int, place: int = 0, classes: Any = None) -> ImageContext:
    return ImageContext(classes, np.repeat(PLACES[[place]], count, axis=0).astype(np.float32))


# --- properties -----------------------------------------------------------------------------


def a_test_images_class_is_not_read() -> bool:
    transform = fit(ZSCORE_ROUTED, by="class")
    true, false = (transform.apply(np.array([7.0]), at(1, 0, [name])) for name in "ab")
    return bool(true == false)


def the_order_of_calibration_changes_nothing() -> bool:
    order = np.random.default_rng(2).permutation(30)
    value = np.array([7.123])
    found = [fit(ZSCORE_ROUTED, o, by="class").apply(value, at(1)) for o in (slice(None), order)]
    return found[0].tobytes() == found[1].tobytes()


def anomalies_are_not_learnt_from() -> bool:
    labels = np.zeros(30, np.int64)
    labels[[0, 20]] = 1
    without = [fit(REGRESSED, labels == 0), fit(REGRESSED, labels=labels)]
    return bool(np.equal(*(one.apply(np.array([7.0]), at(1)) for one in without)))


def other_images_do_not_matter() -> bool:
    values = np.array([3.0, 900.0])
    transform = fit(ZSCORE_ROUTED)
    return bool(transform.apply(values, at(2))[0] == transform.apply(values[:1], at(1))[0])


def clusters_that_are_too_small_are_given_up() -> bool:
    grouping = fit(ZSCORE_ROUTED, slice(0, 20), smallest=6).router.centroids
    return len(grouping) == 1


def clusters_are_of_embeddings() -> bool:
    return len(fit(ZSCORE_ROUTED).router.centroids) == 2


def higher_scores_stay_higher(spec: Any, **chosen: Any) -> bool:
    values = np.linspace(-50, 900, 400)
    return bool((np.diff(fit(spec, **chosen).apply(values, at(400))) > 0).all())


def quantiles_rise_outside() -> bool:
    return higher_scores_stay_higher(CLUSTER_QUANTILE)


def surprise_rises_outside() -> bool:
    return higher_scores_stay_higher(CONFORMAL, per="pooled")


def p_values_count_the_score_itself() -> bool:
    surprise = fit(CONFORMAL, per="pooled").apply(np.sort(SCORES), at(30))
    return np.allclose(np.exp(-surprise), (1 + np.arange(30, 0, -1)) / 31)


def a_neighbour_does_not_count_itself() -> bool:
    transform = fit(LOCAL_DENSITY, neighbours=1)
    near = np.linalg.norm(PLACES - PLACES[3], axis=1)
    near[3] = np.inf
    return np.isclose(transform.apply(np.array([1.0]), at(1, 3))[0], 1 / SCORES[near.argmin()])


def deviations_are_of_images_left_out() -> bool:
    """Noise of deviation 1 and embeddings that explain none of it: in sample it looks smaller."""
    rng = np.random.default_rng(4)
    scores, places = rng.normal(size=40), rng.normal(size=(40, 60)).astype(np.float32)
    made = REGRESSED.make(REGRESSED.params())
    line = regressed._Design.of(places.astype(np.float64))._line(scores, 0.01)
    fitted = made.fit(Calibration(scores, None, ImageContext(None, places)))
    return bool(np.std(line.left_out) > 0.5) and np.isfinite(fitted.unit)


# --- mutants --------------------------------------------------------------------------------

OUR_GROUP = groups.NearestCentroid.group
OUR_NORMALS = normals.normals_of
OUR_USUAL = local_density._usual
OUR_LINE = regressed._Design._line


def routed_as_told(self: Any, context: ImageContext) -> int:
    if context.classes:
        return "ab".index(context.classes[0])
    return OUR_GROUP(self, context)


def unsorted(calibration: Calibration, name: str, *, at_least: int) -> Any:
    whole = OUR_NORMALS(calibration, name, at_least=at_least)
    places = calibration.context.embeddings.astype(np.float64)
    return replace(whole, scores=calibration.scores, embeddings=places,
                   classes=tuple(calibration.context.classes))  # fmt: skip


def labels_ignored(calibration: Calibration, name: str, *, at_least: int) -> Any:
    return OUR_NORMALS(replace(calibration, labels=None), name, at_least=at_least)


def scaled_by_the_batch(self: Any, values: np.ndarray, context: ImageContext) -> np.ndarray:
    return (values - values.mean()) / (1 + values.std())


def every_cluster_kept(normals: Any, name: str, asked: Any) -> Any:
    return clusters.by_cluster(normals, name, asked.model_copy(update={"smallest": 1}))


def one_cluster(places: np.ndarray, asked: Any, seed: int) -> np.ndarray:
    return places.mean(axis=0, keepdims=True)


def cut_at_the_ends(self: Any, values: np.ndarray) -> np.ndarray:
    return np.interp(values, self.scores, self.heights)


def a_step_function(self: Any, values: np.ndarray) -> np.ndarray:
    ranks = np.searchsorted(self.scores, values)
    return np.append(self.surprises, self.highest)[ranks]


def without_the_one(self: Any, values: np.ndarray) -> np.ndarray:
    return -np.log(np.searchsorted(-self.scores[::-1], -values, "right") / (len(self.scores) + 1))


def counting_itself(normals: Any, places: np.ndarray, k: int, *, of_scores: bool) -> np.ndarray:
    return normals.scores


def in_sample(self: Any, target: np.ndarray, penalty: float) -> Any:
    line = OUR_LINE(self, target, penalty)
    return replace(line, left_out=target - line.fitted)


@dataclass(frozen=True)
class Trial:
    """What is replaced by what, and the property that must notice."""

    holds: Callable[[], bool]
    mutant: Any
    target: Any
    name: str


TRIALS = [
    Trial(a_test_images_class_is_not_read, routed_as_told, groups.NearestCentroid, "group"),
    Trial(the_order_of_calibration_changes_nothing, unsorted, zscore_routed, "normals_of"),
    Trial(anomalies_are_not_learnt_from, labels_ignored, regressed, "normals_of"),
    Trial(other_images_do_not_matter, scaled_by_the_batch, groups._Grouped, "apply"),
    Trial(clusters_that_are_too_small_are_given_up, every_cluster_kept, zscore_routed,
          "by_cluster"),
    Trial(clusters_are_of_embeddings, one_cluster, clusters, "_centroids"),
    Trial(quantiles_rise_outside, cut_at_the_ends, Quantiles, "rescale"),
    Trial(surprise_rises_outside, a_step_function, Surprise, "rescale"),
    Trial(p_values_count_the_score_itself, without_the_one, Surprise, "rescale"),
    Trial(a_neighbour_does_not_count_itself, counting_itself, local_density, "_usual"),
    Trial(deviations_are_of_images_left_out, in_sample, regressed._Design, "_line"),
]  # fmt: skip


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.mutant.__name__)
def test_a_wrong_normalizer_is_rejected_by_the_property_that_ours_has(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trial.holds()
    monkeypatch.setattr(trial.target, trial.name, trial.mutant)
    assert not trial.holds()
