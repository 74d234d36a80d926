"""What each image holds at or above a few thousand scores, counted once for all resamples.

A resample weighs images. Counts at scores that stay the same for every resample can be weighted by
one product of matrices; counts at every distinct score of every resample could not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from adharness.arrays import Bool, Float32, Float64, Int64
from adharness.metrics import pimo
from adharness.metrics.inputs import PixelImage
from adharness.metrics.pixels import Bracket, SortedPixels
from adharness.metrics.regions import SaturatedOverlap
from adharness.metrics.segments import Kind
from adharness.threads import allowed, in_order

ANOMALOUS, NORMAL, GOOD = 160, 320, 80
"""Knots of each kind, or as many as there are pixels of it; of the first, two at each score."""

ENTRIES = 2**22
"""Images times knots of one matrix, above which there are fewer knots: 32 MiB."""


@dataclass(frozen=True, slots=True, eq=False)
class KnotCounts:
    """Counts of n images at K knots, in descending order of their scores.

    Parameters
    ----------
    anomalous, normal : (n, K) float64
        Whole numbers: pixels that score at least as high. The last column counts all.
    gains : (n, K) float64, by kind of region
        What the pixels from this knot up to the next higher one find of the image's regions: the
        sum over them of the share that is found, so that a row adds up to `regions`.
    regions : (n,) float64, by kind of region
        Regions of each image.
    """

    anomalous: Float64
    normal: Float64
    gains: Mapping[Kind, Float64]
    regions: Mapping[Kind, Float64]

    @property
    def bad(self) -> Bool:
        """Whether an image has an anomalous pixel, (n,)."""
        return np.asarray(self.anomalous[:, -1] > 0)


def choose_knots(pixels: SortedPixels, images: int, *, low_rates: bool = False) -> Float32:
    """Choose the scores at which to count, from the sorted pixels.

    Parameters
    ----------
    images
        How many images there are; many of them get fewer knots.
    low_rates
        Whether false-positive rates on good images alone matter, down to `pimo.LOWEST`.

    Returns
    -------
    (K,) float32
        Ascending and distinct. No pixel scores below the first.

    Notes
    -----
    In equal steps of rank through the anomalous pixels, and in equal ratios of rank through the
    normal ones from the highest down. Just above each anomalous score lies a knot too, so what ties
    with it enters apart from what is higher.
    """
    share = min(1.0, ENTRIES / (images * (2 * ANOMALOUS + NORMAL + GOOD)))
    sizes = [max(2, int(share * count)) for count in (ANOMALOUS, NORMAL, GOOD)]
    positives, negatives, good = pixels.positives, pixels.negatives, len(pixels.good)
    steps = np.linspace(0, positives - 1, sizes[0]) if positives else np.zeros(0)
    found = pixels.scores_at(np.unique(np.rint(steps).astype(np.int64)), "anomalous")
    normal = pixels.scores_at(_from_the_top(negatives, negatives, sizes[1]), "normal")
    reach = int(8 * pimo.HIGHEST * good) if low_rates else 0
    tail = pixels.scores_at(_from_the_top(good, reach, sizes[2]), "good")
    with np.errstate(over="ignore"):  # above the largest float there is nothing to count
        above = np.nextafter(found, np.float32(np.inf))
    return np.unique(np.concatenate([found, above, normal, tail]))


def _from_the_top(pixels: int, reach: int, count: int) -> Int64:
    """Ascending ranks of pixels, 0 the lowest; from the top down in equal ratios to `reach`."""
    if not min(pixels, reach):
        return np.zeros(0, np.int64)
    ranks = np.rint(np.geomspace(1, min(pixels, reach), count)).astype(np.int64)
    return np.unique(pixels - ranks)


def count_at(
    knots: Float32, pixels: SortedPixels, images: Iterable[PixelImage], count: int
) -> KnotCounts:
    """Count the pixels of each image at these ascending knots.

    Parameters
    ----------
    images
        The same images that `pixels` holds, `count` of them: read once more, for a normal pixel
        carries no number of its image. Each is sorted by itself.
    """
    normal = np.zeros((count, len(knots)))
    workers = allowed()
    counted = in_order(
        lambda image: _normals_at(knots, image), images, workers=workers, ahead=2 * workers
    )
    for number, at in enumerate(counted):
        normal[number] = at[::-1]
    reading = _Reading(knots, pixels, count)
    for bracket in pixels.brackets():
        reading.add(bracket)
    regions = {kind: _by_image(pixels, kind, count) for kind in reading.gains}
    return KnotCounts(np.cumsum(reading.anomalous, axis=1), normal, reading.gains, regions)


def _normals_at(knots: Float32, image: PixelImage) -> Int64:
    """Count the normal pixels of an image at or above each knot, (K,)."""
    scores = image.scores.ravel() if image.mask is None else image.scores[~image.mask]
    return len(scores) - np.searchsorted(np.sort(scores), knots, side="left")


class _Reading:
    """Adds up what anomalous pixels find, by image and knot, bracket by bracket."""

    def __init__(self, knots: Float32, pixels: SortedPixels, count: int) -> None:
        self._knots, self._segments = knots, pixels.segments
        shape = (count, len(knots))
        self.anomalous = np.zeros(shape)
        exact = [kind for kind in self._segments.regions if kind != "four"]  # that is dialects'
        self.gains: dict[Kind, Float64] = {kind: np.zeros(shape) for kind in exact}
        self._shares = {kind: self._share_of_pixel(kind) for kind in exact if kind == "eight"}
        declared = "declared" in self.gains
        self._saturated = SaturatedOverlap(pixels, 1.0) if declared else None

    def _share_of_pixel(self, kind: Kind) -> Float64:
        """Give the share of its region that a pixel of each segment is, (S,)."""
        regions = self._segments.regions[kind]
        shares = 1 / regions.areas[regions.region]
        sums = np.bincount(regions.segment, shares, len(self._segments.areas))
        return sums.astype(np.float64, copy=False)

    def add(self, bracket: Bracket) -> None:
        """Read one bracket; they must come from the highest score down."""
        step = len(self._knots) - np.searchsorted(self._knots, bracket.scores, side="right")
        steps = np.repeat(step[::-1], bracket.runs)  # (P,) in the order of `segment`
        image = self._segments.image[bracket.segment]
        counts = np.ones(len(steps)) if bracket.counts is None else bracket.counts
        self._sum(self.anomalous, image, steps, counts)
        for kind, shares in self._shares.items():
            self._sum(self.gains[kind], image, steps, counts * shares[bracket.segment])
        if self._saturated:
            entry, gains = self._saturated.gained(bracket)
            self._sum(self.gains["declared"], image[::-1][entry], steps[::-1][entry], gains)

    def _sum(self, total: Float64, image: Int64, steps: Int64, values: Float64 | Int64) -> None:
        place = image * total.shape[1] + steps
        total += np.bincount(place, values, total.size).reshape(total.shape)


def _by_image(pixels: SortedPixels, kind: Kind, count: int) -> Float64:
    regions = pixels.segments.regions[kind]
    image = np.zeros(len(regions.areas), np.int64)
    image[regions.region] = pixels.segments.image[regions.segment]
    return np.bincount(image, minlength=count).astype(np.float64)
