"""Per-region overlap, plain and saturated, read off the sorted pixels bracket by bracket."""

from __future__ import annotations

import numpy as np

from adharness.arrays import Float64, Int64
from adharness.metrics.pixels import Bracket, SortedPixels
from adharness.metrics.quantities import ramp_share
from adharness.metrics.ranking import ratio


class RegionOverlap:
    """Mean overlap of each region with the prediction, over false-positive rates up to a limit.

    Notes
    -----
    Exact: thresholds are the distinct scores, ties enter together, the curve is cut at the limit
    by linear interpolation. The false-positive rate counts the normal pixels of all images.

    References
    ----------
    Bergmann et al., The MVTec Anomaly Detection Dataset, IJCV 2021, section 5.2.
    """

    def __init__(self, pixels: SortedPixels, limit: float) -> None:
        self._pixels, self._end = pixels, limit * pixels.negatives
        self._sums = np.zeros(len(pixels.segments.areas))

    def add(self, bracket: Bracket) -> None:
        """Read one bracket."""
        ranking = bracket.ranking
        share = ramp_share(ranking.normals_above, ranking.false_positives, self._end)
        self._sums += bracket.sums(share, len(self._sums))

    def overlaps(self) -> Float64:
        """Give the mean overlap of each 8-connected region, (R,); NaN without a normal pixel."""
        regions = self._pixels.segments.regions["eight"]
        return ratio(regions.sums(self._sums), regions.areas)

    def value(self) -> float:
        """Give their mean; NaN without a region or without a normal pixel."""
        overlaps = self.overlaps()
        return float(ratio(overlaps.sum(), len(overlaps)))


class SaturatedOverlap:
    """The same for declared regions, each found as a whole once `saturation` pixels are.

    Notes
    -----
    A region counts ``min(found / saturation, 1)``, so of each region only the first pixels by
    score count. Regions may overlap, and need not be connected.

    References
    ----------
    Bergmann et al., Beyond Dents and Scratches, IJCV 2022, section 4.1.
    """

    def __init__(self, pixels: SortedPixels, limit: float) -> None:
        self._end = limit * pixels.negatives
        self._regions = pixels.segments.regions["declared"]
        self._sums = np.zeros(len(self._regions.areas))
        self._found = np.zeros(len(self._regions.areas), np.int64)
        order = np.argsort(self._regions.segment, kind="stable")
        self._region = self._regions.region[order]
        segments = self._regions.segment[order]
        self._starts = np.searchsorted(segments, np.arange(len(pixels.segments.areas) + 1))

    def add(self, bracket: Bracket) -> None:
        """Read one bracket; brackets must come from the highest score down."""
        ranking = bracket.ranking
        share = ramp_share(ranking.normals_above, ranking.false_positives, self._end)
        shares = np.repeat(share[::-1], bracket.runs)[::-1]  # (P,) from the highest score down
        counts = np.ones(len(shares), np.int64) if bracket.counts is None else bracket.counts[::-1]
        entry, region = self._members(bracket.segment[::-1])
        self._sums += self._counted(region, shares[entry], counts[entry])

    def gained(self, bracket: Bracket) -> tuple[Int64, Float64]:
        """Read one bracket pixel by pixel, without a limit; brackets must come in order.

        Returns
        -------
        entry, gains : (E,) int64, (E,) float64
            An entry of the bracket, from the highest score down, and the share of one of its
            regions that it finds; 0 once the region is saturated.
        """
        counts = np.ones(len(bracket.segment), np.int64)
        counts = counts if bracket.counts is None else bracket.counts[::-1]
        entry, region = self._members(bracket.segment[::-1])
        order, effective = self._effective(region, counts[entry])
        return entry[order], effective / self._regions.saturations[region[order]]

    def _members(self, segment: Int64) -> tuple[Int64, Int64]:
        """Repeat each entry for each region it is part of: its index and that region."""
        degree = np.diff(self._starts)[segment]
        entry = np.repeat(np.arange(len(segment)), degree)
        within = np.arange(len(entry)) - np.repeat(np.cumsum(degree) - degree, degree)
        return entry, self._region[self._starts[segment][entry] + within]

    def _counted(self, region: Int64, shares: Float64, counts: Int64) -> Float64:
        """Sum the shares of the pixels by region, until each region is saturated."""
        order, effective = self._effective(region, counts)
        sums = np.bincount(region[order], shares[order] * effective, len(self._found))
        return sums.astype(np.float64, copy=False)

    def _effective(self, region: Int64, counts: Int64) -> tuple[Int64, Int64]:
        """Sort the entries by region; of each, the pixels that come before the region is full."""
        order = np.argsort(region, kind="stable")
        region, counts = region[order], counts[order]
        running = np.cumsum(counts)
        first = np.searchsorted(region, region, side="left")
        after = running - (running - counts)[first] + self._found[region]
        full = self._regions.saturations[region]
        effective = np.minimum(after, full) - np.minimum(after - counts, full)
        self._found += np.bincount(region, counts, len(self._found)).astype(np.int64)
        return order, effective

    def value(self) -> float:
        """Give the mean over regions; NaN without a region or without a normal pixel."""
        overlaps = ratio(self._sums, self._regions.saturations)
        return float(ratio(overlaps.sum(), len(overlaps)))
