"""How a metric is called on the page: its label, level, direction and unit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_QUANTITIES = {
    "auroc": "AUROC",
    "ap": "AP",
    "f1": "F1",
    "iou": "IoU",
    "fpr": "FPR",
    "mcc": "MCC",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "precision": "Precision",
    "recall": "Recall",
    "aupro": "AUPRO",
}
_PARTS = re.compile(
    r"(?P<level>image|pixel|region)_(?P<quantity>[a-z][a-z0-9_]*?)(?:_(?P<limit>\d{2,3}))?"
    r"(?P<oracle>_oracle)?"
)


@dataclass(frozen=True, slots=True)
class MetricName:
    """What a table needs to head a column. Values are shares of one, shown in percent."""

    id: str
    level: str
    label: str
    direction: Literal["higher", "lower"]
    oracle: bool

    @property
    def arrow(self) -> str:
        """Which way is better."""
        return "↑" if self.direction == "higher" else "↓"

    @property
    def full(self) -> str:
        """The label with its level, for running text: `image AUROC`."""
        return f"{self.level} {self.label}" if self.level else self.label


def metric_name(metric: str) -> MetricName:
    """Read the parts of `level_quantity[_limit][_oracle]`; any other id is its own label."""
    parts = _PARTS.fullmatch(metric)
    if parts is None:
        return MetricName(metric, "", metric, _direction(metric), metric.endswith("_oracle"))
    quantity = parts["quantity"]
    label = _QUANTITIES.get(quantity, quantity.replace("_", " "))
    if parts["limit"]:
        label += f" {int(parts['limit'])} %"
    return MetricName(metric, parts["level"], label, _direction(quantity), bool(parts["oracle"]))


def _direction(quantity: str) -> Literal["higher", "lower"]:
    # adharness.metrics.table.find_metric(metric).direction, once that table is in the tree.
    return "lower" if quantity in {"fpr", "fnr"} else "higher"
