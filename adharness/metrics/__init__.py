"""Exact metrics of anomaly detection: pure functions of labels, masks and scores."""

from __future__ import annotations

from adharness.declared import DeclaredRegions
from adharness.metrics.costs import MistakeCosts
from adharness.metrics.dialect_table import DIALECTS, Dialect, find_dialect
from adharness.metrics.evaluate import evaluate_images, evaluate_pixels
from adharness.metrics.table import METRICS, MetricSpec, find_metric
from adharness.metrics.traits import TRAITS, Trait
from adharness.metrics.values import MetricValue

__all__ = [
    "DIALECTS",
    "METRICS",
    "TRAITS",
    "DeclaredRegions",
    "Dialect",
    "MetricSpec",
    "MetricValue",
    "MistakeCosts",
    "Trait",
    "evaluate_images",
    "evaluate_pixels",
    "find_dialect",
    "find_metric",
]
