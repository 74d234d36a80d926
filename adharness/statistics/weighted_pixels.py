"""Pixel and region metrics of weighted images, read off their counts at the knots."""

from __future__ import annotations

from functools import cached_property
from typing import TypeVar

import numpy as np

from adharness.arrays import Float64, Int64
from adharness.metrics.pimo import decade_share
from adharness.metrics.pixel_values import quantity_of
from adharness.metrics.quantities import ramp_share
from adharness.metrics.ranking import Ranking, ratio
from adharness.metrics.segments import Kind
from adharness.metrics.table import MetricSpec
from adharness.statistics.knots import KnotCounts

NumberT = TypeVar("NumberT", Int64, Float64)


class WeightedPixels:
    """Metrics of B resamples, as if each score were rounded down to a knot.

    Parameters
    ----------
    counts
        Of n images at K knots.
    weights : (B, n) int64
        How often each resample drew each image.
    """

    def __init__(self, counts: KnotCounts, weights: Int64) -> None:
        self._counts, self._weights = counts, weights.astype(np.float64)

    def value(self, spec: MetricSpec) -> Float64:
        """Read a metric that needs no threshold, (B,); NaN where it is undefined."""
        if spec.quantity == "aupimo":
            return self._image_overlap()
        if spec.quantity in {"aupro", "spro"}:
            kind: Kind = "eight" if spec.quantity == "aupro" else "declared"
            return self._region_overlap(kind, spec.limit or 1.0)
        anomalous_images = spec.quantity == "auroc_anomalous"
        ranking = self._among_anomalous if anomalous_images else self._ranking
        return quantity_of(spec).of([ranking])

    @cached_property
    def _ranking(self) -> Ranking:
        return self._ranked(self._weights)

    @cached_property
    def _among_anomalous(self) -> Ranking:
        return self._ranked(self._weights * self._counts.bad)

    def _ranked(self, weights_of_normals: Float64) -> Ranking:
        """Count a knot's pixels as one score; products of whole numbers are exact below 2**53."""
        found = (self._weights @ self._counts.anomalous).astype(np.int64)
        false = (weights_of_normals @ self._counts.normal).astype(np.int64)
        gains = np.diff(found, axis=1, prepend=0)
        return Ranking(
            gains=gains,
            found_above=found - gains,
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
        overlap = ((self._weights @ self._counts.gains[kind]) * share).sum(axis=1)
        return ratio(overlap, self._weights @ self._counts.regions[kind])

    def _image_overlap(self) -> Float64:
        """Average the overlap of each image over low rates on good ones: AUPIMO, weighted."""
        bad = self._counts.bad
        good = self._weights * ~bad
        rates = good @ (self._counts.normal / np.maximum(self._counts.normal[:, -1:], 1))
        after = ratio(rates, good.sum(axis=1, keepdims=True))
        share = decade_share(_before(after), after)
        own = ratio(self._counts.anomalous, self._counts.anomalous[:, -1:])
        gains = np.diff(np.where(bad[:, np.newaxis], own, 0.0), axis=1, prepend=0.0)
        overlap = ((self._weights @ gains) * share).sum(axis=1)
        return ratio(overlap, (self._weights * bad).sum(axis=1))


def _before(at: NumberT) -> NumberT:
    """Shift counts at or above each knot to those above it, (B, K)."""
    above = np.zeros_like(at)
    above[:, 1:] = at[:, :-1]
    return above
