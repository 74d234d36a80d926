"""Pixel and region metrics of weighted images, read off their counts at the knots."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TypeVar

import numpy as np

from adharness.arrays import Float64, Int64
from adharness.metrics import pimo
from adharness.metrics.pixel_values import quantity_of
from adharness.metrics.quantities import ramp_share
from adharness.metrics.ranking import Ranking, ratio
from adharness.metrics.segments import Kind
from adharness.metrics.table import MetricSpec
from adharness.statistics.knots import KnotCounts

NumberT = TypeVar("NumberT", Int64, Float64)

CHUNK = 64
"""Sets read together: few enough for the processor's cache."""


class WeightedSums:
    """What B weighted sets of images hold at the knots, (B, K) each; a product is made once.

    Few large products: many small ones would each wait for all threads of the linear algebra.
    Whole numbers stay exact below 2**53.
    """

    def __init__(self, counts: KnotCounts, weights: Int64) -> None:
        self._counts, self._weights = counts, weights.astype(np.float64)

    @cached_property
    def anomalous(self) -> Float64:
        """Anomalous pixels that score at least as high."""
        return self._weights @ self._counts.anomalous

    @cached_property
    def normal(self) -> Float64:
        """Normal ones."""
        return self._weights @ self._counts.normal

    @cached_property
    def beside(self) -> Float64:
        """Normal ones of the images with anomalous pixels."""
        return (self._weights * self._counts.bad) @ self._counts.normal

    @cached_property
    def gains(self) -> dict[Kind, Float64]:
        """Shares of regions found from each knot up to the next higher one."""
        return {kind: self._weights @ gains for kind, gains in self._counts.gains.items()}

    @cached_property
    def regions(self) -> dict[Kind, Float64]:
        """Regions, (B,)."""
        return {kind: self._weights @ regions for kind, regions in self._counts.regions.items()}

    @cached_property
    def rates(self) -> Float64:
        """Share of pixels at least as high, averaged over good images; NaN without one."""
        good = self._weights * ~self._counts.bad
        shares = ratio(self._counts.normal, self._counts.normal[:, -1:])
        shares[self._counts.bad] = 0.0
        return ratio(good @ shares, good.sum(axis=1, keepdims=True))

    @cached_property
    def image_gains(self) -> Float64:
        """Shares of an image's anomalous pixels from each knot up to the next higher one."""
        shares = np.nan_to_num(ratio(self._counts.anomalous, self._counts.anomalous[:, -1:]))
        return self._weights @ np.diff(shares, axis=1, prepend=0.0)

    @cached_property
    def bad_images(self) -> Float64:
        """Images with anomalous pixels, (B,)."""
        return self._weights @ self._counts.bad

    def values(self, specs: Sequence[MetricSpec]) -> dict[str, Float64]:
        """Read metrics that need no threshold, (B,) each; NaN where one is undefined."""
        found = {spec.name: np.empty(len(self._weights)) for spec in specs}
        for start in range(0, len(self._weights), CHUNK):
            rows = slice(start, start + CHUNK)
            part = _Part(self, rows)
            for spec in specs:
                found[spec.name][rows] = part.value(spec)
        return found


class _Part:
    """Metrics of some of the sets, as if each score were rounded down to a knot."""

    def __init__(self, sums: WeightedSums, rows: slice) -> None:
        self._sums, self._rows = sums, rows

    def value(self, spec: MetricSpec) -> Float64:
        if spec.quantity == "aupimo":
            return self._image_overlap()
        if spec.quantity in {"aupro", "spro"}:
            kind: Kind = "eight" if spec.quantity == "aupro" else "declared"
            return self._region_overlap(kind, spec.limit or 1.0)
        if spec.quantity == "auroc_anomalous":
            return quantity_of(spec).of([self._ranked(self._sums.beside)])
        return quantity_of(spec).of([self._ranking])

    @cached_property
    def _ranking(self) -> Ranking:
        return self._ranked(self._sums.normal)

    def _ranked(self, normal: Float64) -> Ranking:
        """Count the pixels from a knot up to the next higher one as one score."""
        found = self._sums.anomalous[self._rows].astype(np.int64)
        false = normal[self._rows].astype(np.int64)
        above = _before(found)
        return Ranking(
            gains=found - above,
            found_above=above,
            true_positives=found,
            normals_above=_before(false),
            false_positives=false,
            positives=found[:, -1],
            negatives=false[:, -1],
        )

    def _region_overlap(self, kind: Kind, limit: float) -> Float64:
        """Average the overlap of the regions up to a rate: `RegionOverlap`, weighted."""
        ranking = self._ranking
        end = limit * ranking.negatives.astype(np.float64)[:, np.newaxis]
        share = ramp_share(ranking.normals_above, ranking.false_positives, end)
        overlap = (self._sums.gains[kind][self._rows] * share).sum(axis=1)
        return ratio(overlap, self._sums.regions[kind][self._rows])

    def _image_overlap(self) -> Float64:
        """Average the overlap of each image over low rates on good ones: AUPIMO, weighted."""
        after = self._sums.rates[self._rows]
        before = _before(after)
        reach = int(np.count_nonzero((before < pimo.HIGHEST).any(axis=0)))  # beyond it all is 0
        share = pimo.decade_share(before[:, :reach], after[:, :reach])
        overlap = (self._sums.image_gains[self._rows, :reach] * share).sum(axis=1)
        return ratio(overlap, self._sums.bad_images[self._rows])


def _before(at: NumberT) -> NumberT:
    """Shift counts at or above each knot to those above it, (B, K)."""
    above = np.zeros_like(at)
    above[:, 1:] = at[:, :-1]
    return above
