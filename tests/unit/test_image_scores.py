"""From patch scores to one score an image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

from adharness.arrays import Float32, mean_of_highest
from adharness.engine.image_scores import highest_mean, image_scores
from adharness.engine.scored_maps import RawMaps
from adharness.errors import ContractError
from adharness.suite.schema import ImageScore

OWN = np.array([5.0, 6.0])
finite = st.floats(-1e6, 1e6, width=32)
grids = arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=finite)


def maps_of(patches: Float32, input_px: int = 8) -> RawMaps:
    sizes = [(16, 16)] * len(patches)
    return RawMaps(patches, sizes, (input_px, input_px), smooth_px=0.0, upsample="nearest")


def scored(rule: ImageScore, patches: Float32, own: object = None) -> tuple[list[float], str]:
    values, label = image_scores(rule, own, patches, maps_of(patches))  # type: ignore[arg-type]
    return values.tolist(), label


@pytest.fixture
def patches() -> Float32:
    return np.arange(32, dtype=np.float32).reshape(2, 4, 4)


def test_the_scorers_own_rule_goes_first_only_where_it_is_asked_for(patches: Float32) -> None:
    assert scored(ImageScore(), patches, OWN) == ([5.0, 6.0], "scorer's own")
    assert scored(ImageScore(use="max"), patches, OWN) == ([15.0, 31.0], "max of patches")


def test_without_a_rule_of_its_own_the_highest_patch_counts_and_the_board_says_so(
    patches: Float32,
) -> None:
    assert scored(ImageScore(), patches) == ([15.0, 31.0], "max of patches")


def test_a_scorer_of_images_alone_keeps_its_scores_whatever_the_rule() -> None:
    values, label = image_scores(ImageScore(use="top", ratio=0.5), OWN, None, None)
    assert (values.tolist(), label) == ([5.0, 6.0], "scorer's own")


def test_models_that_disagree_on_what_they_give_are_refused() -> None:
    with pytest.raises(ContractError, match="of some classes and not of others"):
        image_scores(ImageScore(), None, None, None)


def test_top_is_a_mean_of_the_highest_and_of_one_at_least(patches: Float32) -> None:
    assert scored(ImageScore(use="top", ratio=0.25), patches)[0] == [13.5, 29.5]
    assert scored(ImageScore(use="top", ratio=0.01), patches)[0] == [15.0, 31.0]
    label = scored(ImageScore(use="top", ratio=0.25, of="pixels"), patches)[1]
    assert label == "mean of top 25 % of pixels"


def test_pixels_are_those_of_the_drawn_map(patches: Float32) -> None:
    rough = RawMaps(patches, [(16, 16)] * 2, (8, 8), smooth_px=2.0)
    smooth, _ = image_scores(ImageScore(use="max", of="pixels"), None, patches, rough)
    assert (smooth < patches.max(axis=(1, 2))).all()


@given(grids, st.integers(1, 12))
def test_a_window_mean_is_the_best_of_all_windows(values: Float32, side: int) -> None:
    height, width = (min(side, length) for length in values.shape)
    rows, columns = values.shape[0] - height + 1, values.shape[1] - width + 1
    means = [
        values[y : y + height, x : x + width].mean(dtype=np.float64)
        for y in range(rows)
        for x in range(columns)
    ]
    assert highest_mean(values, side) == pytest.approx(max(means), abs=1e-7 * 1e6)


@given(grids)
def test_a_window_of_one_pixel_and_a_top_of_one_are_the_maximum(values: Float32) -> None:
    assert highest_mean(values, 1) == pytest.approx(float(values.max()), abs=1e-3)
    assert mean_of_highest(values, 1e-9) == float(values.max())


@given(grids, st.floats(0.01, 1.0))
def test_a_mean_of_the_highest_is_between_mean_and_maximum(values: Float32, ratio: float) -> None:
    found = mean_of_highest(values, ratio)
    slack = 1e-9 * max(1.0, float(np.abs(values).max()))
    assert values.mean(dtype=np.float64) - slack <= found <= float(values.max()) + slack
    count = max(1, int(ratio * values.size))
    assert found == pytest.approx(np.sort(values.ravel())[-count:].astype(float).mean(), abs=slack)


def test_a_name_stands_for_the_rule_and_what_it_does_not_read_is_refused() -> None:
    assert ImageScore.model_validate("pooled") == ImageScore(use="pooled", side_px=16)
    with pytest.raises(ValidationError, match="ratio means nothing to image_score max"):
        ImageScore.model_validate({"use": "max", "ratio": 0.1})
    with pytest.raises(ValidationError):
        ImageScore.model_validate("median")


def test_drawing_a_map_is_timed_once_however_often_it_is_read() -> None:
    maps = RawMaps(np.zeros((2, 2, 2), np.float32), [(16, 16)] * 2, (8, 8), smooth_px=2.0)
    for i in (0, 1, 0, 1):
        maps.read(i)
    assert len(maps.drawn_ms) == 2
    assert min(maps.drawn_ms) > 0
