from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from adharness.errors import MetricError
from adharness.metrics import DeclaredRegions, evaluate_images, evaluate_pixels, spool
from adharness.metrics.spool import Spool

MASK = np.array([[0, 1, 1], [0, 0, 0]], dtype=bool)
MAP = np.array([[0.1, 0.9, 0.4], [0.2, 0.5, 0.3]], dtype=np.float32)
LARGE = np.zeros((600, 600), np.float32)  # more than 1 MiB


@pytest.mark.parametrize(
    ("labels", "scores", "threshold", "message"),
    [
        ([], [], 0, r"labels have shape \(0,\)"),
        (np.array(1), [1], 0, r"labels have shape \(\)"),
        ([[0, 1]], [[0, 1]], 0, r"labels have shape \(1, 2\)"),
        ([[0], [0, 1]], [0, 1], 0, "the labels are no array"),
        ([0, 2], [0, 1], 0, "image 1 has the label"),
        ([0, -1], [0, 1], 0, "image 1 has the label"),
        ([0.5, 1], [0, 1], 0, "image 0 has the label"),
        ([0, np.nan], [0, 1], 0, "image 1 has the label"),
        (["good", "bad"], [0, 1], 0, "the labels are of type <U4, expected real numbers"),
        ([True, None], [0, 1], 0, "the labels are of type object"),
        ([0, 1j], [0, 1], 0, "the labels are of type complex128"),
        ((label for label in (0, 1)), [0, 1], 0, "the labels are of type object"),
        ([0, 1], [0, 1, 2], 0, r"scores have shape \(3,\), labels have \(2,\)"),
        ([0, 1], 3.0, 0, r"scores have shape \(\)"),
        ([0, 1], [[0], [1]], 0, r"scores have shape \(2, 1\)"),
        ([0, 1], [0, np.nan], 0, "image 1 has the score nan"),
        ([0, 1], [-np.inf, 0], 0, "image 0 has the score -inf"),
        ([0, 1], np.array(["1e400", "0"], np.longdouble), 0, "image 0 has the score inf"),
        ([0, 1], ["a", "b"], 0, "the scores of the images are of type <U1"),
        ([0, 1], [0, 1j], 0, "the scores of the images are of type complex128"),
        ([0, 1], [0, None], 0, "the scores of the images are of type object"),
        ([0, 1], [0, 1], np.nan, "the threshold is NaN"),
        ([0, 1], [0, 1], [0, np.nan], "the threshold of image 1 is NaN"),
        ([0, 1], [0, 1], [0, 1, 2], r"threshold has shape \(3,\), expected \(\) or \(2,\)"),
        ([0, 1], [0, 1], [0], r"threshold has shape \(1,\)"),
        ([0, 1], [0, 1], "high", "the threshold is of type <U4"),
        ([0, 1], [0, 1], [0, None], "the threshold is of type object"),
        ([0, 1], [0, 1], 1j, "the threshold is of type complex128"),
        ([0, 1], [0, 1], None, "no threshold is given"),
    ],
)
def test_bad_image_input_is_refused_with_its_value(
    labels: object, scores: object, threshold: object, message: str
) -> None:
    with pytest.raises(MetricError, match=message):
        evaluate_images(labels, scores, ["image_f1"], threshold=threshold)


BAD_MAPS = [
    (MAP.T, "image 1 has a mask of shape"),
    (np.where(MASK, np.nan, MAP), r"the map of image 1 is nan at \(0, 1\)"),
    (np.where(MASK, -np.inf, MAP), r"the map of image 1 is -inf at \(0, 1\)"),
    (MAP.astype(np.float64) * 1e300, "the map of image 1 is .*e.299 at .* not finite in float32"),
    (MAP[0], r"the map of image 1 has shape \(3,\)"),
    (MAP[np.newaxis], r"the map of image 1 has shape \(1, 2, 3\)"),
    (np.array(0.5), r"the map of image 1 has shape \(\)"),
    (MAP[:0], r"the map of image 1 has shape \(0, 3\)"),
    (MAP.astype(np.complex64), "the map of image 1 is of type complex64, expected real numbers"),
    (MAP.astype(object), "the map of image 1 is of type object"),
    (MAP.astype(str), "the map of image 1 is of type <U"),
    ([[0, 1, 2], [3]], "the map of image 1 is no array"),
    (None, "the map of image 1 is of type object"),
]


@pytest.mark.parametrize(("scores", "message"), BAD_MAPS)
@pytest.mark.parametrize("metric", ["pixel_auroc", "pixel_f1"])
def test_a_bad_map_is_refused_with_the_number_of_the_image(
    scores: object, message: str, metric: str
) -> None:
    with pytest.raises(MetricError, match=message):
        evaluate_pixels([MASK, MASK], [MAP, scores], [metric], threshold=0.5)


BAD_MASKS = [
    (MASK * 255, "the mask of image 1 holds values other than 0 and 1, such as 255"),
    (MASK * -1, "the mask of image 1 holds values other than 0 and 1, such as -1"),
    (MASK * 0.5, "the mask of image 1 holds values other than 0 and 1, such as 0.5"),
    (np.where(MASK, np.nan, 0), "the mask of image 1 .* such as nan"),
    (MASK.astype(complex), "the mask of image 1 is of type complex128"),
    (MASK.astype(str), "the mask of image 1 is of type <U5"),
    (MASK.astype(object), "the mask of image 1 is of type object"),
    (np.array(1), r"image 1 has a mask of shape \(\) and a map of \(2, 3\)"),
    (MASK[:1], r"image 1 has a mask of shape \(1, 3\)"),
    (MASK[..., np.newaxis], r"image 1 has a mask of shape \(2, 3, 1\)"),
]


@pytest.mark.parametrize(("mask", "message"), BAD_MASKS)
@pytest.mark.parametrize("metric", ["pixel_auroc", "pixel_f1"])
def test_a_bad_mask_is_refused_with_the_number_of_the_image(
    mask: object, message: str, metric: str
) -> None:
    with pytest.raises(MetricError, match=message):
        evaluate_pixels([MASK, mask], [MAP, MAP], [metric], threshold=0.5)


@pytest.mark.parametrize(("masks", "maps"), [([], []), ([MASK], []), ([MASK, MASK], [MAP])])
def test_as_many_masks_as_maps_are_needed_and_at_least_one(
    masks: list[np.ndarray], maps: list[np.ndarray]
) -> None:
    with pytest.raises(MetricError, match=f"{len(masks)} masks for {len(maps)} maps"):
        evaluate_pixels(masks, maps, ["pixel_auroc"])


@pytest.mark.parametrize(
    ("masks", "maps", "message"),
    [
        ((mask for mask in [MASK]), [MAP], "the masks are a generator, which has no length"),
        ([MASK], (scores for scores in [MAP]), "the maps are a generator, which has no length"),
        ([MASK], iter([MAP]), "the maps are a list_iterator"),
        ([MASK], np.array(0.5), "the maps are a ndarray"),
        ([MASK], None, "the maps are a NoneType"),
    ],
)
def test_maps_without_a_length_are_refused_with_a_way_out(
    masks: object, maps: object, message: str
) -> None:
    with pytest.raises(MetricError, match=message) as caught:
        evaluate_pixels(masks, maps, ["pixel_auroc"])
    assert caught.value.hint is not None
    assert "list(" in caught.value.hint


@pytest.mark.parametrize(
    ("threshold", "message"),
    [
        ([0.5, 0.5, 0.5], r"threshold has shape \(3,\), expected \(\) or \(2,\)"),
        ([[0.5, 0.5]], r"threshold has shape \(1, 2\)"),
        (np.nan, "the threshold is NaN"),
        ([0.5, np.nan], "the threshold of image 1 is NaN"),
        ("0.5", "the threshold is of type"),
        (None, "no threshold is given"),
    ],
)
def test_a_bad_pixel_threshold_is_refused(threshold: object, message: str) -> None:
    with pytest.raises(MetricError, match=message):
        evaluate_pixels([MASK, None], [MAP, MAP], ["pixel_iou"], threshold=threshold)


@pytest.mark.parametrize(
    ("masks", "saturations", "message"),
    [
        ([MASK], [], "image 1 declares 1 regions and 0 saturations"),
        ([MASK], [1, 1], "image 1 declares 1 regions and 2 saturations"),
        ([], [1], "image 1 declares 0 regions and 1 saturations"),
        ([MASK], [0], "region 0 of image 1 saturates at 0 pixels"),
        ([MASK, MASK], [2, 3], "region 1 of image 1 saturates at 3 pixels, .* its area, 2"),
        ([MASK], [0.5], "region 0 of image 1 saturates at 0.5 pixels, expected a whole number"),
        ([MASK], [1.5], "region 0 of image 1 saturates at 1.5 pixels, expected a whole number"),
        ([MASK], [np.nan], "region 0 of image 1 saturates at nan pixels"),
        ([MASK], ["all"], "the saturations of image 1 are of type <U3"),
        ([MASK], [None], "the saturations of image 1 are of type object"),
        ([MASK, MASK * 0], [1, 1], "region 1 of image 1 has no pixel"),
        ([MASK, MASK.T], [1, 1], r"region 1 of image 1 has a mask of shape \(3, 2\)"),
        ([MASK * 7], [1], "the mask of region 0 of image 1 holds .* such as 7"),
        ([MASK.astype(str)], [1], "the mask of region 0 of image 1 is of type"),
    ],
)
def test_bad_declared_regions_are_refused_with_the_region_and_the_image(
    masks: list[np.ndarray], saturations: list[float], message: str
) -> None:
    declared = [DeclaredRegions([MASK], [1]), DeclaredRegions(masks, saturations)]
    with pytest.raises(MetricError, match=message):
        evaluate_pixels(declared, [MAP, MAP], ["region_spro_05"])


@pytest.mark.parametrize("memory_mb", [0, -1])
def test_a_sort_without_memory_is_refused(memory_mb: int) -> None:
    with pytest.raises(MetricError, match=f"memory_mb is {memory_mb}, expected at least 1"):
        evaluate_pixels([MASK], [MAP], ["pixel_auroc"], memory_mb=memory_mb)


def test_a_spill_folder_that_is_missing_is_refused_with_what_to_give(tmp_path: Path) -> None:
    for place in (tmp_path / "absent", Path(__file__)):
        with pytest.raises(MetricError, match="cannot be written to") as caught:
            evaluate_pixels([None], [LARGE], ["pixel_auroc"], memory_mb=1, spill_to=place)
        assert caught.value.hint is not None
        assert "spill_to=" in caught.value.hint


def test_a_spill_folder_is_not_asked_for_while_the_scores_fit(tmp_path: Path) -> None:
    found = evaluate_pixels([MASK], [MAP], ["pixel_auroc"], spill_to=tmp_path / "absent")
    assert found["pixel_auroc"].reason is None


def test_a_spool_holds_nothing_after_a_spill_and_gives_every_value_back_once(
    tmp_path: Path,
) -> None:
    filled = Spool(np.float32)
    for values in ([3, 1], [2], [5, 4]):
        filled.add(np.array(values, np.float32))
        filled.spill(tmp_path)
        assert filled.held_bytes == 0
    back = filled.finish(filled.take())
    assert len(back) == 5
    assert back.counts(np.arange(6, dtype=np.float32))[1].tolist() == [0, 1, 2, 3, 4, 5]


def test_the_spill_folder_is_left_empty_also_after_an_error(tmp_path: Path) -> None:
    bad = np.full((600, 600), np.nan)
    with pytest.raises(MetricError, match="the map of image 1 is nan"):
        evaluate_pixels([None] * 2, [LARGE, bad], ["pixel_ap"], memory_mb=1, spill_to=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("values", [10, 5000], ids=["last-block", "first-block"])
def test_a_full_disk_is_noticed_at_the_last_byte_too(
    tmp_path: Path, values: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: Path) -> BinaryIO:
        return Path("/dev/full").open("wb")

    monkeypatch.setattr(spool.tempfile, "TemporaryFile", full)
    filled = Spool(np.float32)
    filled.add(np.zeros(values, np.float32))
    with pytest.raises(MetricError, match="No space left on device"):
        filled.spill(tmp_path)
