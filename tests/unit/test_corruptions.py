from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from adharness.corruptions import (
    CORRUPTIONS,
    SEVERITIES,
    Shift,
    move_image,
    move_mask,
    placement,
)
from adharness.corruptions.affine import KEPT, Placement

PIXELWISE = [name for name, kind in CORRUPTIONS.items() if not kind.moves]
STILL = Placement(0.0, (0.0, 0.0), (1.0, 1.0))


def photograph(height: int = 40, width: int = 56) -> np.ndarray:
    """Smooth colours with an edge and some grain: what each corruption must change."""
    rows, columns = np.mgrid[:height, :width]
    channels = [90 + 60 * np.sin(rows / 5 + k) + 30 * (columns > width // 2) for k in range(3)]
    grain = np.random.default_rng(1).normal(0, 6, (height, width, 3))
    return np.clip(np.stack(channels, axis=2) + grain, 0, 255).astype(np.uint8)


def corrupted(pixels: np.ndarray, name: str, severity: int, seed: int = 0) -> np.ndarray:
    shift, rng = Shift(name, severity), np.random.default_rng(seed)
    if shift.kind.moves:
        pixels = move_image(pixels, placement([], shift.level[:3], rng))
    return pixels if shift.kind.apply is None else shift.kind.apply(pixels, shift.level, rng)


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("shape", [(40, 56), (7, 5), (1, 1)], ids=str)
def test_a_corrupted_image_keeps_shape_and_type_and_the_original_is_unaltered(name, shape):
    pixels = photograph(*shape)
    before = pixels.copy()
    for severity in range(1, SEVERITIES + 1):
        after = corrupted(pixels, name, severity)
        assert (after.shape, after.dtype) == (pixels.shape, np.uint8)
    np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_same_draws_give_the_same_image(name):
    pixels = photograph()
    np.testing.assert_array_equal(corrupted(pixels, name, 3), corrupted(pixels, name, 3))


@pytest.mark.parametrize("name", ["noise", "illumination", "affine", "study"])
def test_other_draws_give_another_image(name):
    pixels = photograph()
    assert (corrupted(pixels, name, 3, seed=0) != corrupted(pixels, name, 3, seed=1)).any()


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_each_severity_changes_an_image_more_than_the_one_before(name):
    pixels = photograph(112, 112)

    def change(severity: int, seed: int) -> float:
        after = corrupted(pixels, name, severity, seed)
        return float(np.abs(after.astype(int) - pixels).mean())

    changes = [change(s, 0) + change(s, 1) for s in range(1, SEVERITIES + 1)]
    assert changes[0] > 0.5
    assert changes == sorted(changes)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_every_corruption_has_five_levels_a_source_and_a_version(name):
    kind = CORRUPTIONS[name]
    assert kind.name == name
    assert len(kind.levels) == SEVERITIES
    assert kind.source
    assert kind.summary
    assert kind.version >= 1


def test_the_levels_are_those_of_imagenet_c_and_of_the_study():
    levels = {name: [level for (level,) in CORRUPTIONS[name].levels] for name in
              ("blur", "noise", "jpeg", "brightness", "contrast")}  # fmt: skip
    assert levels == {
        "blur": [1, 2, 3, 4, 6],
        "noise": [0.08, 0.12, 0.18, 0.26, 0.38],
        "jpeg": [25, 18, 15, 10, 7],
        "brightness": [0.1, 0.2, 0.3, 0.4, 0.5],
        "contrast": [0.4, 0.3, 0.2, 0.1, 0.05],
    }
    assert CORRUPTIONS["illumination"].levels[-1] == (0.4, 0.7)
    assert CORRUPTIONS["affine"].levels[-1] == pytest.approx((10.0, 0.10, 0.10))
    ranges = (10.0, 0.10, 0.10, 0.3, 2.0, 0.05, 0.4, 0.7)
    assert CORRUPTIONS["study"].levels[-1] == pytest.approx(ranges)


def test_jpeg_is_what_pillow_makes_of_the_image():
    stream = io.BytesIO()
    Image.fromarray(photograph()).save(stream, "JPEG", quality=25)
    np.testing.assert_array_equal(corrupted(photograph(), "jpeg", 1), np.array(Image.open(stream)))


def test_contrast_keeps_a_share_of_the_distance_to_the_mean():
    pixels = np.full((4, 4, 3), 50, np.uint8)
    pixels[:2] = 150
    after = corrupted(pixels, "contrast", 1)  # 0.4 of 50 to either side of 100
    assert set(np.unique(after).tolist()) == {80, 120}


def test_brightness_is_added_to_the_value_and_clipped():
    grey = np.full((3, 3, 3), 100, np.uint8)
    assert np.unique(corrupted(grey, "brightness", 2)).tolist() == [151]
    assert np.unique(corrupted(np.full_like(grey, 240), "brightness", 2)).tolist() == [255]


def test_noise_has_the_standard_deviation_of_its_level():
    after = corrupted(np.full((200, 200, 3), 128, np.uint8), "noise", 1)
    assert after.std() / 255 == pytest.approx(0.08, rel=0.03)
    assert after.mean() == pytest.approx(128, abs=0.5)


def test_the_blur_grows_with_the_image():
    def spread(side: int) -> float:
        line = np.zeros((side, side, 3), np.uint8)
        line[:, side // 2] = 255
        profile = corrupted(line, "blur", 3)[0, :, 0].astype(float)
        place = np.arange(side) - side // 2
        return float(np.sqrt((profile * place**2).sum() / profile.sum()))

    assert spread(224) == pytest.approx(3.0, rel=0.1)
    assert spread(448) == pytest.approx(6.0, rel=0.1)


def test_illumination_only_takes_light_away_and_leaves_the_brightest_corner():
    white = np.full((30, 20, 3), 255, np.uint8)
    after = corrupted(white, "illumination", 5)
    assert after.max() == 255
    assert 255 * 0.3 - 1 <= after.min() <= 255 * 0.6 + 1
    corners = after[[0, 0, -1, -1], [0, -1, 0, -1], 0]
    assert {corners.max(), corners.min()} == {after.max(), after.min()}


def test_the_study_blurs_and_roughens_each_about_half_of_the_images():
    edge = np.full((224, 64, 3), 128, np.uint8)
    edge[:, 32:] = 60
    apply, level = CORRUPTIONS["study"].apply, (0.0,) * 3 + (0.0, 10.0, 0.05, 0.0, 0.0)
    images = [apply(edge, level, np.random.default_rng(seed)).astype(float) for seed in range(100)]
    noisy = sum(image[:, :8].std() > 1 for image in images)
    blurred = sum(image[:, 28:32].mean() < 127 for image in images)
    assert 35 <= noisy <= 65
    assert 35 <= blurred <= 65


def test_a_quarter_turn_is_counter_clockwise():
    pixels = photograph(31, 31)
    turned = move_image(pixels, Placement(90.0, (0.0, 0.0), (1.0, 1.0)))
    np.testing.assert_allclose(turned.astype(int), np.rot90(pixels).astype(int), atol=1)


def test_a_shift_goes_down_and_to_the_right():
    mask = np.zeros((8, 8), bool)
    mask[1, 2] = True
    moved = move_mask(mask, Placement(0.0, (0.25, 0.125), (1.0, 1.0)))
    assert moved[3, 3]


def test_what_comes_in_from_outside_is_mirrored_in_the_mask_as_in_the_image():
    mask = np.zeros((9, 9), bool)
    mask[1] = True
    down = Placement(0.0, (2 / 9, 0.0), (1.0, 1.0))
    assert np.flatnonzero(move_mask(mask, down)[:, 4]).tolist() == [1, 3]
    picture = np.repeat(mask[:, :, None], 3, axis=2).astype(np.uint8) * 255
    assert np.flatnonzero(move_image(picture, down)[:, 4, 0]).tolist() == [1, 3]


@given(seed=st.integers(0, 10_000), severity=st.integers(1, SEVERITIES))
def test_the_mask_moves_along_with_the_image(seed, severity):
    mask = np.zeros((40, 30), bool)
    mask[12:22, 8:20] = True
    picture = np.repeat(mask[:, :, None], 3, axis=2).astype(np.uint8) * 255
    to = placement([mask], Shift("affine", severity).level, np.random.default_rng(seed))
    image, moved = move_image(picture, to)[:, :, 0], move_mask(mask, to)
    assert moved[image == 255].all()
    assert not moved[image == 0].any()
    assert moved.dtype == np.bool_


@given(
    seed=st.integers(0, 10_000),
    severity=st.integers(1, SEVERITIES),
    row=st.integers(0, 38),
    column=st.integers(0, 28),
)
def test_no_defect_leaves_the_picture(seed, severity, row, column):
    region = np.zeros((40, 30), bool)
    region[row : row + 2, column : column + 2] = True
    to = placement([region], Shift("affine", severity).level, np.random.default_rng(seed))
    assert move_mask(region, to).sum() >= KEPT * region.sum()


def test_where_nothing_moves_nothing_changes():
    pixels = photograph()
    np.testing.assert_array_equal(move_image(pixels, STILL), pixels)


def test_the_guide_lists_every_corruption_with_its_levels():
    guide = Path("docs/data.md").read_text()
    for name, kind in CORRUPTIONS.items():
        levels = [", ".join(f"{number:g}" for number in level) for level in kind.levels]
        row = next(line for line in guide.splitlines() if line.startswith(f"| `{name}`"))
        assert [cell.strip() for cell in row.split("|")][-6:-1] == levels, name
