from __future__ import annotations

import numpy as np
import pytest

from adharness.errors import MetricError
from adharness.metrics import METRICS, evaluate_images
from adharness.statistics import bootstrap_weights, replicates, replicates_of, strata_of

IMAGE = [name for name, spec in METRICS.items() if spec.level == "image"]


def _data(count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(8)
    labels = np.arange(count) % 3 == 0
    return labels.astype(int), (labels + rng.normal(size=count)).round(1)


def test_each_stratum_is_resampled_to_its_own_size() -> None:
    strata = strata_of([0, 1, 1, 0, 0, 1], ["a", "a", "b", "b", "b", "a"])
    assert strata.tolist() == [0, 1, 3, 2, 2, 1]
    weights = bootstrap_weights(strata, 50, np.random.default_rng(0))
    for stratum in range(4):
        members = strata == stratum
        assert (weights[:, members].sum(axis=1) == members.sum()).all()
    assert len(np.unique(weights, axis=0)) > 1


def test_the_same_generator_state_gives_the_same_weights() -> None:
    strata = strata_of(_data()[0])
    first = bootstrap_weights(strata, 5, np.random.default_rng(1))
    assert np.array_equal(first, bootstrap_weights(strata, 5, np.random.default_rng(1)))
    assert not np.array_equal(first, bootstrap_weights(strata, 5, np.random.default_rng(2)))


@pytest.mark.parametrize("metric", IMAGE)
def test_a_replicate_is_the_metric_of_the_images_taken_as_often_as_drawn(metric: str) -> None:
    labels, scores = _data()
    weights = np.random.default_rng(4).integers(0, 3, (12, len(labels)))
    weights[0], weights[1] = 1, labels  # the data itself, and a resample without normal images
    found = replicates(metric, labels, scores, weights, threshold=0.5)
    for weight, value in zip(weights, found, strict=True):
        again = evaluate_images(
            np.repeat(labels, weight), np.repeat(scores, weight), [metric], threshold=0.5
        )
        assert value == pytest.approx(again[metric].value, abs=1e-12, nan_ok=True)


def test_all_metrics_of_a_call_equal_those_asked_for_alone() -> None:
    labels, scores = _data()
    weights = bootstrap_weights(strata_of(labels), 9, np.random.default_rng(0))
    thresholds = np.where(np.arange(len(labels)) % 2, 0.3, 0.6)
    together = replicates_of(IMAGE, labels, scores, weights, thresholds)
    assert list(together) == IMAGE
    for metric in IMAGE:
        alone = replicates(metric, labels, scores, weights, thresholds)
        assert np.array_equal(alone, together[metric], equal_nan=True)


def test_a_pixel_metric_is_refused_where_only_image_scores_are_given() -> None:
    with pytest.raises(MetricError, match="'pixel_auroc' is of the pixel level"):
        replicates("pixel_auroc", [0, 1], [0, 1], np.ones((1, 2), np.int64))


def test_bad_weights_and_strata_are_refused() -> None:
    with pytest.raises(MetricError, match="weights has shape"):
        replicates("image_auroc", [0, 1], [0, 1], np.ones((1, 3), np.int64))
    with pytest.raises(MetricError, match="a weight is -1"):
        replicates("image_auroc", [0, 1], [0, 1], np.array([[1, -1]]))
    with pytest.raises(MetricError, match="0 resamples"):
        bootstrap_weights(np.zeros(3, np.int64), 0, np.random.default_rng(0))
    with pytest.raises(MetricError, match="classes has shape"):
        strata_of([0, 1], ["a"])
    with pytest.raises(MetricError, match="no threshold is given"):
        replicates("image_f1", [0, 1], [0, 1], np.ones((1, 2), np.int64))
