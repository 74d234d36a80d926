"""Painted defects for the demo textures: what each kind looks like, and exactly where it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from adharness.arrays import Bool, Float32

_EDGE = 0.25  # alpha below this would not be seen, and is no part of the defect


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """What a defect is painted on.

    Parameters
    ----------
    view : (s, s, 3) float32
        The clean texture, about 0..1.
    foreign
        Makes another texture, grey, (s, s) float32, about 0..1; only one kind of defect asks.
    alpha : (s, s) float32
        Opacity of the defect in 0..1; 0 outside it.
    strength
        0 is invisible, 1 the strongest.
    """

    view: Float32
    foreign: Callable[[], Float32]
    alpha: Float32
    strength: float


Paint: TypeAlias = Callable[[Canvas, np.random.Generator], Float32]


def region(kind: str, size: int, rng: np.random.Generator) -> Float32:
    """Draw where a defect of this kind lies: opacity (size, size) float32, soft at its edge.

    Its support, where it is above 0, is the defect's mask.
    """
    shape = _SHAPES.get(kind, _blob)(size, rng)
    picture = Image.fromarray((shape * np.uint8(255)).astype(np.uint8))
    soft = np.asarray(picture.filter(ImageFilter.GaussianBlur(0.8)), dtype=np.float32) / 255
    return np.where(soft >= _EDGE, soft, np.float32(0)).astype(np.float32)


def paint(kind: str, canvas: Canvas, rng: np.random.Generator) -> Float32:
    """Return the view with the defect on it; unchanged wherever the opacity is 0."""
    painted = _PAINTS[kind](canvas, rng)
    alpha = canvas.alpha[:, :, None]
    return np.asarray(canvas.view + alpha * (painted - canvas.view), dtype=np.float32)


def _blob(
    size: int, rng: np.random.Generator, *, radius: tuple[float, float] = (0.05, 0.15)
) -> Bool:
    """Draw an irregular spot whose radius is a share of the image's side."""
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32) / size
    centre = rng.uniform(0.18, 0.82, 2)
    stretch = rng.uniform(0.75, 1.3)
    distance = np.hypot((rows - centre[0]) * stretch, (columns - centre[1]) / stretch)
    coarse = rng.standard_normal((9, 9)).clip(-2, 2).astype(np.float32)
    field = np.asarray(Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC))
    return np.asarray(distance < rng.uniform(*radius) * (1 + 0.3 * field))


def _pit(size: int, rng: np.random.Generator) -> Bool:
    return _blob(size, rng, radius=(0.025, 0.055))


def _line(size: int, rng: np.random.Generator) -> Bool:
    """Draw a bent stroke, a quadratic Bezier curve."""
    start, angle = rng.uniform(0.2, 0.8, 2), rng.uniform(0, 2 * pi)
    reach = rng.uniform(0.25, 0.5) * np.array([np.cos(angle), np.sin(angle)])
    bend = start + reach / 2 + rng.normal(0, 0.06, 2)
    end = (start + reach).clip(0.03, 0.97)
    t = np.linspace(0, 1, 24)[:, None]
    curve = ((1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end) * size
    picture = Image.new("L", (size, size))
    width = max(1, round(size / 256 * int(rng.integers(2, 5))))
    ImageDraw.Draw(picture).line([(float(x), float(y)) for x, y in curve], fill=1, width=width)
    return np.asarray(picture) > 0


def _scratch(canvas: Canvas, rng: np.random.Generator) -> Float32:
    sign = 1.0 if rng.random() < 0.6 else -1.0
    return canvas.view + np.float32(sign * 0.5 * canvas.strength)


def _stain(canvas: Canvas, rng: np.random.Generator) -> Float32:
    absorbed = canvas.strength * (0.45 + rng.uniform(0, 0.2, 3))
    return canvas.view * np.asarray(1 - absorbed, dtype=np.float32)


def _hole(canvas: Canvas, rng: np.random.Generator) -> Float32:
    floor = np.float32(rng.uniform(0.02, 0.08))
    return canvas.view + np.float32(canvas.strength) * (floor - canvas.view)


def _foreign(canvas: Canvas, _rng: np.random.Generator) -> Float32:
    """Blend in another texture, with the mean, the spread and the tint of this one."""
    grey, other = canvas.view.mean(axis=2), canvas.foreign()
    matched = (other - other.mean()) / max(float(other.std()), 1e-6) * grey.std() + grey.mean()
    tint = canvas.view.mean(axis=(0, 1)) / max(float(grey.mean()), 1e-6)
    blend = np.float32(0.35 + 0.65 * canvas.strength)
    blended = canvas.view + blend * (matched[:, :, None] * tint - canvas.view)
    return np.asarray(blended, dtype=np.float32)


def _smear(canvas: Canvas, _rng: np.random.Generator) -> Float32:
    """Blur, as where a surface is worn or greasy."""
    size = canvas.view.shape[0]
    radius = (1 + 4 * canvas.strength) * size / 256
    eight_bit = (canvas.view.clip(0, 1) * 255).astype(np.uint8)
    blurred = Image.fromarray(eight_bit).filter(ImageFilter.GaussianBlur(radius))
    return np.asarray(blurred, dtype=np.float32) / np.float32(255)


def _discolour(canvas: Canvas, rng: np.random.Generator) -> Float32:
    """Shift the colour and keep the brightness."""
    direction = np.array([1.0, -0.5, -0.5])[rng.permutation(3)] * rng.choice([-1.0, 1.0])
    gains = np.asarray(1 + 0.45 * canvas.strength * direction, dtype=np.float32)
    return canvas.view * gains


def _turn(canvas: Canvas, rng: np.random.Generator) -> Float32:
    """Put the same texture there, from elsewhere, turned by a quarter and magnified."""
    turned = np.rot90(canvas.view, k=int(rng.choice([1, 3])))
    size = turned.shape[0]
    moved = np.roll(turned, tuple(rng.integers(0, size, 2)), axis=(0, 1))
    kept = round(size / (1 + 0.8 * canvas.strength))
    rows = np.arange(size) * kept // size
    return np.asarray(moved[rows][:, rows])


_SHAPES: dict[str, Callable[[int, np.random.Generator], Bool]] = {"scratch": _line, "hole": _pit}
_PAINTS: dict[str, Paint] = {
    "blur": _smear,
    "colour": _discolour,
    "foreign": _foreign,
    "hole": _hole,
    "scratch": _scratch,
    "stain": _stain,
    "turned": _turn,
}
DEFECTS = tuple(_PAINTS)
