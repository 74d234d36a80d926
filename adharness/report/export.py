"""`leaderboard.json` and `leaderboard.csv`: formats that users rely on."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from adharness.report.leaderboard import (
    HEADLINE_METRIC,
    BoardRow,
    Leaderboard,
    Standing,
    failure_text,
    headline_class,
)
from adharness.report.seeds import finite
from adharness.store.records import RunRecord, Value

KEYS = (
    *("dataset", "class", "protocol", "method", "extractor", "bank", "scorer", "normalizer"),
    *("thresholder", "seed", "cell", "status", "class_oracle"),
)
"""What identifies a row, in the order of the columns of the CSV file."""


def to_json(board: Leaderboard) -> str:
    """Text of `leaderboard.json`: strict JSON, NaN written as null with its reason.

    A metric that gives each image a number has its quartiles over the images as `spread`.
    `ranks` repeats the order of the page: one entry a method, data set, protocol, normalizer and
    thresholder, over all seeds.
    """
    document = {
        "schema": 1,
        "suite": board.run.suite,
        "provenance": _provenance(board.run),
        "rows": [_row(entry, board.run.metrics) for entry in board.rows],
        "ranks": [_rank(standing) for standing in board.standings],
    }
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def to_csv(board: Leaderboard) -> str:
    """Text of `leaderboard.csv`: a line a row; metric, low and high side by side; empty = none."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(csv_columns(board.run.metrics))
    for entry in board.rows:
        values = [_number(entry, metric, part) for metric in board.run.metrics for part in _PARTS]
        failure = failure_text(entry.row.failure) if entry.row.failure else ""
        writer.writerow([*_keys(entry).values(), *values, failure])
    return text.getvalue()


def csv_columns(metrics: list[str]) -> list[str]:
    """Header of the CSV file: the keys, three columns a metric, and the failure."""
    return [*KEYS, *(m + end for m in metrics for end in ("", "_low", "_high")), "failure"]


_PARTS = ("value", "low", "high")


def _keys(entry: BoardRow) -> dict[str, Any]:
    cell, row = entry.cell, entry.row
    named = {key: getattr(cell, key) for key in KEYS if key not in {"class", "cell", "status"}}
    own = {"class": row.class_name, "cell": cell.id, "status": row.status}
    return {key: own.get(key, named.get(key)) for key in KEYS}


def _row(entry: BoardRow, metrics: list[str]) -> dict[str, Any]:
    values = {m: _value(entry.row.metrics[m]) for m in metrics if m in entry.row.metrics}
    line = {**_keys(entry), "metrics": values}
    if entry.cell.imported:
        line["imported"] = entry.cell.imported
    if entry.row.failure is not None:
        line["failure"] = failure_text(entry.row.failure)
    return line


def _value(value: Value) -> dict[str, Any]:
    numbers: dict[str, Any] = {part: finite(getattr(value, part)) for part in _PARTS}
    if numbers["value"] is None:
        numbers["reason"] = value.reason or "undefined"
    if value.spread is not None:
        numbers["spread"] = value.spread.model_dump()
    return numbers


def _number(entry: BoardRow, metric: str, part: str) -> str:
    value = entry.row.metrics.get(metric)
    number = finite(getattr(value, part)) if value else None
    return "" if number is None else repr(float(number))


def _rank(standing: Standing) -> dict[str, Any]:
    headline = standing.headline
    return {
        **standing.group._asdict(),
        "method": standing.method,
        "rank": standing.rank,
        "unranked": standing.unranked,
        "metric": HEADLINE_METRIC,
        "class": headline_class(standing.group.protocol),
        "value": headline.value,
        "low": headline.low,
        "high": headline.high,
        "spread": list(headline.spread) if headline.spread else None,
        "seeds": [cell.seed for cell in standing.cells],
    }


def _provenance(run: RunRecord) -> dict[str, Any]:
    return {
        **run.provenance,
        "command": run.command,
        "suite_file": run.suite_file,
        "started": run.started,
        "finished": run.finished,
        "seconds": run.seconds,
        "seeds": run.seeds,
        "split": run.split,
        "maps": run.maps,
        "statistics": run.statistics,
        "fingerprints": {data.name: data.fingerprint for data in run.datasets},
    }
