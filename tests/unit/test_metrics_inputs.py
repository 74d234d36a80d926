from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as oracle

from adharness.metrics import METRICS, DeclaredRegions, evaluate_images, evaluate_pixels

IMAGE = [name for name, spec in METRICS.items() if spec.level == "image"]
PIXEL = [name for name, spec in METRICS.items() if spec.level != "image"]
MASK = np.array([[0, 1, 1], [0, 0, 0]], dtype=bool)
MAP = np.array([[0.1, 0.9, 0.4], [0.2, 0.5, 0.3]], dtype=np.float32)
GOOD = np.array([[0.1, 0.2, 0.3], [0.1, 0.6, 0.2]], dtype=np.float32)


def _printed(masks: list[object], maps: list[np.ndarray], threshold: float = 0.35) -> str:
    """All digits of all values, so that NaN equals NaN."""
    found = evaluate_pixels(masks, maps, PIXEL, threshold=threshold)
    return str([(name, value, value.per_image) for name, value in found.items()])


def test_inputs_may_be_read_only_and_strided_and_stay_as_they_were() -> None:
    big = np.zeros((4, 6), dtype=np.float64)
    big[::2, ::2] = MAP
    mask = np.asfortranarray(MASK)
    swapped = MAP.astype(">f4")
    inputs = (big, mask, swapped)
    for array in inputs:
        array.setflags(write=False)
    before = [array.tobytes() for array in inputs]
    expected = _printed([MASK, MASK, None], [MAP, MAP, GOOD])
    assert _printed([mask, mask, None], [big[::2, ::2], swapped, GOOD]) == expected
    assert [array.tobytes() for array in inputs] == before


def test_labels_scores_and_thresholds_stay_as_they_were() -> None:
    labels, scores = np.array([1, 0, 1, 0]), np.array([3.0, -0.0, 2.0, 5.0])
    thresholds = np.array([1.0, 2.0, 3.0, 4.0])
    before = [array.tobytes() for array in (labels, scores, thresholds)]
    evaluate_images(labels, scores, IMAGE, threshold=thresholds)
    assert [array.tobytes() for array in (labels, scores, thresholds)] == before


def test_declared_regions_stay_as_they_were() -> None:
    channels = np.stack([MASK, np.roll(MASK, 1, axis=1)])
    before = channels.tobytes()
    printed = _printed([DeclaredRegions(channels, np.array([1, 2])), None], [MAP, GOOD])
    assert "declare no regions" not in printed
    assert channels.tobytes() == before


@pytest.mark.parametrize(
    "dtype", [np.uint8, np.int16, np.int64, np.uint64, np.float16, np.float64, np.longdouble]
)
def test_maps_of_other_number_types_give_the_same_values(dtype: type) -> None:
    ranks = np.array([[1, 6, 4], [2, 5, 3]])
    single, other = ranks.astype(np.float32), ranks.astype(dtype)
    expected = _printed([MASK, None], [single, single], 2)
    assert _printed([MASK.astype(int), None], [other, other], 2) == expected


def test_maps_of_bools_are_scores_of_zero_and_one() -> None:
    found = evaluate_pixels([MASK], [MAP > 0.45], ["pixel_auroc"])
    expected = oracle.roc_auc_score([0, 1, 1, 0, 0, 0], [0, 1, 0, 0, 1, 0])
    assert found["pixel_auroc"].value == pytest.approx(expected)


def test_the_two_zeros_are_one_score_to_every_metric() -> None:
    signed, plain = np.array([[0.0, -0.0, 0.0], [-0.0, 0.0, -0.0]]), np.zeros(MASK.shape)
    assert str(signed[0, 1]) == "-0.0"
    for maps in ([signed, plain], [-signed, -plain], [signed, signed]):
        assert _printed([MASK, None], maps, -0.0) == _printed([MASK, None], [plain, plain], 0.0)
    images = evaluate_images([1, 0], [0.0, -0.0], IMAGE, threshold=0.0)
    again = evaluate_images([1, 0], [-0.0, 0.0], IMAGE, threshold=-0.0)
    assert str(images) == str(again)  # NaN included
    assert images["image_auroc"].value == 0.5


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


def test_an_empty_mask_none_and_no_declared_region_mean_the_same() -> None:
    with_none = _printed([MASK, None], [MAP, MAP])
    assert _printed([MASK, np.zeros_like(MASK)], [MAP, MAP]) == with_none
    assert _printed([MASK, DeclaredRegions([], [])], [MAP, MAP]) == with_none
