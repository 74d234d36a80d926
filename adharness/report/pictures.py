"""Pictures of the gallery: thumbnails, and anomaly maps laid over them."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from adharness.arrays import Float32
from adharness.errors import StoreError
from adharness.report.colormap import colorize

LONGEST_PX = 192
_OVERLAY_SHARE = 0.6


def thumbnail(folder: Path, name: str) -> Image.Image:
    """Read a picture of the run, at most `LONGEST_PX` on a side.

    Raises
    ------
    StoreError
        If it is not a file inside the run's folder.
    """
    file = (folder / name).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        raise StoreError(
            f"the gallery's picture '{name}' is not in the run's folder",
            where=str(folder),
            hint="run the suite again: the report needs the thumbnails that it wrote",
        )
    with Image.open(file) as picture:
        picture.load()
        picture.thumbnail((LONGEST_PX, LONGEST_PX), Image.Resampling.LANCZOS)
        return picture.copy()


def lay_over(
    picture: Image.Image,
    anomaly_map: Float32,
    ends: tuple[float, float],
    mask: Image.Image | None,
) -> Image.Image:
    """Lay the colours of a map (H, W) over the grey picture, with the mask's edge in white."""
    colours = Image.fromarray(colorize(anomaly_map, *ends))
    blended = Image.blend(picture.convert("L").convert("RGB"), colours, _OVERLAY_SHARE)
    if mask is not None:
        inside = np.asarray(mask) > 0
        outside = np.asarray(mask.filter(ImageFilter.MaxFilter(3))) > 0
        pixels = np.array(blended)
        pixels[outside & ~inside] = 255
        blended = Image.fromarray(pixels)
    return blended


def data_url(picture: Image.Image) -> str:
    """Encode a picture as WebP inside a `data:` URL."""
    stream = io.BytesIO()
    picture.save(stream, format="WEBP", quality=62, method=4)
    return "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
