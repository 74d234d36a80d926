from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics as oracle

from adharness.errors import MetricError
from adharness.metrics import METRICS, evaluate_images, evaluate_pixels

IMAGE = [name for name, spec in METRICS.items() if spec.level == "image"]
PIXEL = [name for name, spec in METRICS.items() if spec.level != "image"]
MASK = np.array([[0, 1, 1], [0, 0, 0]], dtype=bool)
MAP = np.array([[0.1, 0.9, 0.4], [0.2, 0.5, 0.3]], dtype=np.float32)


def test_the_decision_metrics_of_a_small_example_are_the_counted_ones() -> None:
    labels, scores = [1, 1, 1, 0, 0], [0.9, 0.8, 0.2, 0.7, 0.1]
    found = evaluate_images(labels, scores, IMAGE, threshold=0.5)
    values = {name.removeprefix("image_"): value.value for name, value in found.items()}
    assert values["accuracy"] == pytest.approx(3 / 5)
    assert values["precision"] == pytest.approx(2 / 3)
    assert values["recall"] == pytest.approx(2 / 3)
    assert values["fpr"] == pytest.approx(1 / 2)
    assert values["balanced_accuracy"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert values["f1"] == pytest.approx(4 / 6)
    assert values["f1_oracle"] == pytest.approx(6 / 7)
    assert values["auroc"] == pytest.approx(5 / 6)
    assert values["ap"] == pytest.approx((1 + 1 + 3 / 4) / 3)


@pytest.mark.parametrize("quantity", ["f1", "accuracy", "balanced_accuracy", "precision", "recall"])
def test_a_decision_metric_equals_the_library_one(quantity: str) -> None:
    rng = np.random.default_rng(3)
    labels, scores = rng.integers(0, 2, 90), rng.normal(size=90)
    name = {"f1": "f1_score"}.get(quantity, f"{quantity}_score")
    expected = getattr(oracle, name)(labels, scores > 0.2)
    found = evaluate_images(labels, scores, [f"image_{quantity}"], threshold=0.2)
    assert found[f"image_{quantity}"].value == pytest.approx(expected)


def test_the_values_come_in_the_order_asked_for() -> None:
    wanted = ["image_f1", "image_auroc", "image_accuracy"]
    assert list(evaluate_images([0, 1], [0.0, 1.0], wanted, threshold=0.5)) == wanted


def test_each_image_can_have_a_threshold_of_its_own() -> None:
    found = evaluate_images(
        [0, 1, 0, 1], [1, 2, 11, 12], ["image_accuracy"], threshold=np.array([1.5, 1.5, 11.5, 11.5])
    )
    assert found["image_accuracy"].value == 1.0


def test_a_float32_score_is_not_rounded_to_meet_the_threshold() -> None:
    scores = np.array([0.1, 0.0], dtype=np.float32)  # 0.1 in float32 lies above 0.1 in float64
    assert evaluate_images([1, 0], scores, ["image_recall"], threshold=0.1)[
        "image_recall"
    ].value == (1.0)


@pytest.mark.parametrize(
    ("labels", "threshold", "undefined"),
    [
        ([0, 0], 0.5, {"auroc", "ap", "f1_oracle", "f1", "balanced_accuracy", "recall"}),
        ([1, 1], 0.5, {"auroc", "ap", "f1_oracle", "balanced_accuracy", "fpr"}),
        ([0, 1], 9.0, {"precision"}),
    ],
)
def test_what_is_undefined_is_nan_with_a_reason_and_the_rest_has_a_value(
    labels: list[int], threshold: float, undefined: set[str]
) -> None:
    found = evaluate_images(labels, [0.0, 1.0], IMAGE, threshold=threshold)
    for name, value in found.items():
        assert math.isnan(value.value) == (name.removeprefix("image_") in undefined)
        assert bool(value.reason) == math.isnan(value.value)


def test_f1_is_zero_when_anomalies_exist_and_none_is_flagged() -> None:
    assert evaluate_images([0, 1], [0, 1], ["image_f1"], threshold=5)["image_f1"].value == 0.0


def test_the_reason_names_what_is_missing() -> None:
    assert (
        evaluate_images([0], [1.0], ["image_auroc"])["image_auroc"].reason == "no anomalous image"
    )
    assert (
        evaluate_images([1], [1.0], ["image_precision"], threshold=1)["image_precision"].reason
        == "no image above the threshold"
    )
    assert evaluate_pixels([None], [MAP], ["region_aupro_30"])["region_aupro_30"].reason == (
        "no anomalous pixel"
    )
    full = np.ones_like(MASK)
    assert {value.reason for value in evaluate_pixels([full], [MAP], PIXEL).values()} == {
        "no normal pixel"
    }


@pytest.mark.parametrize(
    ("labels", "scores", "threshold", "message"),
    [
        ([], [], 0, "labels have shape"),
        ([0, 2], [0, 1], 0, "image 1 has the label"),
        ([0, np.nan], [0, 1], 0, "image 1 has the label nan|image 1 has the label"),
        ([0, 1], [0, 1, 2], 0, "scores have shape"),
        ([0, 1], [0, np.nan], 0, "image 1 has the score nan"),
        ([0, 1], [-np.inf, 0], 0, "image 0 has the score -inf"),
        ([0, 1], ["a", "b"], 0, "expected real numbers"),
        ([0, 1], [0, 1], np.nan, "the threshold is NaN"),
        ([0, 1], [0, 1], [0, np.nan], "the threshold of image 1 is NaN"),
        ([0, 1], [0, 1], [0, 1, 2], "threshold has shape"),
        ([0, 1], [0, 1], None, "no threshold is given"),
    ],
)
def test_bad_image_input_is_refused(
    labels: list[float], scores: list[float], threshold: float | None, message: str
) -> None:
    with pytest.raises(MetricError, match=message):
        evaluate_images(labels, scores, ["image_f1"], threshold=threshold)


@pytest.mark.parametrize(
    ("mask", "scores", "message"),
    [
        (MASK, MAP.T, "image 1 has a mask of shape"),
        (MASK, np.where(MASK, np.nan, MAP), r"the map of image 1 is nan at \(0, 1\)"),
        (MASK, MAP.astype(np.float64) * 1e300, "not finite in float32"),
        (MASK, MAP[0], "the map of image 1 has shape"),
        (MASK, MAP[:0], "the map of image 1 has shape"),
        (MASK, MAP.astype(np.complex64), "expected real numbers"),
        (MASK * 255, MAP, "the mask of image 1 holds values other than 0 and 1, up to 255"),
        (np.where(MASK, np.nan, 0), MAP, "the mask of image 1"),
    ],
)
def test_bad_pixel_input_is_refused_with_the_number_of_the_image(
    mask: np.ndarray, scores: np.ndarray, message: str
) -> None:
    with pytest.raises(MetricError, match=message):
        evaluate_pixels([MASK, mask], [MAP, scores], ["pixel_auroc"])


@pytest.mark.parametrize(("masks", "maps"), [([], []), ([MASK], []), ([MASK, MASK], [MAP])])
def test_as_many_masks_as_maps_are_needed_and_at_least_one(
    masks: list[np.ndarray], maps: list[np.ndarray]
) -> None:
    with pytest.raises(MetricError, match=f"{len(masks)} masks for {len(maps)} maps"):
        evaluate_pixels(masks, maps, ["pixel_auroc"])


def test_a_metric_of_another_level_is_refused_with_the_function_to_ask() -> None:
    with pytest.raises(MetricError, match="'pixel_ap' is of the pixel level") as caught:
        evaluate_images([0, 1], [0, 1], ["pixel_ap"])
    assert caught.value.hint == "ask evaluate_pixels for it"
    with pytest.raises(MetricError, match="'image_ap' is of the image level"):
        evaluate_pixels([MASK], [MAP], ["image_ap"])


def test_inputs_may_be_read_only_and_strided_and_stay_as_they_were() -> None:
    big = np.zeros((4, 6), dtype=np.float64)
    big[::2, ::2] = MAP
    strided = big[::2, ::2]
    mask = np.asfortranarray(MASK)
    for array in (big, strided, mask):
        array.setflags(write=False)
    before = strided.copy()
    assert evaluate_pixels([mask], [strided], PIXEL) == evaluate_pixels([MASK], [MAP], PIXEL)
    assert np.array_equal(before, strided)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.float16, np.float64])
def test_maps_of_other_number_types_give_the_same_values(dtype: type) -> None:
    ranks = np.array([[1, 6, 4], [2, 5, 3]])
    expected = evaluate_pixels([MASK], [ranks.astype(np.float32)], PIXEL)
    assert evaluate_pixels([MASK.astype(int)], [ranks.astype(dtype)], PIXEL) == expected


def test_the_two_zeros_are_one_score() -> None:
    mask = np.array([[True, False]])
    found = evaluate_pixels([mask], [np.array([[-0.0, 0.0]])], ["pixel_auroc"])
    assert found["pixel_auroc"].value == 0.5


def test_negative_scores_rank_below_positive_ones() -> None:
    mask = np.array([[True, True, False, False]])
    scores = np.array([[-1.0, 2.0, -2.0, 1e-40]])  # the last one is subnormal in float32
    assert evaluate_pixels([mask], [scores], ["pixel_auroc"])["pixel_auroc"].value == 0.75


class _ReadOnce:
    """Maps of different sizes that exist only while they are read."""

    def __init__(self) -> None:
        self.reads: list[int] = []

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> np.ndarray:
        self.reads.append(index)
        return np.arange(6 + index, dtype=np.float32).reshape(1, -1)


def test_maps_are_read_once_each_and_may_differ_in_size() -> None:
    maps = _ReadOnce()
    masks = [None, np.arange(7).reshape(1, -1) > 4, None]
    found = evaluate_pixels(masks, maps, ["pixel_auroc"])  # type: ignore[arg-type]
    assert maps.reads == [0, 1, 2]
    labels = [0] * 6 + [0] * 5 + [1] * 2 + [0] * 8
    scores = [*range(6), *range(7), *range(8)]
    assert found["pixel_auroc"].value == pytest.approx(oracle.roc_auc_score(labels, scores))


def test_an_empty_mask_and_none_mean_the_same() -> None:
    with_none = evaluate_pixels([MASK, None], [MAP, MAP], PIXEL)
    assert evaluate_pixels([MASK, np.zeros_like(MASK)], [MAP, MAP], PIXEL) == with_none
