"""Regions of every kind are made of segments, and each pixel is in exactly one segment."""

from __future__ import annotations

import numpy as np
import pytest

from adharness.errors import MetricError
from adharness.metrics import DeclaredRegions, evaluate_pixels
from adharness.metrics.inputs import read_pixels
from adharness.metrics.pixels import PixelSorter, SortedPixels, bits_score, score_bits
from adharness.metrics.regions import RegionOverlap
from adharness.metrics.segments import Kind, SegmentTable, label_regions


def sorted_pixels(
    masks: list[np.ndarray | DeclaredRegions | None], maps: list[np.ndarray], *kinds: Kind
) -> SortedPixels:
    sorter = PixelSorter(frozenset(kinds), 2**30, None)
    for image in read_pixels(masks, maps):
        sorter.add(image)
    return sorter.finish()


def test_pixels_that_touch_at_a_corner_are_one_region_of_eight_and_two_of_four() -> None:
    corner = np.eye(4, dtype=bool)
    labels, count = label_regions(corner)
    assert (count, labels.dtype) == (1, np.uint32)
    assert np.array_equal(labels, corner)
    assert label_regions(corner, "four")[1] == 4


def test_regions_of_different_images_are_kept_apart() -> None:
    masks = [np.array([[1, 0, 1]], bool), None, np.array([[1, 1, 0]], bool)]
    pixels = sorted_pixels(list(masks), [np.zeros((1, 3))] * 3, "eight")
    assert pixels.segments.regions["eight"].areas.tolist() == [1, 1, 2]
    assert pixels.segments.image.tolist() == [0, 0, 2]
    assert (pixels.positives, pixels.negatives) == (4, 1 + 3 + 1)


def test_segments_are_the_finest_pieces_of_all_kinds_together() -> None:
    first = np.array([[1, 1, 0, 0], [0, 0, 1, 0]], bool)
    second = np.array([[0, 1, 0, 0], [0, 0, 0, 1]], bool)
    declared = DeclaredRegions([first, second], [2, 1])
    segments = sorted_pixels([declared], [np.zeros((2, 4))], "eight", "four", "declared").segments
    areas = {kind: regions.areas.tolist() for kind, regions in segments.regions.items()}
    assert areas == {"eight": [4], "four": [2, 2], "declared": [3, 2]}
    assert segments.regions["declared"].saturations.tolist() == [2, 1]
    assert segments.regions["eight"].saturations.tolist() == [4]
    assert sorted(segments.areas.tolist()) == [1, 1, 1, 1]  # no two pixels are in the same regions


def test_a_kind_that_nobody_asked_for_costs_nothing_and_one_kind_has_its_regions_as_segments() -> (
    None
):
    mask = np.array([[1, 0, 1, 1]], bool)
    assert sorted_pixels([mask], [np.zeros((1, 4))]).segments.areas.tolist() == [3]
    assert sorted_pixels([mask], [np.zeros((1, 4))], "eight").segments.areas.tolist() == [1, 2]


def test_an_image_without_a_mask_has_no_segments_to_number() -> None:
    (good,) = read_pixels([None], [np.zeros((2, 2))])
    with pytest.raises(ValueError, match="image 0 has no mask"):
        SegmentTable(frozenset({"eight"})).add(good)


def test_scores_keep_their_order_as_bits_and_come_back() -> None:
    scores = np.float32([-np.finfo(np.float32).max, -1.5, -1e-45, 0.0, 1e-45, 2.0, 3e38])
    bits = score_bits(scores)
    assert (np.diff(bits.astype(np.int64)) > 0).all()
    assert np.array_equal(bits_score(bits), scores)
    assert score_bits(np.float32([-0.0])) == score_bits(np.float32([0.0]))


def test_the_overlap_of_each_region_is_known_on_its_own() -> None:
    mask = np.array([[1, 0, 0, 0, 1]], bool)
    pixels = sorted_pixels([mask], [np.array([[9.0, 1, 2, 3, 0]])], "eight")
    overlap = RegionOverlap(pixels, 0.5)
    for bracket in pixels.brackets():
        overlap.add(bracket)
    assert overlap.overlaps().tolist() == [1.0, 0.0]
    assert overlap.value() == 0.5


@pytest.mark.parametrize("percent", [10, 25, 30, 75, 100])
def test_a_limit_inside_a_tie_is_interpolated_linearly(percent: int) -> None:
    mask, scores = np.array([[1, 0, 0, 0, 0]], bool), np.array([[5.0, 5, 5, 1, 0]])
    limit = percent / 100  # the ramp goes from rate 0 to rate 1/2
    ramp = min(limit, 0.5)
    expected = (ramp**2 / (2 * 0.5) + max(limit - 0.5, 0)) / limit
    name = f"region_aupro_{percent}"
    found = evaluate_pixels([mask], [scores], [name])[name].value
    assert found == pytest.approx(expected, abs=1e-12)


def test_a_tie_that_reaches_beyond_the_saturation_counts_up_to_it() -> None:
    mask, scores = np.array([[1, 1, 1, 1, 0, 0]], bool), np.array([[3.0, 2, 2, 2, 2, 0]])
    found = evaluate_pixels([DeclaredRegions([mask], [2])], [scores], ["region_spro_100"])
    # One of two is found at rate 0; the tie lifts it to both on the way to rate 1/2.
    assert found["region_spro_100"].value == pytest.approx((0.5 + 1) / 2 * 0.5 + 0.5)


def test_saturated_overlap_needs_declared_regions_and_says_whose_are_missing() -> None:
    mask = np.array([[1, 0]], bool)
    declared = DeclaredRegions([mask], [1])
    found = evaluate_pixels([declared, mask, None], [np.eye(2)[:1]] * 3, ["region_spro_05"])
    assert found["region_spro_05"].reason == "1 anomalous image(s) declare no regions"
    nothing = DeclaredRegions([], [])
    maps = [np.eye(2)[:1], np.zeros((1, 2))]
    found = evaluate_pixels([declared, nothing], maps, ["region_spro_05"])
    assert found["region_spro_05"].value == 1.0


@pytest.mark.parametrize(
    ("masks", "saturations", "message"),
    [
        ([[[1, 0]], [[0, 0]]], [1, 1], "region 1 of image 0 has no pixel"),
        ([[[1, 0]]], [], "image 0 declares 1 regions and 0 saturations"),
        ([[[1, 0]]], [2], "region 0 of image 0 saturates at 2 pixels, .* 1 to its area, 1"),
        ([[[1, 0]]], [0], "saturates at 0 pixels"),
        ([[[1, 0, 0]]], [1], r"region 0 of image 0 has a mask of shape \(1, 3\)"),
        ([[[2, 0]]], [1], "image 0 holds values other than 0 and 1"),
    ],
)
def test_declared_regions_that_cannot_be_are_refused(
    masks: list[list[list[int]]], saturations: list[int], message: str
) -> None:
    declared = DeclaredRegions([np.array(mask) for mask in masks], saturations)
    with pytest.raises(MetricError, match=message):
        evaluate_pixels([declared], [np.zeros((1, 2))], ["region_spro_05"])
