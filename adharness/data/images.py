"""The one place that decodes pictures.

Rules, so that a number can be traced to pixels:

- The format is told from a file's first bytes, never from its ending. Of a file with many frames
  the first is read.
- Grey is repeated to three channels; palettes, CMYK and other colour spaces become RGB with
  Pillow's plain conversion (no colour profile); alpha is dropped, not blended.
- 16-bit grey is scaled by its full range, `round(v / 257)`: 0 stays 0 and 65535 becomes 255,
  whatever the picture holds, so that two images of one camera stay comparable.
- EXIF orientation is ignored: masks are drawn on the pixels as stored, and other harnesses read
  them so too.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import (
    BmpImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from adharness.arrays import AnyArray, Bool, UInt8
from adharness.contracts import Preprocess, padding
from adharness.data.hashes import file_sha256
from adharness.errors import DataError

ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
PIXEL_LIMIT = 250_000_000

# Readers are made directly, not by `Image.open`: its own pixel limit is a global that warns at
# 89 and refuses at 179 million pixels, less than a line-scan camera delivers.
_READERS: tuple[tuple[bytes, type[ImageFile.ImageFile]], ...] = (
    (b"\x89PNG\r\n\x1a\n", PngImagePlugin.PngImageFile),
    (b"\xff\xd8\xff", JpegImagePlugin.JpegImageFile),
    (b"BM", BmpImagePlugin.BmpImageFile),
    (b"II*\0", TiffImagePlugin.TiffImageFile),
    (b"MM\0*", TiffImagePlugin.TiffImageFile),
    (b"II+\0", TiffImagePlugin.TiffImageFile),
    (b"MM\0+", TiffImagePlugin.TiffImageFile),
    (b"RIFF", WebPImagePlugin.WebPImageFile),
)
_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}
# What Pillow raises on bytes that lie about themselves; SyntaxError is its own for a bad header.
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError,
               OverflowError, struct.error, zlib.error, Image.DecompressionBombError)  # fmt: skip


def read_image(path: Path, *, pixel_limit: int = PIXEL_LIMIT) -> UInt8:
    """Decode a picture by the rules above.

    Parameters
    ----------
    path
        A PNG, JPEG, BMP, TIFF or WebP file.
    pixel_limit
        Most pixels (width x height) that are decoded; checked from the header.

    Returns
    -------
    (H, W, 3) uint8
        RGB at native size.

    Raises
    ------
    DataError
        Where the file is missing, empty, cut off, of another format, larger than `pixel_limit`,
        or holds float pixels or integers outside 0..65535. The message names the file.
    """
    with _opened(path, pixel_limit) as picture:
        if picture.mode == "F" or picture.mode.startswith("I"):
            grey = _from_deep_grey(np.asarray(picture), path)
            return np.repeat(grey[:, :, None], 3, axis=2)
        return np.array(_to_rgb(picture), dtype=np.uint8)


def read_mask(path: Path, *, pixel_limit: int = PIXEL_LIMIT) -> Bool:
    """Decode a mask: True wherever a pixel is not zero (black), whatever its value.

    Returns
    -------
    (H, W) bool

    Raises
    ------
    DataError
        As `read_image`; here any depth of pixel is fine.
    """
    with _opened(path, pixel_limit) as picture:
        deep = picture.mode == "F" or picture.mode.startswith("I")
        values = np.asarray(picture if deep else _to_rgb(picture))
    nonzero = values != 0
    return np.asarray(nonzero if nonzero.ndim == 2 else nonzero.any(axis=2))


def image_size(path: Path, *, pixel_limit: int = PIXEL_LIMIT) -> tuple[int, int]:
    """(height, width) from the header, nothing decoded. Raises DataError as `read_image`."""
    with _opened(path, pixel_limit) as picture:
        return picture.height, picture.width


def is_picture(path: Path) -> bool:
    """Whether a file's first bytes are those of a picture that is read here."""
    try:
        with path.open("rb") as stream:
            head = stream.read(16)
    except OSError:
        return False
    return any(head.startswith(magic) for magic, _ in _READERS)


class Header(NamedTuple):
    """What a file says of itself: Pillow's names of its format (`PNG`) and its pixels (`L`)."""

    format: str
    mode: str


def image_header(path: Path, *, pixel_limit: int = PIXEL_LIMIT) -> Header:
    """Read what a file is, nothing decoded. Raises DataError as `read_image`."""
    with _opened(path, pixel_limit) as picture:
        return Header(picture.format or "", picture.mode)


def resize_image(image: UInt8, preprocess: Preprocess) -> UInt8:
    """Resize (H, W, 3) uint8 to (height, width, 3), antialiased on the way down, pad, then crop.

    An image that already has the size, where no crop is asked for, is returned as it is. Where the
    shape is kept, the edge pixels of the resized image are repeated up to the size.
    """
    added = (0, 0, 0, 0)
    if preprocess.pad:
        native = (image.shape[0], image.shape[1])
        added = padding(native, (preprocess.height, preprocess.width))
    top, bottom, left, right = added
    size = (preprocess.width - left - right, preprocess.height - top - bottom)
    if (image.shape[1], image.shape[0]) != size:
        picture = Image.fromarray(image).resize(size, _FILTERS[preprocess.interpolation])
        image = np.array(picture, dtype=np.uint8)
    if any(added):
        image = np.pad(image, ((top, bottom), (left, right), (0, 0)), mode="edge")
    if preprocess.crop is None:
        return image
    top, bottom, left, right = preprocess.margins
    return image[top : preprocess.height - bottom, left : preprocess.width - right]


def turn_image(image: UInt8, degrees: float) -> UInt8:
    """Turn (H, W, 3) uint8 counter-clockwise about its centre; the size stays, corners are black.

    Bilinear, as AnomalyDINO's code turns its references. 0 degrees gives the image as it is.
    """
    if degrees % 360 == 0:
        return image
    turned = Image.fromarray(image).rotate(degrees, Image.Resampling.BILINEAR)
    return np.array(turned, dtype=np.uint8)


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal. Raises DataError where it cannot be read.

    While a run surveys its data, a file that an earlier run hashed is not read again if its size
    and times are as they were then; see `adharness.data.hashes`.
    """
    try:
        return file_sha256(path)
    except OSError as error:
        raise DataError(f"cannot read {path.name!r}: {error}", where=str(path)) from error


def hash_pixels(pixels: AnyArray) -> str:
    """SHA-256 of an array's type, shape and values, in hexadecimal."""
    digest = hashlib.sha256(f"{pixels.dtype.str} {pixels.shape}".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def _to_rgb(picture: Image.Image) -> Image.Image:
    # Pillow warns where a palette with transparency goes straight to RGB.
    if picture.mode == "P" and "transparency" in picture.info:
        picture = picture.convert("RGBA")
    return picture.convert("RGB")


def _from_deep_grey(values: AnyArray, path: Path) -> UInt8:
    if not np.issubdtype(values.dtype, np.integer):
        raise DataError(
            f"{path.name!r} holds float pixels, whose white is not defined",
            hint="convert it to 8-bit or 16-bit grey",
            where=str(path),
        )
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        raise DataError(
            f"{path.name!r} holds pixel values {low}..{high}, outside 16-bit grey (0..65535)",
            hint="convert it to 8-bit or 16-bit grey",
            where=str(path),
        )
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


@contextmanager
def _opened(path: Path, pixel_limit: int) -> Iterator[Image.Image]:
    """Open, check the size and hand out; turn every way of being unreadable into a DataError."""
    try:
        with path.open("rb") as stream, _reader(stream.read(16), path)(path) as picture:
            _check_size(picture, path, pixel_limit)
            yield picture
    except _UNREADABLE as error:
        raise DataError(
            f"cannot read {path.name!r}: {error or type(error).__name__}",
            hint="the file is missing, cut off or damaged: copy it again",
            where=str(path),
        ) from error


def _reader(head: bytes, path: Path) -> type[ImageFile.ImageFile]:
    for magic, reader in _READERS:
        if head.startswith(magic):
            return reader
    fact = "is empty (0 bytes)" if not head else "is not a PNG, JPEG, BMP, TIFF or WebP picture"
    raise DataError(f"{path.name!r} {fact}", where=str(path))


def _check_size(picture: Image.Image, path: Path, pixel_limit: int) -> None:
    if picture.width * picture.height > pixel_limit:
        raise DataError(
            f"{path.name!r} says it is {picture.width} x {picture.height} pixels, "
            f"more than the limit of {pixel_limit}",
            hint="scale it down or cut it into tiles, or remove it if it is not a real picture",
            where=str(path),
        )
