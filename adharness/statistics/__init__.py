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

__all__ = [
    "bootstrap_weights",
    "interval",
    "macro_replicates",
    "paired_difference",
    "replicates",
    "replicates_of",
    "strata_of",
]
