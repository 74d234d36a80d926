"""Exact metrics of anomaly detection: pure functions of labels, masks and scores."""

from __future__ import annotations

from adharness.metrics.decisions import Confusion, confusion, decide
from adharness.metrics.evaluate import MetricValue, evaluate_images, evaluate_pixels
from adharness.metrics.ranking import (
    Ranking,
    auroc,
    average_precision,
    f1_oracle,
    rank_sorted,
    rank_weighted,
)
from adharness.metrics.regions import (
    PixelRanking,
    aupro,
    label_regions,
    rank_pixels,
    region_overlaps,
)
from adharness.metrics.table import METRICS, TRAITS, MetricSpec, find_metric, pro_limit

__all__ = [
    "METRICS",
    "TRAITS",
    "Confusion",
    "MetricSpec",
    "MetricValue",
    "PixelRanking",
    "Ranking",
    "aupro",
    "auroc",
    "average_precision",
    "confusion",
    "decide",
    "evaluate_images",
    "evaluate_pixels",
    "f1_oracle",
    "find_metric",
    "label_regions",
    "pro_limit",
    "rank_pixels",
    "rank_sorted",
    "rank_weighted",
    "region_overlaps",
]
