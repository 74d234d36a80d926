"""Pictures of the gallery: thumbnails, masks and anomaly maps, each once, in a style sheet."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from markupsafe import Markup
from PIL import Image, ImageFilter

from adharness.arrays import Float32
from adharness.errors import StoreError
from adharness.maps import resize_map
from adharness.report.colormap import colorize

LONGEST_PX = 224
SHORTEST_PX = 16
"""A picture that is thinner is drawn stretched, so that one can see it."""
MAP_PX = 64
"""Longest side of a map: it is smooth, and the browser scales it up smoothly."""
_OVERLAY_SHARE = 0.6
_PHOTO_QUALITY, _MAP_QUALITY = 45, 60


@dataclass
class Sheet:
    """Rules of style that hold each picture of a data set once; the page names them by class.

    A picture is the background of whatever has its class: `.photo` or `.map`.
    """

    prefix: str
    rules: dict[str, str] = field(default_factory=dict)
    """Data URL -> the class that shows it."""
    size: int = 0
    """Bytes on the page."""

    def add(self, url: str) -> str:
        """Give the class of a picture; equal pictures share one."""
        if url not in self.rules:
            self.rules[url] = f"{self.prefix}-{len(self.rules)}"
            self.size += _rule_size(url)
        return self.rules[url]

    def forget(self, count: int) -> None:
        """Drop all but the first `count` pictures."""
        for url in list(self.rules)[count:]:
            del self.rules[url]
            self.size -= _rule_size(url)

    @property
    def text(self) -> Markup:
        """All rules."""
        rules = (f".{name}{{background-image:url({url})}}" for url, name in self.rules.items())
        return Markup("\n".join(rules))  # noqa: S704  (base64 and our own numbers)


def _rule_size(url: str) -> int:
    return len(url) + len(".g0-1000{background-image:url()}\n")


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


def widened(picture: Image.Image) -> Image.Image:
    """Stretch a picture that is too thin to be seen; others are given back as they are."""
    width, height = picture.size
    size = (max(width, SHORTEST_PX), max(height, SHORTEST_PX))
    return picture if size == picture.size else picture.resize(size, Image.Resampling.NEAREST)


def photo_url(picture: Image.Image) -> str:
    """Encode a picture as WebP inside a `data:` URL."""
    return _data_url(picture, _PHOTO_QUALITY)


def map_url(anomaly_map: Float32, ends: tuple[float, float]) -> str:
    """Encode a map (H, W) in its colours, at most `MAP_PX` on a side; see `colorize`."""
    height, width = anomaly_map.shape
    share = min(1.0, MAP_PX / max(height, width))
    small = resize_map(anomaly_map, (max(1, round(height * share)), max(1, round(width * share))))
    return _data_url(Image.fromarray(colorize(small, *ends)), _MAP_QUALITY)


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


def _data_url(picture: Image.Image, quality: int) -> str:
    stream = io.BytesIO()
    picture.save(stream, format="WEBP", quality=quality, method=6)
    return "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
