"""Each normalizer's formula, against numbers worked out another way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from adharness import Calibration, DataError, ImageContext
from adharness_normalizers import (
    CLUSTER_QUANTILE,
    CONFORMAL,
    LOCAL_DENSITY,
    REGRESSED,
    ZSCORE_ROUTED,
)


def fit(spec: Any, scores: Any, embeddings: Any = None, classes: Any = None, **chosen: Any) -> Any:
    places = None if embeddings is None else np.array(embeddings, dtype=np.float32)
    given_scores = np.array(scores, dtype=np.float64)
    context = ImageContext(classes, places)
    return spec.make(spec.params(**chosen)).fit(Calibration(given_scores, None, context))


def at(*places: list[float]) -> ImageContext:
    return ImageContext(None, np.array(places, dtype=np.float32))


# --- z-scores of what the embedding is routed to -------------------------------------------

LEFT_RIGHT: dict[str, Any] = {
    "scores": [1.0, 3.0, 100.0, 120.0, 110.0],
    "embeddings": [[0.0], [1.0], [9.0], [10.0], [11.0]],
    "classes": ["a", "a", "b", "b", "b"],
}


@pytest.mark.parametrize("chosen", [
    {"by": "class"},
    {"by": "class", "route": "neighbours", "neighbours": 1},
    {"by": "cluster", "clusters": 2, "smallest": 2},
    {"by": "cluster", "smallest": 2},
])  # fmt: skip
def test_an_image_gets_the_scale_of_the_group_that_its_embedding_is_nearest_to(chosen):
    transform = fit(ZSCORE_ROUTED, **LEFT_RIGHT, **chosen)
    scaled = transform.apply(np.array([2.0, 120.0, 2.0]), at([0.5], [9.5], [9.5]))
    np.testing.assert_allclose(scaled, [0.0, 1.0, -10.8])


def test_the_class_of_most_neighbours_wins_and_the_nearest_breaks_a_tie():
    scores, classes = [1.0, 3.0, 10.0, 20.0], ["a", "b", "b", "a"]
    transform = fit(ZSCORE_ROUTED, scores, [[0.0], [2.0], [3.0], [9.0]], classes,
                    by="class", route="neighbours", neighbours=3)  # fmt: skip
    of_a, of_b = (1.0 + 20.0) / 2, (3.0 + 10.0) / 2
    np.testing.assert_allclose(transform.apply(np.array([of_b]), at([0.0])), 0, atol=1e-12)
    tied = fit(ZSCORE_ROUTED, scores, [[0.0], [2.0], [3.0], [9.0]], classes,
               by="class", route="neighbours", neighbours=4)  # fmt: skip
    np.testing.assert_allclose(tied.apply(np.array([of_a, of_b]), at([0.0], [2.1])), 0, atol=1e-12)


def blobs(sizes: list[int], gap: float = 30.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    middles = [[gap * i, gap * (i % 2)] for i in range(len(sizes))]
    parts = [rng.normal(size=(n, 2)) + m for n, m in zip(sizes, middles, strict=True)]
    return np.concatenate(parts)


def groups_of(transform: Any, places: np.ndarray) -> int:
    """Count the transforms among images with one score each, at these places."""
    context = ImageContext(None, places.astype(np.float32))
    return len(set(np.round(transform.apply(np.full(len(places), 5.0), context), 9).tolist()))


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_the_number_of_clusters_is_found_without_a_label_or_a_score(count):
    places = blobs([12] * count)
    scores = np.random.default_rng(1).normal(size=len(places))
    assert groups_of(fit(ZSCORE_ROUTED, scores, places), places) == count


def test_a_cluster_with_too_few_images_is_given_up_to_the_nearest_other():
    places = blobs([12, 4, 12])
    scores = np.random.default_rng(1).normal(size=len(places))
    assert groups_of(fit(ZSCORE_ROUTED, scores, places, smallest=4), places) == 3
    assert groups_of(fit(ZSCORE_ROUTED, scores, places, smallest=5), places) == 2
    with pytest.raises(DataError, match="needs 29 normal images for a cluster, and has 28"):
        fit(ZSCORE_ROUTED, scores, places, smallest=29)


def test_a_class_with_one_image_or_one_score_is_named():
    with pytest.raises(DataError, match="class 'b' has 1 normal calibration image, and 2"):
        fit(ZSCORE_ROUTED, [1.0, 2.0, 3.0], [[0], [0], [1]], ["a", "a", "b"], by="class")
    with pytest.raises(DataError, match="scores of class 'b' are 3, so they have no scale"):
        fit(ZSCORE_ROUTED, [1.0, 2.0, 3.0, 3.0], [[0], [0], [1], [1]], list("aabb"), by="class")


def test_no_cluster_is_no_number_of_clusters():
    with pytest.raises(ValidationError, match="0 clusters hold no image"):
        ZSCORE_ROUTED.params(clusters=0)


# --- quantiles ------------------------------------------------------------------------------


def test_a_quantile_is_the_mean_rank_over_n_plus_1_and_goes_on_outside_as_within():
    transform = fit(CLUSTER_QUANTILE, [1, 2, 2, 5], [[0.0]] * 4, smallest=4)
    values = np.array([1.0, 2.0, 5.0, 3.5, 9.0, -3.0])
    found = transform.apply(values, at(*[[0.0]] * 6))
    # ranks 1, 2.5 (twice), 4 over 5; halfway between 2 and 5; 4 beyond on either side at 0.6 / 4
    np.testing.assert_allclose(found, [0.2, 0.5, 0.8, 0.65, 1.4, -0.4])


# --- conformal p-values ---------------------------------------------------------------------

scores_of = st.lists(st.integers(0, 40), min_size=3, max_size=25).filter(
    lambda s: np.median(s) < max(s)
)


def p_value(calibration: Any, value: float) -> float:
    return (1 + sum(s >= value for s in calibration)) / (len(calibration) + 1)


@settings(deadline=None)
@given(scores_of, st.lists(st.integers(-800, 1600).map(lambda x: x / 8), max_size=8))
def test_exp_of_minus_the_surprise_is_the_p_value_at_calibration_scores_and_never_below_it(
    calibration, others
):
    transform = fit(CONFORMAL, calibration, per="pooled")
    known = np.unique(calibration).astype(np.float64)
    own = np.exp(-transform.apply(known, ImageContext()))
    np.testing.assert_allclose(own, [p_value(calibration, s) for s in known], rtol=1e-12)
    for value in others:
        found = float(np.exp(-transform.apply(np.array([value]), ImageContext())[0]))
        assert found >= p_value(calibration, value) * (1 - 1e-12)
        lower = [s for s in calibration if s < value]
        if lower and value <= max(calibration):  # the tie-break stays within the step
            assert found < p_value(calibration, max(lower))


def test_a_bounded_tail_never_passes_the_smallest_p_value_and_an_exponential_one_goes_on():
    scores = np.arange(9.0)
    far = np.array([8.0, 9.0, 1e9])
    bounded = fit(CONFORMAL, scores, per="pooled").apply(far, ImageContext())
    assert (np.diff(bounded) > 0).all()
    assert bounded[-1] < np.log(10)
    endless = fit(CONFORMAL, scores, per="pooled", tail="exponential").apply(far, ImageContext())
    excess = np.mean([1.0, 2.0, 3.0, 4.0])  # of 5, 6, 7 and 8 over the median 4
    np.testing.assert_allclose(endless, -np.log(0.2) + (far - 8) / excess)


def test_normal_images_seldom_get_a_small_p_value_in_any_group():
    """P(p <= alpha) <= alpha over calibration sets and images, up to three standard errors."""
    rng = np.random.default_rng(7)
    places = np.repeat([[0.0], [50.0]], 19, axis=0)
    scale = np.repeat([1.0, 30.0], 19)
    surprises = []
    for _ in range(60):
        made = fit(CONFORMAL, scale * rng.exponential(size=38), places, clusters=2)
        test = scale * rng.exponential(size=38)
        surprises.append(made.apply(test, ImageContext(None, places.astype(np.float32))))
    p_values = np.exp(-np.array(surprises)).reshape(60, 2, 19)
    for alpha in (0.05, 0.1, 0.3):
        for group in range(2):
            share = (p_values[:, group] <= alpha).mean()
            assert share <= alpha + 3 * np.sqrt(alpha / p_values[:, group].size * 4)


def test_scores_that_mostly_equal_their_highest_have_no_tail():
    with pytest.raises(DataError, match="more than half of the calibration scores of the calib"):
        fit(CONFORMAL, [1.0, 2.0, 2.0, 2.0], per="pooled")


# --- local density --------------------------------------------------------------------------


@pytest.mark.parametrize("of", ["scores", "distances"])
@pytest.mark.parametrize("k", [1, 3])
def test_a_score_is_divided_by_what_is_usual_around_its_neighbours(of, k):
    rng = np.random.default_rng(2)
    places, scores = rng.normal(size=(12, 3)).astype(np.float32), rng.uniform(1, 9, size=12)
    new = rng.normal(size=(4, 3)).astype(np.float32)
    expected = []
    for x in new:
        near = sorted(range(12), key=lambda j: np.linalg.norm(x - places[j]))[:k]
        around = []
        for j in near:
            others = sorted(
                (i for i in range(12) if i != j),
                key=lambda i: np.linalg.norm(places[i] - places[j]),
            )[:k]
            away = [np.linalg.norm(places[i] - places[j]) for i in others]
            around.append(np.mean(scores[others] if of == "scores" else away))
        expected.append(7.0 / np.mean(around))
    transform = fit(LOCAL_DENSITY, scores, places, neighbours=k, of=of)
    found = transform.apply(np.full(4, 7.0), ImageContext(None, new))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_what_cannot_be_divided_by_is_refused():
    places = np.arange(5.0)[:, None]
    with pytest.raises(DataError, match=r"divides scores, and a calibration score is -1"):
        fit(LOCAL_DENSITY, [-1.0, 2, 3, 4, 5], places, neighbours=2)
    with pytest.raises(DataError, match="scores around a calibration image are all 0"):
        fit(LOCAL_DENSITY, [0.0, 0, 0, 0, 5], places, neighbours=2)
    with pytest.raises(DataError, match="distances around a calibration image are all 0"):
        fit(LOCAL_DENSITY, [1.0, 2, 3, 4, 5], 0 * places, neighbours=2, of="distances")
    with pytest.raises(DataError, match="needs 6 normal images, and has 5"):
        fit(LOCAL_DENSITY, [1.0, 2, 3, 4, 5], places, neighbours=5)


# --- regressed ------------------------------------------------------------------------------


def test_location_and_scale_that_are_lines_of_the_embedding_are_found():
    rng = np.random.default_rng(5)
    places = rng.uniform(-1, 1, size=(4000, 2)).astype(np.float32)
    mean, deviation = 10 + 4 * places[:, 0], np.exp(0.7 * places[:, 1])
    transform = fit(REGRESSED, mean + deviation * rng.normal(size=4000), places)
    context = at([0.8, -0.8], [-0.8, 0.8], [0.0, 0.0])
    zero = transform.apply(np.array([13.2, 6.8, 10.0]), context)
    np.testing.assert_allclose(zero, 0, atol=0.2)
    one = transform.apply(np.array([13.2 + np.exp(-0.56), 6.8 + np.exp(0.56), 11.0]), context)
    np.testing.assert_allclose(one, 1, atol=0.2)


def test_the_residuals_are_those_of_images_left_out_for_real():
    from adharness_normalizers.regressed import _Design

    rng = np.random.default_rng(6)
    places, target = rng.normal(size=(12, 5)), rng.normal(size=12)
    design, penalty = _Design.of(places), 0.7
    line = design._line(target, penalty)
    # An unpenalised intercept does not care where the origin is, so rows may be taken as they are.
    rows = np.column_stack([np.ones(12), [design.row(p) for p in places]])
    punished = np.diag([0.0] + [penalty] * 5)
    for i in range(12):
        kept = np.arange(12) != i
        mine = rows[kept]
        beta = np.linalg.solve(mine.T @ mine + punished, mine.T @ target[kept])
        np.testing.assert_allclose(target[i] - rows[i] @ beta, line.left_out[i], rtol=1e-9)


def test_embeddings_that_say_nothing_give_a_plain_z_score_about_the_mean():
    scores = np.random.default_rng(8).normal(50, 4, size=20)
    transform = fit(REGRESSED, scores, np.zeros((20, 3)))
    left_out = (scores - scores.mean()) * 20 / 19
    found = transform.apply(scores, ImageContext(None, np.zeros((20, 3), np.float32)))
    np.testing.assert_allclose(found, (scores - scores.mean()) / np.sqrt(np.mean(left_out**2)))


def test_predictions_stay_within_those_of_the_calibration_images():
    rng = np.random.default_rng(9)
    places = np.linspace(0, 1, 30)[:, None]
    transform = fit(REGRESSED, 10 * places[:, 0] + rng.normal(size=30), places)
    end, far = transform.apply(np.array([5.0, 5.0]), at([1.0], [1000.0]))
    assert end == pytest.approx(far)


def test_a_score_that_is_predicted_exactly_has_no_scale():
    with pytest.raises(DataError, match=r"2 of 10 calibration scores are predicted exactly"):
        fit(REGRESSED, [0.0, 0, 0, 0, 1, 1, 2, 2, 2, 2], np.zeros((10, 1)))
    with pytest.raises(DataError, match="needs 10 normal images, and has 9"):
        fit(REGRESSED, np.arange(9.0), np.zeros((9, 1)))
