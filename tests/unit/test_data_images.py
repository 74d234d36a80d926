from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adharness import ContractError, DataError, Preprocess
from adharness.data import hash_file, image_size, read_image, read_mask, resize_image

RGB = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)


def saved(folder: Path, name: str, picture: Image.Image, **options: object) -> Path:
    path = folder / name
    picture.save(path, **options)
    return path


def png_header_only(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [b"IHDR" + header, b"IDAT" + zlib.compress(b"")]
    framed = [struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


def test_rgb_pixels_survive_a_lossless_round_trip(tmp_path: Path) -> None:
    for name in ("a.png", "a.bmp", "a.tif", "a.TIFF"):
        np.testing.assert_array_equal(read_image(saved(tmp_path, name, Image.fromarray(RGB))), RGB)
    lossless = saved(tmp_path, "a.webp", Image.fromarray(RGB), lossless=True)
    np.testing.assert_array_equal(read_image(lossless), RGB)


def test_the_format_is_told_from_the_bytes_not_from_the_ending(tmp_path: Path) -> None:
    path = saved(tmp_path, "a.png", Image.fromarray(RGB)).rename(tmp_path / "a.jpg")
    np.testing.assert_array_equal(read_image(path), RGB)


def test_grey_is_repeated_to_three_channels(tmp_path: Path) -> None:
    image = read_image(saved(tmp_path, "a.png", Image.fromarray(RGB[:, :, 0])))
    assert image.shape == (4, 5, 3)
    for channel in range(3):
        np.testing.assert_array_equal(image[:, :, channel], RGB[:, :, 0])


@pytest.mark.parametrize("values", [(0, 65535, 257, 128), (0, 1000, 2000, 3000)])
def test_sixteen_bit_grey_is_scaled_by_its_full_range(
    tmp_path: Path, values: tuple[int, ...]
) -> None:
    deep = np.array([values], dtype=np.uint16)
    expected = np.rint(deep / 257).astype(np.uint8)
    for name in ("a.png", "a.tif"):
        image = read_image(saved(tmp_path, name, Image.fromarray(deep)))
        np.testing.assert_array_equal(image[:, :, 0], expected)


def test_alpha_is_dropped_and_not_blended(tmp_path: Path) -> None:
    rgba = np.dstack([RGB, np.zeros((4, 5), np.uint8)])
    np.testing.assert_array_equal(read_image(saved(tmp_path, "a.png", Image.fromarray(rgba))), RGB)


def test_a_palette_with_transparency_keeps_its_colours(tmp_path: Path) -> None:
    picture = Image.fromarray(np.array([[0, 1]], dtype=np.uint8), mode=None).convert("P")
    picture.putpalette([10, 20, 30, 40, 50, 60])
    image = read_image(saved(tmp_path, "a.png", picture, transparency=b"\x00\x80"))
    assert image.tolist() == [[[10, 20, 30], [40, 50, 60]]]


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    image = read_image(saved(tmp_path, "a.tif", Image.new("CMYK", (3, 2), (0, 255, 255, 0))))
    assert image.shape == (2, 3, 3)
    assert image[0, 0].tolist() == [255, 0, 0]


def test_exif_orientation_is_ignored(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    path = saved(tmp_path, "a.jpg", Image.fromarray(RGB), exif=exif)
    assert read_image(path).shape == (4, 5, 3)


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        (b"", "is empty"),
        (b"hello, not a picture", "is not a PNG"),
        (b"\x89PNG\r\n\x1a\n", "cannot read"),
        (b"\xff\xd8\xff\xe0rubbish", "cannot read"),
        (b"BM", "cannot read"),
        (b"II*\0", "cannot read"),
        (b"RIFF\0\0\0\0WEBP", "cannot read"),
    ],
)
@pytest.mark.parametrize("read", [read_image, read_mask, image_size])
def test_a_broken_file_is_named(tmp_path: Path, content: bytes, fact: str, read: object) -> None:
    path = tmp_path / "broken picture.png"
    path.write_bytes(content)
    with pytest.raises(DataError, match=fact) as caught:
        read(path)  # type: ignore[operator]
    assert "broken picture.png" in str(caught.value)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp", "a.tif", "a.webp"])
def test_a_truncated_file_is_an_error_and_never_half_an_image(tmp_path: Path, name: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = saved(tmp_path, name, Image.fromarray(noise))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(DataError, match=name):
        read_image(path)


def test_a_file_of_a_header_alone_is_named(tmp_path: Path) -> None:
    path = tmp_path / "hollow.png"
    path.write_bytes(png_header_only(4, 4))
    assert image_size(path) == (4, 4)
    with pytest.raises(DataError, match=r"hollow\.png"):
        read_image(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for read in (read_image, read_mask, hash_file):
        with pytest.raises(DataError, match=r"gone\.png"):
            read(tmp_path / "gone.png")


def test_a_decompression_bomb_is_refused_from_its_header(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header_only(100_000, 100_000))
    with pytest.raises(DataError, match="100000 x 100000"):
        read_image(path)
    with pytest.raises(DataError, match="limit of 19"):
        read_image(saved(tmp_path, "a.png", Image.fromarray(RGB)), pixel_limit=19)
    assert read_image(tmp_path / "a.png", pixel_limit=20).shape == (4, 5, 3)


def test_between_pillows_limit_and_ours_only_the_header_decides(tmp_path: Path) -> None:
    path = tmp_path / "wide.png"
    path.write_bytes(png_header_only(15_000, 15_000))
    before = Image.MAX_IMAGE_PIXELS
    assert image_size(path) == (15_000, 15_000)
    assert before == Image.MAX_IMAGE_PIXELS


def test_float_pixels_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, "a.tif", Image.fromarray(np.ones((2, 2), np.float32)))
    with pytest.raises(DataError, match="float pixels"):
        read_image(path)


def test_integers_outside_sixteen_bits_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, "a.tif", Image.fromarray(np.array([[0, 70_000]], np.int32)))
    with pytest.raises(DataError, match=r"0\.\.70000"):
        read_image(path)


def test_a_mask_is_true_wherever_a_pixel_is_not_zero(tmp_path: Path) -> None:
    values = np.array([[0, 1], [128, 255]], dtype=np.uint8)
    for picture in (
        Image.fromarray(values),
        Image.fromarray(values.astype(np.uint16)),
        Image.fromarray(np.dstack([values * 0, values, values * 0])),
        Image.fromarray(values > 0),
    ):
        mask = read_mask(saved(tmp_path, "m.png", picture))
        assert mask.dtype == np.bool_
        np.testing.assert_array_equal(mask, values > 0)


def test_resizing_gives_height_and_width_in_that_order_and_is_antialiased() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[::2] = 255
    small = resize_image(stripes, Preprocess(8, 16))
    assert small.shape == (8, 16, 3)
    assert small.min() > 100
    assert small.max() < 155
    assert resize_image(stripes, Preprocess(8, 16, "nearest")).max() in (0, 255)
    assert resize_image(stripes, Preprocess(64, 64)) is stripes


def test_the_hash_follows_the_bytes(tmp_path: Path) -> None:
    one, two = tmp_path / "1", tmp_path / "2"
    one.write_bytes(b"abc")
    two.write_bytes(b"abd")
    assert hash_file(one).startswith("ba7816bf")
    assert hash_file(one) != hash_file(two)


@pytest.mark.parametrize(
    ("size", "crop", "margins"),
    [
        ((256, 256), (224, 224), (16, 16, 16, 16)),
        ((9, 6), (4, 6), (2, 3, 0, 0)),  # halves are rounded to even, as torchvision does
        ((9, 7), (6, 4), (2, 1, 2, 1)),
        ((5, 5), None, (0, 0, 0, 0)),
    ],
)
def test_a_crop_keeps_the_middle(size, crop, margins):
    preprocess = Preprocess(*size, crop=crop)
    assert preprocess.margins == margins
    image = np.arange(size[0] * size[1] * 3).reshape(*size, 3).astype(np.uint8)
    seen = resize_image(image, preprocess)
    assert seen.shape == (*preprocess.input_size, 3)
    np.testing.assert_array_equal(
        seen, image[margins[0] : size[0] - margins[1], margins[2] : size[1] - margins[3]]
    )


def test_a_crop_is_of_the_resized_image_not_of_the_native_one():
    image = np.zeros((40, 20, 3), np.uint8)
    image[20:, :] = 200
    seen = resize_image(image, Preprocess(10, 10, "nearest", crop=(4, 2)))
    assert seen[..., 0].tolist() == [[0, 0], [0, 0], [200, 200], [200, 200]]


@pytest.mark.parametrize("crop", [(9, 4), (4, 9), (0, 4)])
def test_a_crop_that_does_not_fit_is_refused(crop):
    with pytest.raises(ContractError, match="cannot keep a crop"):
        Preprocess(8, 8, crop=crop)
