"""Populations whose truth is known, to count how often an interval covers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from adharness.metrics import evaluate_images, evaluate_pixels
from adharness.statistics import (
    Drawn,
    draw,
    over_classes,
    over_drawn_classes,
    replicates_of,
    resample_pixels,
    strata_of,
    units_of,
)

IMAGE = ("image_auroc", "image_ap", "image_f1")
PIXEL = ("pixel_auroc", "pixel_ap", "region_aupro_30")
THRESHOLD = 1.0

Statistics = Mapping[str, Drawn]
Draw = Callable[[np.random.Generator, int, int], Statistics]
"""From a generator, a number of images and of resamples: the statistics of one set of images."""


@dataclass(frozen=True)
class Population:
    """How to draw a set of images from it, and what is true of all images together."""

    draw: Draw
    truth: Mapping[str, float]


def binormal(rng: np.random.Generator, images: int, shift: float) -> tuple[np.ndarray, np.ndarray]:
    """Labels, half of them anomalous, and normal scores whose AUROC is Phi(shift / sqrt 2)."""
    labels = np.arange(images) % 2
    return labels, rng.normal(size=images) + shift * labels


def images(shift: float) -> Population:
    """One class, three image metrics; the closed form of AUROC is that of a huge sample."""

    def one(rng: np.random.Generator, count: int, resamples: int) -> Statistics:
        return _image_statistics(*binormal(rng, count, shift), resamples, rng)

    labels, scores = binormal(np.random.default_rng(1), 2_000_000, shift)
    found = evaluate_images(labels, scores, IMAGE, threshold=THRESHOLD)
    return Population(one, {name: value.value for name, value in found.items()})


def _image_statistics(
    labels: np.ndarray, scores: np.ndarray, resamples: int, rng: np.random.Generator
) -> dict[str, Drawn]:
    sampling = draw(strata_of(labels), resamples, rng)
    found = replicates_of(IMAGE, labels, scores, sampling.weights, THRESHOLD)
    return {name: sampling.read(values) for name, values in found.items()}


def difference() -> Population:
    """Two methods that share half of the noise of each image: the paired difference of AUROC."""

    def scored(rng: np.random.Generator, count: int) -> tuple[np.ndarray, list[np.ndarray]]:
        labels, shared = binormal(rng, count, 0.0)
        own = rng.normal(size=(2, count))
        return labels, [(shared + o) / np.sqrt(2) + s * labels
                        for o, s in zip(own, (1.6, 1.2), strict=True)]  # fmt: skip

    def one(rng: np.random.Generator, count: int, resamples: int) -> Statistics:
        labels, both = scored(rng, count)
        sampling = draw(strata_of(labels), resamples, rng)
        first, second = (
            sampling.read(replicates_of(["image_auroc"], labels, scores, sampling.weights)
                          ["image_auroc"])
            for scores in both
        )  # fmt: skip
        return {"paired difference of image_auroc": first.minus(second)}

    labels, both = scored(np.random.default_rng(2), 2_000_000)
    first, second = (evaluate_images(labels, s, ["image_auroc"])["image_auroc"] for s in both)
    return Population(one, {"paired difference of image_auroc": first.value - second.value})


def views(size: int = 4) -> Population:
    """Objects seen from several sides, whose scores rise and fall together."""

    def scored(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        objects = np.repeat(np.arange(count // size), size)
        labels = objects % 2
        shared = rng.normal(size=count // size)[objects]
        return objects, labels, shared + 0.5 * rng.normal(size=len(objects)) + 1.5 * labels

    def one(rng: np.random.Generator, count: int, resamples: int) -> Statistics:
        objects, labels, scores = scored(rng, count)
        units = units_of([str(o) for o in objects])
        sampling = draw(strata_of(labels, None, units), resamples, rng, units)
        found = replicates_of(["image_auroc"], labels, scores, sampling.weights)
        return {"image_auroc of views": sampling.read(found["image_auroc"])}

    _, labels, scores = scored(np.random.default_rng(3), 1_000_000)
    value = evaluate_images(labels, scores, ["image_auroc"])["image_auroc"].value
    return Population(one, {"image_auroc of views": value})


def classes(count: int = 6) -> Population:
    """Classes of unequal difficulty, which are all there are: the images are shared among them."""
    shifts = np.linspace(0.8, 2.4, count)

    def one(rng: np.random.Generator, images: int, resamples: int) -> Statistics:
        of_classes = [
            _image_statistics(*binormal(rng, images // count, shift), resamples, rng)
            for shift in shifts
        ]
        name = "image_auroc"
        return {f"macro {name}": over_classes([found[name] for found in of_classes])}

    return Population(one, {"macro image_auroc": float(ndtr(shifts / np.sqrt(2)).mean())})


def more_classes(count: int = 12) -> Population:
    """Classes that are themselves drawn: the macro mean over all that could have been."""

    def one(rng: np.random.Generator, images: int, resamples: int) -> Statistics:
        name = "image_auroc"
        of_classes = [
            _image_statistics(*binormal(rng, images // count, shift), resamples, rng)[name]
            for shift in rng.uniform(0.8, 2.4, count)
        ]
        return {f"macro {name}, drawn classes": over_drawn_classes(of_classes, rng)}

    grid = np.linspace(0.8, 2.4, 10_001)
    truth = float(ndtr(grid / np.sqrt(2)).mean())
    return Population(one, {"macro image_auroc, drawn classes": truth})


def pixels(size: int = 16) -> Population:
    """Smooth maps with an offset an image; every other image has a defect of random strength."""

    def one(rng: np.random.Generator, count: int, resamples: int) -> Statistics:
        masks, maps = defective(rng, count, size)
        sampling = draw(np.arange(count) % 2, resamples, rng)
        found = resample_pixels(masks, maps, PIXEL, sampling.weights)
        return {name: sampling.read(one.replicates) for name, one in found.items()}

    found = evaluate_pixels(*defective(np.random.default_rng(4), 20_000, size), PIXEL)
    return Population(one, {name: value.value for name, value in found.items()})


def defective(
    rng: np.random.Generator, count: int, size: int
) -> tuple[list[np.ndarray | None], np.ndarray]:
    """Masks and maps (count, size, size) float32."""
    noise = rng.normal(size=(count, size + 2, size + 2))
    smooth = sum(
        noise[:, row : row + size, column : column + size]
        for row in range(3)
        for column in range(3)
    )
    maps = smooth / 3 + 0.7 * rng.normal(size=(count, 1, 1))
    masks: list[np.ndarray | None] = [None] * count
    for image in range(1, count, 2):
        mask = np.zeros((size, size), bool)
        height, width = rng.integers(2, size // 2, 2)
        row, column = rng.integers(0, size - height), rng.integers(0, size - width)
        mask[row : row + height, column : column + width] = True
        maps[image] += mask * rng.uniform(0.5, 3.0)
        masks[image] = mask
    return masks, maps.astype(np.float32)


def coverage(
    population: Population,
    *,
    images: int,
    draws: int,
    interval: Callable[[Drawn], tuple[float, float]],
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """Share of sets whose interval holds the truth, and the mean width, of each statistic."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[tuple[bool, float]]] = {}
    for _ in range(draws):
        for name, drawn in population.draw(rng, images, resamples).items():
            low, high = interval(drawn)
            held = low <= population.truth[name] <= high
            found.setdefault(name, []).append((held, high - low))
    return {name: tuple(np.mean(of, axis=0)) for name, of in found.items()}
