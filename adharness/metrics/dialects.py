"""What other code prints under the names of our metrics, from the same sorted pixels.

Each rule follows what its code does, mistakes included: it is there to compare with published
tables, never to rank. Written from descriptions of the behaviour; no code was copied.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from adharness.arrays import AnyArray, Float64, Int64
from adharness.metrics.decisions import same_decision
from adharness.metrics.dialect_table import Dialect
from adharness.metrics.pixels import Bracket, SortedPixels
from adharness.metrics.ranking import ratio
from adharness.metrics.segments import Kind

_EPS = 1e-8
"""What ADer adds to every denominator."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Counts at T thresholds, ascending, so that all of them fall along the arrays.

    Parameters
    ----------
    overlap : (T,) float64
        Mean over regions of the share that is flagged.
    rate : (T,) float64
        Share of the normal pixels flagged.
    found, false : (T,) float64
        Anomalous and normal pixels flagged.
    positives, negatives
        Anomalous and normal pixels.
    """

    overlap: Float64
    rate: Float64
    found: Float64
    false: Float64
    positives: int
    negatives: int


@dataclass(frozen=True, slots=True)
class Rule:
    """How a dialect reads a metric.

    Parameters
    ----------
    thresholds
        Ascending thresholds, (T,) float64.
    number
        The number, from the counts at the thresholds and the limit (1 where there is none).
    strict
        Whether a pixel must be above a threshold to be flagged, or may equal it.
    good_images
        Whether good images take part.
    kind
        What a region is.
    """

    thresholds: Callable[[SortedPixels], Float64]
    number: Callable[[Curve, float], float]
    strict: bool = True
    good_images: bool = True
    kind: Kind = "eight"


class DialectReading:
    """Counts at the thresholds of a rule, read off the sorted pixels bracket by bracket."""

    def __init__(self, pixels: SortedPixels, rule: Rule, limit: float) -> None:
        self._pixels, self._rule, self._limit = pixels, rule, limit
        self._thresholds = same_decision(rule.thresholds(pixels), strict=rule.strict)
        regions = pixels.segments.regions[rule.kind]
        of_regions = 1 / np.maximum(regions.areas * len(regions.areas), 1)
        self._weights = np.bincount(  # (S,) what a pixel of each segment adds to the mean overlap
            regions.segment, of_regions[regions.region], len(pixels.segments.areas)
        )
        self._overlap = np.zeros(len(self._thresholds) + 1)
        self._found = np.zeros(len(self._thresholds) + 1)

    def add(self, bracket: Bracket) -> None:
        """Read one bracket."""
        # A score passes all thresholds below it: `passed` of the ascending ones.
        side: Literal["left", "right"] = "left" if self._rule.strict else "right"
        steps = np.searchsorted(self._thresholds, bracket.scores[::-1], side=side)
        passed = np.repeat(steps, bracket.runs)
        counts = np.ones(len(passed)) if bracket.counts is None else bracket.counts
        bins = len(self._found)
        self._found += np.bincount(passed, counts, bins)
        self._overlap += np.bincount(passed, self._weights[bracket.segment] * counts, bins)

    def value(self) -> float:
        """Give the number; NaN without a region, a normal pixel, or where the rule has none."""
        pixels, rule = self._pixels, self._rule
        beside, good = (n[int(rule.strict)] for n in pixels.flagged_normals(self._thresholds))
        false = (beside + good if rule.good_images else beside).astype(np.float64)
        negatives = len(pixels.beside) + (len(pixels.good) if rule.good_images else 0)
        if not pixels.positives or not negatives or not len(self._thresholds):
            return float("nan")
        overlap, found = (_flagged(bins) for bins in (self._overlap, self._found))
        curve = Curve(overlap, false / negatives, found, false, pixels.positives, negatives)
        return rule.number(curve, self._limit)


def _flagged(bins: Float64) -> Float64:
    """Sum over the scores that pass each threshold, from sums by the number passed."""
    return np.asarray(np.cumsum(bins[:0:-1])[::-1], np.float64)


def _equal_steps(steps: int) -> Callable[[SortedPixels], Float64]:
    """Thresholds from the lowest score on, ending one step below the highest."""

    def thresholds(pixels: SortedPixels) -> Float64:
        low, high = pixels.ends()
        return _unless_equal(low, high, low + (high - low) / steps * np.arange(steps))

    return thresholds


def _unless_equal(low: float, high: float, thresholds: AnyArray) -> Float64:
    """Give no threshold at all if all scores are equal."""
    return np.asarray(thresholds if high > low else [], np.float64)


def _twenty_one(pixels: SortedPixels) -> Float64:
    low, high = pixels.ends()
    return _unless_equal(low, high, low + (high - low) * np.linspace(0, 1, 21))


def _two_hundred(pixels: SortedPixels) -> Float64:
    low, high = pixels.ends(good_images=False)
    return _unless_equal(low, high, np.linspace(low, high, 200))


def _hundred_ranks(pixels: SortedPixels) -> Float64:
    return pixels.scores_at(_places(pixels.negatives)).astype(np.float64)


def _places(negatives: int) -> Int64:
    return np.linspace(0, negatives - 1, num=100 if negatives else 0, dtype=np.int64)


def _rescaled(curve: Curve, limit: float, *, from_zero: bool) -> float:
    """Area below the limit, on an axis stretched to the points that happen to lie there."""
    kept = curve.rate < limit
    rate, overlap = curve.rate[kept][::-1], curve.overlap[kept][::-1]
    if not len(rate):
        return float("nan")
    start = 0.0 if from_zero else rate.min()
    return float(ratio(np.trapezoid(overlap, rate - start), rate.max() - start))


def _ader_aupro(curve: Curve, limit: float) -> float:
    return _rescaled(curve, limit, from_zero=False)


def _rd4ad_aupro(curve: Curve, limit: float) -> float:
    return _rescaled(curve, limit, from_zero=True)


def _study_aupro(curve: Curve, limit: float) -> float:
    """Points up to the limit: what lies between the last of them and the limit is left out."""
    kept = curve.rate <= limit
    return float(np.trapezoid(curve.overlap[kept][::-1], curve.rate[kept][::-1])) / limit


def _mvtec_3d_aupro(curve: Curve, limit: float) -> float:
    """Rates by rank, so that normal pixels that tie are taken one by one."""
    rate = 1 - (_places(curve.negatives) + 1) / curve.negatives
    return _area_up_to(np.append(rate[::-1], 1.0), np.append(curve.overlap[::-1], 1.0), limit)


def _binned_aupro(curve: Curve, limit: float) -> float:
    rate, overlap = np.append(0.0, curve.rate[::-1]), np.append(0.0, curve.overlap[::-1])
    return _area_up_to(rate, overlap, limit)


def _binned_ap(curve: Curve, _: float) -> float:
    """Straight lines between the precisions at the bins, from precision 1 at recall 0."""
    flagged = curve.found + curve.false
    precision = np.where(flagged > 0, curve.found / np.maximum(flagged, 1), 1.0)
    recall = np.append(0.0, curve.found[::-1] / curve.positives)
    return float(np.trapezoid(np.append(1.0, precision[::-1]), recall))


def _area_up_to(rate: Float64, overlap: Float64, limit: float) -> float:
    """Trapezoids up to the limit, the last one cut by interpolation, divided by the limit."""
    inside = rate < limit
    x = np.append(rate[inside], limit)
    y = np.append(overlap[inside], np.interp(limit, rate, overlap))
    return float(np.trapezoid(y, x)) / limit


def _ader_f1(curve: Curve, _: float) -> float:
    precision = curve.found / (curve.found + curve.false + _EPS)
    recall = curve.found / (curve.positives + _EPS)
    return float((2 * precision * recall / (precision + recall + _EPS)).max())


def _ader_iou(curve: Curve, _: float) -> float:
    return float((curve.found / (curve.positives + curve.false + _EPS)).max())


_RULES: Mapping[tuple[str, str], Rule] = MappingProxyType(
    {
        ("ader", "aupro"): Rule(_equal_steps(100), _ader_aupro),
        ("ader", "f1_oracle"): Rule(_twenty_one, _ader_f1),
        ("ader", "iou_oracle"): Rule(_twenty_one, _ader_iou),
        ("rd4ad", "aupro"): Rule(_equal_steps(200), _rd4ad_aupro),
        ("mvtec_3d", "aupro"): Rule(_hundred_ranks, _mvtec_3d_aupro),
        ("study", "aupro"): Rule(
            _two_hundred, _study_aupro, strict=False, good_images=False, kind="four"
        ),
    }
)


def rule_of(dialect: Dialect, quantity: str) -> Rule:
    """Give the rule by which a dialect reads a pixel or region metric from thresholds."""
    if dialect.bins:
        number = _binned_aupro if quantity == "aupro" else _binned_ap
        return Rule(_equal_steps(dialect.bins), number, strict=False)
    return _RULES[dialect.name, quantity]
