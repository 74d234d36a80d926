"""The unification gap as bars: what each method loses under each protocol, beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adharness.report.drawings import Figure
from adharness.report.embedded import Plain
from adharness.report.gap import UNIFIED, Gap
from adharness.report.leaderboard import HEADLINE_METRIC, Leaderboard
from adharness.report.metric_names import metric_name

ANY = ""
"""The thresholder of a metric that needs none."""
_OF_MAPS = "region_aupro_30"
_CHARTED = (HEADLINE_METRIC, "image_f1", _OF_MAPS)
_RANKS_ONLY = (HEADLINE_METRIC, _OF_MAPS)
_DIGITS = 4


def gap_figures(board: Leaderboard, gaps: Sequence[Gap]) -> list[Figure]:
    """Draw the macro gap, like with like: a figure a data set and normalizer, all protocols in it.

    Image AUROC says what the ranking loses, image F1 what the deployed threshold loses, AUPRO what
    the maps lose; methods and data sets without it have no bar. The thresholder does not touch
    image AUROC and AUPRO: the first with a number stands for all. All figures of a metric share
    one scale.
    """
    metrics = [m for m in _CHARTED if m in board.run.metrics]
    macro = [
        g for g in gaps if g.scope == "macro" and g.metric in metrics and g.score.value is not None
    ]
    keys = dict.fromkeys((gap.dataset, gap.normalizer) for gap in macro)
    order = {data.name: place for place, data in enumerate(board.run.datasets)}
    ends = {metric: _ends([g for g in macro if g.metric == metric]) for metric in metrics}
    return [
        _figure(key, [g for g in macro if (g.dataset, g.normalizer) == key], ends)
        for key in sorted(keys, key=lambda key: order.get(key[0], 0))
    ]


def _ends(gaps: Sequence[Gap]) -> list[float]:
    values = [v for g in gaps for v in (g.score.value, g.score.low, g.score.high) if v is not None]
    return [_short(min([0.0, *values])), _short(max([0.01, *values]))]


def _figure(
    key: tuple[str, str], gaps: Sequence[Gap], ends: Mapping[str, Sequence[float]]
) -> Figure:
    dataset, normalizer = key
    found: dict[str, dict[str, dict[tuple[str, str], Plain]]] = {}
    for gap in gaps:
        rule = ANY if gap.metric in _RANKS_ONLY else gap.thresholder
        bars = found.setdefault(metric_name(gap.metric).full, {}).setdefault(rule, {})
        bars.setdefault((gap.method, gap.versus), _bar(gap))
    rules = dict.fromkeys(rule for metric in found.values() for rule in metric if rule != ANY)
    choices: list[Plain] = [{"name": "metric", "label": "Metric", "values": list(found)}]
    if rules:
        choices.append({"name": "thresholder", "label": "Threshold by", "values": list(rules)})
    told = {gap.versus for gap in gaps}
    return Figure(
        kind="gaps",
        title=f"{dataset}: macro number of per-class minus that of a unified protocol",
        note=f"percentage points, normalizer {normalizer}",
        keys={"dataset": dataset, "normalizer": normalizer},
        data={
            "choices": choices,
            "versus": [protocol for protocol in UNIFIED if protocol in told],
            "ends": {metric_name(metric).full: pair for metric, pair in ends.items()},
            "metrics": {
                metric: {rule: list(bars.values()) for rule, bars in of_rules.items()}
                for metric, of_rules in found.items()
            },
        },
        instead="The same numbers are in the tables below.",
    )


def _bar(gap: Gap) -> Plain:
    score = gap.score
    ends = score.spread or (score.low, score.high)
    return {
        "method": gap.method,
        "versus": gap.versus,
        "value": _short(score.value or 0.0),
        "ends": None if None in ends else [_short(end) for end in ends if end is not None],
        "bound": gap.class_oracle,
    }


def _short(value: float) -> float:
    return round(value, _DIGITS)
