"""The embedded demo set: three photographed textures, with painted defects and exact masks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import cos, radians, sin

import numpy as np
from PIL import Image
from pydantic import Field

from adharness.arrays import Bool, Float32, UInt8
from adharness.contracts import ContentHash, DatasetSpec, Licence, Params, Portion, Sample
from adharness.data.choice import choose_classes
from adharness.data.defects import DEFECTS, Canvas, paint, region
from adharness.data.draws import generator
from adharness.data.images import hash_pixels
from adharness.errors import DataError


@dataclass(frozen=True, slots=True)
class Nuisance:
    """How much the normal images of one class differ, as half-widths around neutral.

    `turn` is in degrees, `noise` the standard deviation of pixel noise on a 0..1 scale, the others
    are relative. `tint` is the mean colour, `spread` its jitter, `light` a brightness gradient.
    """

    tint: tuple[float, float, float]
    zoom: float
    turn: float
    gain: float
    contrast: float
    spread: float
    light: float
    noise: float


# The classes differ in how much they vary, so that their scores have different scales and one
# threshold for all of them is worse than one a class.
NUISANCES = {
    "brick": Nuisance((1.0, 0.78, 0.68), 0.06, 3.0, 0.08, 0.10, 0.02, 0.10, 0.015),
    "grass": Nuisance((0.80, 1.0, 0.62), 0.04, 6.0, 0.04, 0.05, 0.01, 0.04, 0.008),
    "gravel": Nuisance((1.0, 0.96, 0.90), 0.14, 8.0, 0.22, 0.25, 0.05, 0.25, 0.040),
}
# Quarters of a photograph as (right, lower), on the two diagonals.
_QUARTERS: dict[Portion, tuple[tuple[int, int], tuple[int, int]]] = {
    "train": ((0, 0), (1, 1)),
    "validation": ((0, 0), (1, 1)),
    "test": ((1, 0), (0, 1)),
}


class TexturesParams(Params):
    """Parameters of `textures`."""

    seed: int = Field(0, description="draws every image")
    train: int = Field(40, gt=0, description="normal training images a class")
    good: int = Field(15, ge=0, description="normal test images a class")
    per_defect: int = Field(5, ge=0, description=f"test images of each of {len(DEFECTS)} defects")
    size: int = Field(256, ge=32, le=1024, description="side of an image in pixels")
    difficulty: float = Field(
        0.4,
        ge=0,
        le=1,
        description="0: every defect at full strength, normals vary half as much; 1: strengths "
        "down to a tenth of that, normals vary one and a half times as much",
    )
    classes: tuple[str, ...] | None = Field(None, description="classes to make; all by default")


class TexturesDataset:
    """Photographs of brick, grass and gravel, cropped, jittered and damaged on demand.

    An image follows from `seed`, its class and its name alone, so any of them can be made without
    the others. A photograph is cut into quarters: training images come from the upper left and
    the lower right one, test images from the other two, so no test image holds a pixel that was
    trained on. Calibration images held out of training do overlap with training images, so their
    scores are a little low.

    A mask is the support of the painted region, drawn as an annotator would: outside it no pixel
    differs from the undamaged image (`clean`); inside it a few pixels may by chance keep
    their value.
    """

    def __init__(self, params: TexturesParams) -> None:
        self._params = params

    @property
    def licence(self) -> Licence:
        """CC0: a page may show the images."""
        return Licence("CC0 1.0", show_pixels=True)

    def samples(self) -> tuple[Sample, ...]:
        """All images, by class, portion, defect and number."""
        return tuple(self._known)

    def fingerprint(self, sample: Sample) -> ContentHash:
        """Hash the pixels as generated."""
        mask = self.mask(sample)
        return ContentHash(
            image=hash_pixels(self.image(sample)),
            mask=None if mask is None else hash_pixels(mask),
        )

    def image(self, sample: Sample) -> UInt8:
        """(size, size, 3) uint8 RGB, made anew at each call."""
        self._require(sample)
        return self._finish(sample, self._damaged(sample) if sample.label else self._view(sample))

    def clean(self, sample: Sample) -> UInt8:
        """Return the same image without its defect."""
        self._require(sample)
        return self._finish(sample, self._view(sample))

    def mask(self, sample: Sample) -> Bool | None:
        """(size, size) bool where a defect was painted; None for normal images."""
        self._require(sample)
        return self._region(sample) > 0 if sample.label else None

    @cached_property
    def _known(self) -> dict[Sample, None]:
        names = choose_classes("textures", list(NUISANCES), wanted=self._params.classes)
        return {sample: None for name in names for sample in _listed(name, self._params)}

    @cached_property
    def _photographs(self) -> dict[str, UInt8]:
        from skimage import data  # heavy: only where pixels are made

        return {name: np.asarray(getattr(data, name)(), dtype=np.uint8) for name in NUISANCES}

    def _require(self, sample: Sample) -> None:
        if sample not in self._known:
            raise DataError(f"{sample.path!r} is no image of 'textures' with these parameters")

    def _rng(self, sample: Sample, purpose: str) -> np.random.Generator:
        return generator("textures", self._params.seed, sample.path, purpose)

    def _nuisance_scale(self) -> float:
        return 0.5 + self._params.difficulty

    def _view(self, sample: Sample) -> Float32:
        """Make the texture as seen, before light and noise: (size, size, 3) float32, about 0..1."""
        rng, nuisance = self._rng(sample, "view"), NUISANCES[sample.class_name]
        grey = self._crop(sample.class_name, sample.portion, rng)
        scale = self._nuisance_scale()
        contrast, gain = 1 + scale * rng.uniform(-1, 1, 2) * (nuisance.contrast, nuisance.gain)
        toned = ((grey - grey.mean()) * np.float32(contrast) + grey.mean()) * np.float32(gain)
        tint = np.array(nuisance.tint) * (1 + scale * nuisance.spread * rng.uniform(-1, 1, 3))
        return np.asarray(toned[:, :, None] * tint.astype(np.float32), dtype=np.float32)

    def _crop(self, name: str, portion: Portion, rng: np.random.Generator) -> Float32:
        """Cut a turned, scaled, perhaps mirrored square from one of the portion's quarters.

        Zoom and turn are capped so that the square always fits into its quarter.
        """
        photograph, nuisance = self._photographs[name], NUISANCES[name]
        quarter = min(photograph.shape[:2]) // 2
        jitter = rng.uniform(-1, 1, 2) * self._nuisance_scale()
        angle = radians(jitter[0] * nuisance.turn)
        extent = cos(angle) + abs(sin(angle))  # side of the box around a turned unit square
        side = min(0.72 * quarter * (1 + jitter[1] * nuisance.zoom), 0.98 * quarter / extent)
        right, low = _QUARTERS[portion][int(rng.integers(2))]
        reach = side * extent / 2
        free = rng.uniform(reach, quarter - reach, 2)
        centre = (float(free[0]) + right * quarter, float(free[1]) + low * quarter)
        mirror = rng.choice([-1.0, 1.0], 2)
        step = (
            side / self._params.size * float(mirror[0]),
            side / self._params.size * float(mirror[1]),
        )
        return _sample_square(photograph, centre, angle, step, self._params.size)

    def _region(self, sample: Sample) -> Float32:
        return region(sample.defect, self._params.size, self._rng(sample, "region"))

    def _damaged(self, sample: Sample) -> Float32:
        rng, difficulty = self._rng(sample, "defect"), self._params.difficulty
        strongest = 1 - 0.4 * difficulty
        canvas = Canvas(
            view=self._view(sample),
            foreign=lambda: self._other(sample),
            alpha=self._region(sample),
            strength=strongest * float(rng.uniform(1 - 0.85 * difficulty, 1)),
        )
        return paint(sample.defect, canvas, rng)

    def _other(self, sample: Sample) -> Float32:
        rng = self._rng(sample, "foreign")
        others = [name for name in NUISANCES if name != sample.class_name]
        return self._crop(others[int(rng.integers(len(others)))], "test", rng)

    def _finish(self, sample: Sample, view: Float32) -> UInt8:
        """Light, pixel noise and eight bits: the same for an image and its undamaged twin."""
        rng, nuisance = self._rng(sample, "finish"), NUISANCES[sample.class_name]
        scale, size = self._nuisance_scale(), self._params.size
        slope = scale * nuisance.light * rng.uniform(-1, 1, 2)
        ramp = np.linspace(-0.5, 0.5, size, dtype=np.float32)
        light = (1 + slope[0] * ramp[:, None] + slope[1] * ramp[None, :]).astype(np.float32)
        noise = rng.standard_normal((size, size), dtype=np.float32)
        noise *= np.float32(scale * nuisance.noise)
        lit = view * light[:, :, None] + noise[:, :, None]
        return np.asarray((lit * 255 + 0.5).clip(0, 255), dtype=np.uint8)


def _sample_square(
    photograph: UInt8,
    centre: tuple[float, float],
    angle: float,
    step: tuple[float, float],
    size: int,
) -> Float32:
    """Resample (size, size) pixels around `centre` (x, y), `step` source pixels apart."""
    a, b = cos(angle) * step[0], -sin(angle) * step[1]
    d, e = sin(angle) * step[0], cos(angle) * step[1]
    middle = size / 2
    matrix = (a, b, centre[0] - (a + b) * middle, d, e, centre[1] - (d + e) * middle)
    picture = Image.fromarray(photograph).transform(
        (size, size), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC
    )
    return np.asarray(picture, dtype=np.float32) / np.float32(255)


def _listed(name: str, params: TexturesParams) -> Iterator[Sample]:
    for number in range(params.train):
        yield Sample(f"{name}/train/good/{number:03}", name, "train", 0)
    for defect in sorted((*DEFECTS, "good")):
        for number in range(params.good if defect == "good" else params.per_defect):
            bad = defect != "good"
            path = f"{name}/test/{defect}/{number:03}"
            yield Sample(path, name, "test", 1 if bad else 0, defect, has_mask=bad)


TEXTURES = DatasetSpec(
    name="textures",
    params=TexturesParams,
    make=TexturesDataset,
    summary="Brick, grass and gravel with painted defects and exact masks; nothing to download.",
    source="Photographs from scikit-image (`skimage.data`), CC0; defects painted by adharness",
    citation="van der Walt et al., scikit-image: image processing in Python, PeerJ 2014",
    url="https://scikit-image.org/docs/stable/api/skimage.data.html",
)
"""The demo set `textures`."""
