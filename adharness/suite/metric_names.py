"""Which metric ids a suite may ask for. The one place that knows where the table is."""

from __future__ import annotations

import difflib
import re

from adharness.errors import MetricError

_KNOWN = (
    "image_auroc",
    "image_ap",
    "image_f1",
    "image_accuracy",
    "image_balanced_accuracy",
    "image_precision",
    "image_recall",
    "image_fpr",
    "image_f1_oracle",
    "pixel_auroc",
    "pixel_ap",
    "pixel_f1_oracle",
    "region_aupro_30",
    "region_aupro_05",
)
_AUPRO = re.compile(r"region_aupro_(0[1-9]|[1-9]\d|100)")


def require_metric(name: str) -> None:
    """Raise MetricError, with the closest id as its hint, unless there is such a metric.

    A stand-in until the table lands: `find_metric(name)` of adharness.metrics.table then is the
    whole body.
    """
    if name in _KNOWN or _AUPRO.fullmatch(name):
        return
    close = difflib.get_close_matches(name, _KNOWN, n=1, cutoff=0.4)
    hint = f"did you mean '{close[0]}'?" if close else "one of " + ", ".join(_KNOWN)
    raise MetricError(f"unknown metric '{name}'", hint=hint)
