"""How sure a number is: resampled replicates, their intervals and differences."""

from __future__ import annotations

from adharness.statistics.bootstrap import (
    bootstrap_weights,
    interval,
    macro_replicates,
    paired_difference,
    replicates,
    replicates_of,
    strata_of,
)
from adharness.statistics.pixel_bootstrap import Resampled, judge_pixels, resample_pixels

__all__ = [
    "Resampled",
    "bootstrap_weights",
    "interval",
    "judge_pixels",
    "macro_replicates",
    "paired_difference",
    "replicates",
    "replicates_of",
    "resample_pixels",
    "strata_of",
]
