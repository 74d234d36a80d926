"""A row's threshold, and what it would do in production, for the JSON and the CSV file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adharness.report.deployment import COST, deployed, worst_class
from adharness.report.leaderboard import AGGREGATES, BoardRow
from adharness.report.seeds import finite
from adharness.store.records import ThresholdRecord

_FIELDS = ("value", "normals", "anomalies", "batch", "note")
THRESHOLD_COLUMNS = tuple(f"threshold_{name}" for name in _FIELDS)
_DEPLOYED = (
    *("false_alarms_per_1000", "cost_per_1000"),
    *("f1_below_oracle", "cost_per_1000_above_oracle", "worst_class"),
)


def threshold_of(entry: BoardRow) -> ThresholdRecord | None:
    """Give the image threshold of a row; None where its images have several, or none."""
    found = {threshold.class_name: threshold for threshold in entry.cell.thresholds}
    return found.get(None, found.get(entry.row.class_name))


def deployment_of(entry: BoardRow, metrics: Sequence[str]) -> dict[str, Any] | None:
    """Give a row's deployment numbers; None where no cost was counted or the row failed."""
    if COST not in metrics or entry.row.failure is not None:
        return None
    cells = [entry.cell]
    here, aggregate = deployed(cells, entry.row.class_name), entry.row.class_name in AGGREGATES
    worst = worst_class(cells) if aggregate else None
    scores = (here.false_alarms, here.cost, here.f1_below_oracle, here.cost_above_oracle)
    numbers = [*(finite(score.value) for score in scores), worst[0] if worst else None]
    return dict(zip(_DEPLOYED, numbers, strict=True))


def deployment_columns(metrics: Sequence[str]) -> tuple[str, ...]:
    """Heads of the CSV columns; none where no cost was counted."""
    return _DEPLOYED if COST in metrics else ()


def csv_deployment(entry: BoardRow, metrics: Sequence[str]) -> list[str]:
    """Write the deployment columns of a line; empty = none."""
    found = deployment_of(entry, metrics) or {}
    return [_text(found.get(name)) for name in deployment_columns(metrics)]


def csv_threshold(entry: BoardRow) -> list[str]:
    """Write the threshold columns of a line; empty = none."""
    threshold = threshold_of(entry)
    return [_text(getattr(threshold, name, None)) for name in _FIELDS]


def _text(value: object) -> str:
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)
