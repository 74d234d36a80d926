"""Per-image overlap at very low false-positive rates on good images: AUPIMO, exactly."""

from __future__ import annotations

import math

import numpy as np

from adharness.arrays import Float32, Float64
from adharness.metrics.inputs import PixelImage
from adharness.metrics.pixels import Bracket, SortedPixels
from adharness.metrics.ranking import ratio

LOWEST, HIGHEST = 1e-5, 1e-4
"""False-positive rates between which the overlap is averaged, on a logarithmic axis."""

_DECADES = math.log(HIGHEST / LOWEST)
_KEPT_AT_LEAST = 2**18


class GoodTail:
    """The highest scores of good images: those that can matter below the highest rate.

    The false-positive rate is the mean over good images of each one's share of pixels, so a pixel
    weighs one over the size of its image. Only scores above which the weights of all images do
    not yet reach the highest rate are kept: some ten thousandths of all pixels.

    Parameters
    ----------
    images
        At least as many as there will be good ones.
    """

    def __init__(self, images: int) -> None:
        self._reach = HIGHEST * images
        self._scores = [np.zeros(0, np.float32)]
        self._weights = [np.zeros(0)]
        self._floor = np.float32(-np.inf)
        self._held, self._allowed = 0, _KEPT_AT_LEAST
        self.images = 0

    def add(self, image: PixelImage) -> None:
        """Take the scores of an image, if it is a good one."""
        if image.mask is not None:
            return
        self.images += 1
        scores = self._highest(image.scores)
        self._scores.append(scores)
        self._weights.append(np.full(len(scores), 1 / image.scores.size))
        self._held += len(scores)
        if self._held > self._allowed:
            self._prune()

    def _highest(self, scores: Float32) -> Float32:
        """Leave out what lies below the floor, or where this image reaches the rate by itself."""
        kept = scores[scores >= self._floor]
        spare = len(kept) - (int(self._reach * scores.size) + 1)
        return kept[kept >= np.partition(kept, spare)[spare]] if spare > 0 else kept

    def _prune(self) -> None:
        scores, weights = self._sorted()
        above = np.cumsum(weights[::-1])[::-1]
        # The last score at which the rate is reached stays, with all that tie with it.
        reached = np.flatnonzero(above > self._reach)
        if len(reached):
            self._floor = scores[reached[-1]]
            start = np.searchsorted(scores, self._floor, side="left")
            scores, weights = scores[start:], weights[start:]
        self._scores, self._weights = [scores], [weights]
        self._held = len(scores)
        self._allowed = 2 * self._held + _KEPT_AT_LEAST

    def _sorted(self) -> tuple[Float32, Float64]:
        scores, weights = np.concatenate(self._scores), np.concatenate(self._weights)
        order = np.argsort(scores)
        return scores[order], weights[order]

    def finish(self) -> FalsePositiveRate:
        """Give the rate as a function of the score."""
        self._prune()
        scores, weights = self._sorted()
        above = np.append(np.cumsum(weights[::-1])[::-1], 0.0)
        return FalsePositiveRate(scores, above / max(self.images, 1), self.images)


class FalsePositiveRate:
    """The mean over good images of the share of pixels at or above a score."""

    def __init__(self, scores: Float32, rates: Float64, images: int) -> None:
        self._scores, self._rates, self.images = scores, rates, images

    def above(self, scores: Float32) -> Float64:
        """Give the rate of the scores above each; too small only where it is above `HIGHEST`."""
        return np.asarray(self._rates[np.searchsorted(self._scores, scores, side="right")])

    def at(self, scores: Float32) -> Float64:
        """Give the rate of the scores at or above each."""
        return np.asarray(self._rates[np.searchsorted(self._scores, scores, side="left")])


def decade_share(before: Float64, after: Float64) -> Float64:
    """Mean over ln(rate) of a step that rises linearly in the rate from `before` to `after`.

    Parameters
    ----------
    before, after : (K,) float64
        Rates above, and at or above, each score.

    Returns
    -------
    (K,) float64
        1 where the step lies at or below `LOWEST`, 0 where it lies above `HIGHEST`.

    Notes
    -----
    ``1 / ln(U/L)`` times the integral of ``clip((x - a) / (b - a), 0, 1) dx / x`` from L to U.
    """
    low, high = np.clip(before, LOWEST, HIGHEST), np.clip(after, LOWEST, HIGHEST)
    rise = ratio(high - low - before * np.log(high / low), after - before)
    flat = np.log(HIGHEST / high)
    return np.asarray((np.where(after > before, rise, 0.0) + flat) / _DECADES)


class ImageOverlap:
    """Area under the per-image overlap, one number an anomalous image.

    Notes
    -----
    AUPIMO_i = 1 / ln(U/L) times the integral from ln L to ln U of the share of image i's
    anomalous pixels above the score at which the rate on good images is x, over ln x. Exact:
    every distinct score is a threshold; where anomalous and normal pixels tie, the overlap rises
    linearly in the rate.

    References
    ----------
    Bertoldo et al., AUPIMO: Redefining Anomaly Localization Benchmarks with High Speed and Low
    Tolerance, BMVC 2024, equations 5 to 7.
    """

    def __init__(self, pixels: SortedPixels, rate: FalsePositiveRate, images: int) -> None:
        self._segments, self._rate = pixels.segments, rate
        self._sums = np.zeros(len(pixels.segments.areas))
        self._images = images

    def add(self, bracket: Bracket) -> None:
        """Read one bracket."""
        before, after = self._rate.above(bracket.scores), self._rate.at(bracket.scores)
        self._sums += bracket.sums(decade_share(before, after), len(self._sums))

    def of_images(self) -> Float64:
        """Give the number of each image, (n,); NaN for good images, and if there is no good one."""
        found = np.bincount(self._segments.image, self._sums, self._images)
        areas = np.bincount(self._segments.image, self._segments.areas, self._images)
        return ratio(found, areas) if self._rate.images else np.full(self._images, np.nan)

    def value(self) -> float:
        """Give the mean over anomalous images; NaN without one, or without a good one."""
        defined = self.of_images()
        defined = defined[~np.isnan(defined)]
        return float(ratio(defined.sum(), len(defined)))
