"""What stands over tables: names of protocols, and the columns of metrics in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from adharness.report.metric_names import metric_name
from adharness.report.view import Column

_LEVELS = ("image", "pixel", "region", "")
TITLES = {
    "per-class": "Per class",
    "model-unified": "Model-unified",
    "absolute-unified": "Absolute-unified",
    "routed": "Routed",
}


def protocol_title(protocol: str) -> str:
    """Name of a protocol for headings."""
    return TITLES.get(protocol, protocol)


def ordered_metrics(metrics: Sequence[str]) -> list[str]:
    """Metrics by level, the oracles last, dialects after their own, else in the suite's order.

    Costs are left out: they have tables of their own.
    """
    first: dict[str, int] = {}
    for place_, metric in enumerate(metrics):
        first.setdefault(metric_name(metric).exact, place_)

    def place(metric: str) -> tuple[bool, int, int, bool]:
        name = metric_name(metric)
        level = _LEVELS.index(name.level)
        return name.oracle, level, first[name.exact], name.dialect is not None

    return sorted((m for m in metrics if metric_name(m).unit == "share"), key=place)


def metric_columns(metrics: Sequence[str]) -> list[Column]:
    """Heads of the metrics' columns; a dialect just after its own metric need not repeat it."""
    before: Sequence[str] = ("", *metrics)
    return [
        replace(column, label=column.tag, tag="")
        if column.tag and metric_name(metric).exact == metric_name(last).exact
        else column
        for last, metric in zip(before, metrics, strict=False)
        for column in [metric_column(metric)]
    ]


def metric_column(metric: str) -> Column:
    """Head of a metric's column."""
    name = metric_name(metric)
    tag = f"as {name.dialect}" if name.dialect else ""
    if name.oracle:
        label = f"{name.level} {name.label}".strip()
        note = f"{metric}: threshold chosen on the test labels, out of reach in use"
        note = f"{note}. {name.summary}" if name.dialect else note
        return Column(label, "Oracle (test labels)", "oracle", name.arrow, "%", note, tag, metric)
    kind, group = "dialect" if name.dialect else "metric", name.level.capitalize() or "Other"
    return Column(name.label, group, kind, name.arrow, "%", name.note, tag, metric)
