"""How sure a number is: resampled replicates, their intervals and differences."""

from __future__ import annotations

from adharness.statistics.bootstrap import replicates, replicates_of
from adharness.statistics.drawn import (
    Drawn,
    IntervalKind,
    MacroKind,
    macro_mean,
    over_alike,
    over_classes,
    over_drawn_classes,
)
from adharness.statistics.paired_tests import (
    delong,
    detectable,
    holm,
    least_p,
    normal_p,
    p_value,
)
from adharness.statistics.pixel_bootstrap import Resampled, resample_pixels
from adharness.statistics.sampling import (
    Sampling,
    bootstrap_weights,
    draw,
    join,
    strata_of,
    units_of,
)

__all__ = [
    "Drawn",
    "IntervalKind",
    "MacroKind",
    "Resampled",
    "Sampling",
    "bootstrap_weights",
    "delong",
    "detectable",
    "draw",
    "holm",
    "join",
    "least_p",
    "macro_mean",
    "normal_p",
    "over_alike",
    "over_classes",
    "over_drawn_classes",
    "p_value",
    "replicates",
    "replicates_of",
    "resample_pixels",
    "strata_of",
    "units_of",
]
