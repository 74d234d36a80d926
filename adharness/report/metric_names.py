"""How a metric is called on the page: its label, level, direction and summary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from adharness.errors import MetricError
from adharness.metrics.table import Direction, MetricSpec, find_metric
from adharness.metrics.traits import Unit

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
    """What a table needs to head a column. Shares of one are shown in percent.

    Parameters
    ----------
    dialect
        Whose reading of the metric this is; None for the exact one.
    """

    id: str
    level: str
    label: str
    direction: Direction
    oracle: bool
    summary: str = ""
    dialect: str | None = None
    unit: Unit = "share"

    @property
    def exact(self) -> str:
        """The id of the exact metric, which a dialect reads in its own way."""
        return self.id.partition("@")[0]

    @property
    def compared(self) -> bool:
        """Whether methods may be compared by it: not by test labels, not by others' arithmetic.

        Nor by a cost among shares in percent: costs have tables of their own.
        """
        return not self.oracle and self.dialect is None and self.unit == "share"

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
    exact, _, dialect = metric.partition("@")
    oracle = exact.endswith("_oracle")
    try:
        spec = find_metric(metric)
    except MetricError:
        return MetricName(metric, "", metric, "higher", oracle, dialect=dialect or None)
    label = _label(spec)
    return MetricName(
        metric, spec.level, label, spec.direction, oracle, spec.summary, spec.dialect, spec.unit
    )


def compared(metrics: Iterable[str]) -> list[str]:
    """Those metrics that methods may be compared by."""
    return [metric for metric in metrics if metric_name(metric).compared]


def _label(spec: MetricSpec) -> str:
    quantity = spec.quantity.removesuffix("_oracle")
    label = _SHORT.get(quantity, quantity.replace("_", " "))
    return label if spec.limit is None else f"{label} {100 * spec.limit:.0f} %"
