"""Every pixel and region metric that was asked for, from one pass over the sorted pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from adharness.arrays import Float64
from adharness.metrics.dialect_table import find_dialect
from adharness.metrics.dialects import DialectReading, Rule, rule_of
from adharness.metrics.inputs import PixelImage
from adharness.metrics.pimo import GoodTail, ImageOverlap
from adharness.metrics.pixel_curves import CurveReading, PixelCurve
from adharness.metrics.pixels import Bracket, PixelSorter, SortedPixels
from adharness.metrics.quantities import QUANTITIES, Quantity
from adharness.metrics.ranking import Ranking
from adharness.metrics.regions import RegionOverlap, SaturatedOverlap
from adharness.metrics.segments import Kind
from adharness.metrics.table import MetricSpec
from adharness.metrics.values import MetricValue, explained


class Reading(Protocol):
    """One number, read off the brackets from the highest score down."""

    def add(self, bracket: Bracket) -> None:
        """Read one bracket."""

    def value(self) -> float:
        """Give the number; NaN where it is undefined."""
        ...


class QuantityReading:
    """A quantity of the pixel ranking."""

    def __init__(self, quantity: Quantity, *, anomalous_images: bool) -> None:
        self._quantity, self._anomalous_images = quantity, anomalous_images
        self._total: Float64 | None = None
        self._last: Ranking | None = None

    def add(self, bracket: Bracket) -> None:
        """Read one bracket."""
        self._last = bracket.among_anomalous if self._anomalous_images else bracket.ranking
        part = self._quantity.part(self._last)
        self._total = part if self._total is None else self._quantity.joined(self._total, part)

    def value(self) -> float:
        """Give the number."""
        if self._total is None or self._last is None:
            return math.nan
        return float(self._quantity.value(self._total, self._last))


class RankedPixels:
    """Takes images one by one, and gives every metric that needs no threshold.

    Parameters
    ----------
    specs
        Metrics of the pixel and the region level.
    images
        How many images there will be.
    budget_bytes, folder
        Of scores held in memory, and where those beyond go; see `PixelSorter`.
    """

    def __init__(
        self,
        specs: Sequence[MetricSpec],
        images: int,
        budget_bytes: int,
        folder: Path | None,
    ) -> None:
        self._specs, self._images = specs, images
        self._sorter = PixelSorter(kinds_of(specs), budget_bytes, folder)
        asked = any(spec.quantity == "aupimo" for spec in specs)
        self._tail = GoodTail(images) if asked else None
        self._bad, self._undeclared = 0, 0
        self.curve: PixelCurve | None = None
        """Read beside the values; there once they are."""

    def add(self, image: PixelImage) -> None:
        """Take one image."""
        self._sorter.add(image)
        if self._tail:
            self._tail.add(image)
        if image.mask is not None:
            self._bad += 1
            self._undeclared += not len(image.channels)

    @cached_property
    def pixels(self) -> SortedPixels:
        """All pixels, sorted when they are first asked for; no image may follow."""
        return self._sorter.finish()

    def values(self) -> dict[str, MetricValue]:
        """Sort, and read all metrics off at once."""
        pixels = self.pixels
        readings = {spec.name: self._reading(spec, pixels) for spec in self._specs}
        curve = CurveReading(pixels)
        for bracket in pixels.brackets():
            for reading in readings.values():
                reading.add(bracket)
            curve.add(bracket)
        self.curve = curve.curve()
        return {spec.name: self._value(spec, readings[spec.name], pixels) for spec in self._specs}

    def _reading(self, spec: MetricSpec, pixels: SortedPixels) -> Reading:
        rule = _rule(spec)
        if rule:
            return DialectReading(pixels, rule, spec.limit or 1.0)
        if spec.quantity == "aupro":
            return RegionOverlap(pixels, _limit(spec))
        if spec.quantity == "spro":
            return SaturatedOverlap(pixels, _limit(spec))
        if spec.quantity == "aupimo" and self._tail:
            return ImageOverlap(pixels, self._tail.finish(), self._images)
        anomalous_images = spec.quantity == "auroc_anomalous"
        return QuantityReading(quantity_of(spec), anomalous_images=anomalous_images)

    def _value(self, spec: MetricSpec, reading: Reading, pixels: SortedPixels) -> MetricValue:
        value = reading.value()
        if spec.quantity == "spro" and self._undeclared:
            undeclared = f"{self._undeclared} anomalous image(s) declare no regions"
            return MetricValue(math.nan, undeclared)
        if isinstance(reading, ImageOverlap):
            good = self._images - self._bad
            found = explained(value, {"anomalous image": self._bad, "good image": good})
            return MetricValue(found.value, found.reason, _listed(reading.of_images()))
        normals = pixels.negatives
        kind = "normal pixel"
        if spec.quantity == "auroc_anomalous":
            normals, kind = len(pixels.beside), "normal pixel in an anomalous image"
        present = {"anomalous pixel": pixels.positives, kind: normals}
        return explained(value, present, "the scores leave the dialect no step below the limit")


def kinds_of(specs: Sequence[MetricSpec]) -> frozenset[Kind]:
    """Which kinds of regions these metrics need."""
    kinds: set[Kind] = set()
    for spec in specs:
        rule = _rule(spec)
        if rule:
            kinds.add(rule.kind)
        elif spec.quantity in {"aupro", "spro"}:
            kinds.add("eight" if spec.quantity == "aupro" else "declared")
    return frozenset(kinds)


def _rule(spec: MetricSpec) -> Rule | None:
    """Find the rule of a dialect; None for the exact and for dialects that read the ranking."""
    if spec.dialect is None or spec.reading in QUANTITIES:
        return None
    return rule_of(find_dialect(spec.dialect), spec.quantity)


def quantity_of(spec: MetricSpec) -> Quantity:
    """Find what reads this metric off a ranking of pixels."""
    return QUANTITIES["auroc" if spec.quantity == "auroc_anomalous" else spec.reading]


def _limit(spec: MetricSpec) -> float:
    if spec.limit is None:
        raise ValueError(f"{spec.name} has no limit")
    return spec.limit


def _listed(of_images: Float64) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(one) else float(one) for one in of_images)
