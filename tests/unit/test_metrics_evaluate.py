from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics as oracle

from adharness.errors import MetricError
from adharness.metrics import (
    METRICS,
    MetricValue,
    evaluate_images,
    evaluate_pixels,
)

IMAGE = [name for name, spec in METRICS.items() if spec.level == "image"]
PIXEL = [name for name, spec in METRICS.items() if spec.level != "image"]
MASK = np.array([[0, 1, 1], [0, 0, 0]], dtype=bool)
MAP = np.array([[0.1, 0.9, 0.4], [0.2, 0.5, 0.3]], dtype=np.float32)
GOOD = np.array([[0.1, 0.2, 0.3], [0.1, 0.6, 0.2]], dtype=np.float32)


def _judged(masks: list[object], maps: list[np.ndarray]) -> dict[str, MetricValue]:
    return evaluate_pixels(masks, maps, PIXEL, threshold=0.35)


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
    assert values["accuracy_oracle"] == pytest.approx(4 / 5)
    assert values["auroc_fpr10"] == pytest.approx(2 / 3)  # two lie above both normal images
    assert values["fpr_at_95_tpr"] == pytest.approx(1 / 2)


def test_the_pixel_decisions_of_a_small_example_are_the_counted_ones() -> None:
    found = evaluate_pixels([MASK, None], [MAP, GOOD], PIXEL, threshold=0.45)
    values = {name: found[name].value for name in PIXEL if METRICS[name].at_threshold}
    hit, false, missed = 1, 2, 1
    f1 = 2 * hit / (2 * hit + false + missed)
    assert values == pytest.approx(
        {
            "pixel_f1": f1,
            "pixel_iou": hit / (hit + false + missed),
            "pixel_seg_f1": f1,
            "region_recall": 1.0,
        }
    )


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


ALWAYS = {"image_accuracy"}
OF_ANOMALOUS = {"image_f1", "image_recall"}


@pytest.mark.parametrize(
    ("labels", "threshold", "defined"),
    [
        ([0, 0], 0.5, ALWAYS | {"image_precision", "image_fpr"}),
        ([1, 1], 0.5, ALWAYS | OF_ANOMALOUS | {"image_precision"}),
        ([0, 1], 9.0, set(IMAGE) - {"image_precision"}),
    ],
)
def test_what_is_undefined_is_nan_with_a_reason_and_the_rest_has_a_value(
    labels: list[int], threshold: float, defined: set[str]
) -> None:
    found = evaluate_images(labels, [0.0, 1.0], IMAGE, threshold=threshold)
    assert {name for name, value in found.items() if not math.isnan(value.value)} == defined
    assert {name for name, value in found.items() if value.reason is None} == defined


def test_an_all_good_set_gives_no_pixel_metric_a_value_and_each_a_reason() -> None:
    found = _judged([None, np.zeros_like(MASK)], [MAP, GOOD])
    assert {value.reason for value in found.values()} == {
        "no anomalous pixel",
        "no anomalous image",
        "no anomalous pixel, no normal pixel in an anomalous image",
        "no region",
    }
    assert all(math.isnan(value.value) for value in found.values())


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
    full = np.ones_like(MASK)
    ranking = [name for name in PIXEL if not METRICS[name].at_threshold]
    found = evaluate_pixels([full], [MAP], ranking)
    assert {name: value.reason for name, value in found.items()} == dict.fromkeys(
        ranking, "no normal pixel"
    ) | {
        "pixel_auroc_anomalous": "no normal pixel in an anomalous image",
        "pixel_aupimo": "no good image",
        "region_spro_05": "1 anomalous image(s) declare no regions",
    }


def test_the_overlap_of_each_image_comes_with_its_mean_and_none_for_good_images() -> None:
    value = evaluate_pixels([MASK, None, ~MASK], [MAP, GOOD, GOOD], ["pixel_aupimo"])[
        "pixel_aupimo"
    ]
    assert value.per_image is not None
    first, good, last = value.per_image
    assert good is None
    assert first is not None
    assert last is not None
    assert value.value == pytest.approx((first + last) / 2)


def test_a_metric_of_another_level_is_refused_with_the_function_to_ask() -> None:
    with pytest.raises(MetricError, match="'pixel_ap' is of the pixel level") as caught:
        evaluate_images([0, 1], [0, 1], ["pixel_ap"])
    assert caught.value.hint == "ask evaluate_pixels for it"
    with pytest.raises(MetricError, match="'image_ap' is of the image level"):
        evaluate_pixels([MASK], [MAP], ["image_ap"])


def test_one_id_instead_of_a_list_is_refused_with_the_list_to_type() -> None:
    with pytest.raises(MetricError, match="metrics is the text 'image_ap'") as caught:
        evaluate_images([0, 1], [0, 1], "image_ap")
    assert caught.value.hint == "give a list: ['image_ap']"


def test_negative_scores_rank_below_positive_ones() -> None:
    mask = np.array([[True, True, False, False]])
    scores = np.array([[-1.0, 2.0, -2.0, 1e-40]])  # the last one is subnormal in float32
    assert evaluate_pixels([mask], [scores], ["pixel_auroc"])["pixel_auroc"].value == 0.75
