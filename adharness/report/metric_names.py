"""How a metric is called on the page: its label, level, direction and summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from adharness.errors import MetricError
from adharness.metrics.table import Direction, MetricSpec, find_metric

_SHORT: Mapping[str, str] = MappingProxyType(
    {
        "auroc": "AUROC",
        "auroc_fpr10": "AUROC 10 %",
        "auroc_anomalous": "AUROC (anomalous images)",
        "fpr_at_95_tpr": "FPR at 95 % TPR",
        "ap": "AP",
        "f1": "F1",
        "seg_f1": "SegF1",
        "iou": "IoU",
        "fpr": "FPR",
        "aupimo": "AUPIMO",
        "aupro": "AUPRO",
        "spro": "sPRO",
    }
)


@dataclass(frozen=True, slots=True)
class MetricName:
    """What a table needs to head a column. Values are shares of one, shown in percent."""

    id: str
    level: str
    label: str
    direction: Direction
    oracle: bool
    summary: str = ""

    @property
    def arrow(self) -> str:
        """Which way is better."""
        return "↑" if self.direction == "higher" else "↓"

    @property
    def full(self) -> str:
        """The label with its level, for running text: `image AUROC`."""
        return f"{self.level} {self.label}" if self.level else self.label

    @property
    def note(self) -> str:
        """The id with its summary, for a tooltip."""
        return f"{self.id}: {self.summary}" if self.summary else self.id


def metric_name(metric: str) -> MetricName:
    """Name a metric of the table; an id of another version is its own label, higher is better."""
    oracle = metric.endswith("_oracle")
    try:
        spec = find_metric(metric)
    except MetricError:
        return MetricName(metric, "", metric, "higher", oracle)
    return MetricName(metric, spec.level, _label(spec), spec.direction, oracle, spec.summary)


def _label(spec: MetricSpec) -> str:
    quantity = spec.quantity.removesuffix("_oracle")
    label = _SHORT.get(quantity, quantity.replace("_", " "))
    if spec.limit is not None:
        label = f"{label} {100 * spec.limit:.0f} %"
    return f"{label} ({spec.dialect})" if spec.dialect else label
