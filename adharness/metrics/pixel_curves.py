"""ROC, precision-recall and per-region-overlap curves of pixels at some 150 scores.

Read beside the metrics from the same brackets, so that no pixel is sorted or counted twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adharness.arrays import Float32, Float64, Int64
from adharness.metrics.pixels import Bracket, SortedPixels
from adharness.metrics.ranking import ratio

RECALLS = 40
"""Knots in equal steps of recall."""
_RATES = np.unique(
    np.concatenate(
        [np.geomspace(1e-4, 1e-2, 16), np.linspace(0.01, 0.3, 30), np.linspace(0.3, 1, 15)]
    )
)
"""Knots by the false-positive rate: dense where overlap is integrated."""


@dataclass(frozen=True, slots=True, eq=False)
class PixelCurve:
    """Counts at K scores in descending order as shares; the first row is above all scores.

    Parameters
    ----------
    normal, found : (K,) float64
        Share of the normal and of the anomalous pixels at or above a score.
    overlap : (K,) float64, optional
        Mean over 8-connected regions of the share found. None where no metric labelled regions.
    precision : (K,) float64
        Mean precision of the anomalous pixels that were found since the row before, each at its
        own score: as steps over `found` its area is the average precision. NaN where none was.
    """

    normal: Float64
    found: Float64
    overlap: Float64 | None
    precision: Float64


class CurveReading:
    """Reads the curve off the brackets, from the highest score down."""

    def __init__(self, pixels: SortedPixels) -> None:
        self._pixels, self._knots = pixels, curve_knots(pixels)
        size = len(self._knots)
        self._gains, self._precise, self._overlap = (np.zeros(size) for _ in range(3))
        self._shares = _shares_of_regions(pixels)

    def add(self, bracket: Bracket) -> None:
        """Read one bracket."""
        ranking, size = bracket.ranking, len(self._knots)
        if not len(bracket.scores):
            return
        step = size - np.searchsorted(self._knots, bracket.scores, side="right")  # (K,) rising
        self._gains += np.bincount(step, ranking.gains, size)
        flagged = ranking.true_positives + ranking.false_positives
        self._precise += np.bincount(step, ranking.gains * ranking.true_positives / flagged, size)
        if self._shares is not None:
            gained = self._shares[bracket.segment]
            gained = gained if bracket.counts is None else gained * bracket.counts
            # Pixels lie in ascending order of score: those of a step are neighbours.
            first = np.flatnonzero(np.diff(step[::-1], prepend=size))
            starts = (np.cumsum(bracket.runs) - bracket.runs)[first]
            self._overlap[step[::-1][first]] += np.add.reduceat(gained, starts)

    def curve(self) -> PixelCurve | None:
        """Give the curve; None without a normal or without an anomalous pixel."""
        pixels = self._pixels
        if not pixels.positives or not pixels.negatives:
            return None
        beside, good = pixels.flagged_normals(self._knots)
        overlap = None if self._shares is None else self._overlap
        regions = 0 if overlap is None else len(pixels.segments.regions["eight"].areas)
        return PixelCurve(
            normal=_from_zero((beside + good)[0, ::-1] / pixels.negatives),
            found=_from_zero(np.cumsum(self._gains) / pixels.positives),
            overlap=_from_zero(np.cumsum(overlap) / regions) if overlap is not None else None,
            precision=np.concatenate([[np.nan], ratio(self._precise, self._gains)]),
        )


def curve_knots(pixels: SortedPixels) -> Float32:
    """Choose the scores to count at, (K,) ascending and distinct; no pixel scores below the first.

    In equal steps of recall, and at false-positive rates from 0.0001 up. Just above each score of
    an anomalous pixel lies a knot too: a line between such scores alone would cut every corner of
    the stairs on the same side.
    """
    steps = np.linspace(0, pixels.positives - 1, RECALLS) if pixels.positives else np.zeros(0)
    rates = pixels.negatives * (1 - _RATES) if pixels.negatives else np.zeros(0)
    found = pixels.scores_at(_ranks(steps, pixels.positives), "anomalous")
    with np.errstate(over="ignore"):  # above the largest float there is nothing to count
        above = np.nextafter(found, np.float32(np.inf))
    chosen = [
        found,
        above,
        pixels.scores_at(_ranks(rates, pixels.negatives), "normal"),
        np.array([pixels.ends()[0]], np.float32),
    ]
    return np.unique(np.concatenate(chosen))


def _ranks(places: Float64, count: int) -> Int64:
    ranks = np.clip(np.rint(places), 0, max(count - 1, 0)).astype(np.int64)
    return np.unique(ranks)


def _shares_of_regions(pixels: SortedPixels) -> Float64 | None:
    """Give the share of its region that a pixel of each segment is, (S,); 0 outside all."""
    if "eight" not in pixels.segments.regions:
        return None
    regions = pixels.segments.regions["eight"]
    shares = 1 / regions.areas[regions.region]
    return np.bincount(regions.segment, shares, len(pixels.segments.areas)).astype(np.float64)


def _from_zero(values: Float64) -> Float64:
    return np.concatenate([[0.0], values])
