"""`leaderboard.json` and `leaderboard.csv`: formats that users rely on."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from adharness.report.drops import Drops
from adharness.report.export_decisions import (
    THRESHOLD_COLUMNS,
    csv_deployment,
    csv_threshold,
    deployment_columns,
    deployment_of,
    threshold_of,
)
from adharness.report.json_text import json_document
from adharness.report.leaderboard import (
    HEADLINE_METRIC,
    BoardRow,
    Leaderboard,
    Standing,
    failure_text,
    headline_class,
)
from adharness.report.origins import ORIGIN_COLUMNS, origin_columns, origin_fields
from adharness.report.seeds import finite
from adharness.report.ties import Ranking
from adharness.statistics import detectable
from adharness.store.records import Value
from adharness.store.run_record import RunRecord

KEYS = (
    *("dataset", "class", "protocol", "method", "extractor", "bank", "scorer", "normalizer"),
    *("thresholder", "seed", "cell", "status", "class_oracle"),
)
"""What identifies a row, in the order of the columns of the CSV file."""

SHIFT_KEYS = ("shift_of", "corruption", "severity")
"""What was done to the test images of a row: further columns of a run with shifts."""


MANY_ROWS = 5000
"""Beyond these a row of `leaderboard.json` is one line."""


def to_json(
    board: Leaderboard, drops: Drops | None = None, rankings: Sequence[Ranking] = ()
) -> str:
    """Text of `leaderboard.json` as a whole; see `json_chunks`."""
    return "".join(json_chunks(board, drops, rankings))


def json_chunks(
    board: Leaderboard, drops: Drops | None = None, rankings: Sequence[Ranking] = ()
) -> Iterator[str]:
    """Text of `leaderboard.json`: strict JSON, NaN written as null with its reason.

    A metric that gives each image a number has its quartiles over the images as `spread`. A row
    that one threshold decides has it as `threshold`, with what fitted it; where costs were counted,
    `deployment` has what the board's deployment columns show. A row of a shifted data set says what
    was done under `shift`, and under `drop` the clean number minus its own; a row of its clean set
    has the mean over all shifts there. `ranks` repeats the order of the page: one entry a method,
    data set, protocol, normalizer and thresholder, over all seeds. Methods that cannot be told
    apart share a `rank`; `order` is their place by the number; `pairs` is what they come from.
    `costs` has one entry a cell that has any; they are the one part in which two equal runs differ.
    """
    found, metrics = drops or Drops(board), board.run.metrics
    head = {
        "schema": 1,
        "suite": board.run.suite,
        "provenance": _provenance(board.run),
    }
    lists: dict[str, Iterator[dict[str, Any]]] = {
        "rows": (
            _row(entry, metrics, found) | origin_fields(board.run, entry.cell)
            for entry in board.rows
        ),
        "ranks": (_rank(standing) for standing in board.standings),
        "pairs": (pair for ranking in rankings for pair in _pairs(ranking)),
        "costs": _costs(board),
    }
    return json_document(head, lists, lines=len(board.rows) > MANY_ROWS)


def to_csv(board: Leaderboard, drops: Drops | None = None) -> str:
    """Text of `leaderboard.csv`: a line a row; metric, low and high side by side; empty = none.

    The row that a method is ranked by has its shared `rank` and its place by the number, `order`.
    A run with shifts has columns more: what was done to the test images, and each metric's drop.
    """
    found = drops or Drops(board)
    places = {c.id: one for one in board.standings for c in one.cells if one.rank is not None}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    merged = ORIGIN_COLUMNS if board.run.origins else ()
    writer.writerow([*csv_columns(board.run.metrics, shifts=found.any), *merged])
    for entry in board.rows:
        values = [_number(entry, metric, part) for metric in board.run.metrics for part in _PARTS]
        failure = failure_text(entry.row.failure) if entry.row.failure else ""
        decided = [*csv_deployment(entry, board.run.metrics), *csv_threshold(entry)]
        shifted = _shift_columns(entry, board.run.metrics, found) if found.any else []
        ranked = _place(entry, places.get(entry.cell.id))
        last = [*ranked, *shifted, *origin_columns(board.run, entry.cell)]
        writer.writerow([*_keys(entry).values(), *values, *decided, failure, *last])
    return text.getvalue()


def csv_columns(metrics: list[str], *, shifts: bool = False) -> list[str]:
    """Header of the CSV: keys, three columns a metric, decisions, failure, place, shift."""
    of_metrics = [m + end for m in metrics for end in ("", "_low", "_high")]
    decided = [*deployment_columns(metrics), *THRESHOLD_COLUMNS]
    drops = [*SHIFT_KEYS, *(f"{metric}_drop" for metric in metrics)] if shifts else []
    return [*KEYS, *of_metrics, *decided, "failure", "rank", "order", *drops]


_PARTS = ("value", "low", "high")


def _place(entry: BoardRow, standing: Standing | None) -> list[str]:
    if standing is None or entry.row.class_name != headline_class(entry.cell.protocol):
        return ["", ""]
    return [str(standing.rank), str(standing.order or standing.rank)]


def _keys(entry: BoardRow) -> dict[str, Any]:
    cell, row = entry.cell, entry.row
    named = {key: getattr(cell, key) for key in KEYS if key not in {"class", "cell", "status"}}
    own = {"class": row.class_name, "cell": cell.id, "status": row.status}
    return {key: own.get(key, named.get(key)) for key in KEYS}


def _row(entry: BoardRow, metrics: list[str], drops: Drops) -> dict[str, Any]:
    values = {m: _value(entry.row.metrics[m]) for m in metrics if m in entry.row.metrics}
    line = {**_keys(entry), "metrics": values}
    if threshold := threshold_of(entry):
        line["threshold"] = threshold.model_dump(exclude={"class_name"})
    if in_use := deployment_of(entry, metrics):
        line["deployment"] = in_use
    if entry.cell.imported:
        line["imported"] = entry.cell.imported
    if entry.row.failure is not None:
        line["failure"] = failure_text(entry.row.failure)
    data = drops.shift_of(entry.cell)
    if data is not None and data.shift is not None:
        line["shift"] = data.shift.model_dump()
    dropped = _dropped(entry, metrics, drops)
    return line | ({"drop": {m: _value(v) for m, v in dropped.items()}} if dropped else {})


def _dropped(entry: BoardRow, metrics: list[str], drops: Drops) -> dict[str, Value]:
    if not drops.any:
        return {}
    found = {m: drops.of(entry.cell, entry.row.class_name, m) for m in metrics}
    return {metric: value for metric, value in found.items() if value is not None}


def _shift_columns(entry: BoardRow, metrics: list[str], drops: Drops) -> list[str]:
    data = drops.shift_of(entry.cell)
    told = data.shift.model_dump() if data is not None and data.shift is not None else {}
    dropped = {m: value.value for m, value in _dropped(entry, metrics, drops).items()}
    numbers = [dropped.get(metric) for metric in metrics]
    return [
        *(str(told.get(key, "")) for key in ("of", "corruption", "severity")),
        *("" if number is None else repr(float(number)) for number in numbers),
    ]


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
        "order": standing.order or standing.rank,
        "tied_with": list(standing.tied),
        "unranked": standing.unranked,
        "metric": HEADLINE_METRIC,
        "class": headline_class(standing.group.protocol),
        "value": headline.value,
        "low": headline.low,
        "high": headline.high,
        "spread": list(headline.spread) if headline.spread else None,
        "seeds": [cell.seed for cell in standing.cells],
    }


def _pairs(ranking: Ranking) -> Iterator[dict[str, Any]]:
    """Give the comparisons of a ranking: two-sided p-values, adjusted by Holm for its pairs."""
    group = ranking.group._asdict()
    for lead in ranking.leads:
        yield {
            **group,
            "better": lead.better,
            "worse": lead.worse,
            "difference": lead.difference,
            "low": finite(lead.low),
            "high": finite(lead.high),
            "p": lead.p,
            "p_adjusted": lead.adjusted,
            "p_delong": lead.delong,
            "test": ranking.test,
            "detectable": detectable(lead.deviation, ranking.level),
        }


def _costs(board: Leaderboard) -> Iterator[dict[str, Any]]:
    """Give what each cell cost, once, by the id that its rows have; only what was recorded."""
    cells = {entry.cell.id: entry.cell for entry in board.rows}.values()
    for cell in cells:
        if cell.costs is not None:
            yield {"cell": cell.id, **cell.costs.model_dump(mode="json", exclude_none=True)}


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
