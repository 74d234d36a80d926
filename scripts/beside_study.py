#!/usr/bin/env python3
"""Lay a run of a study suite beside what the study published: a Markdown table.

    adharness run suites/study_unified.yaml --data-root DIR
    python scripts/beside_study.py reports/study-unified

The published numbers are in `suites/study_published.csv`, as the result files of the repository
IvanNece/Detection-of-Anomalies-with-Localization hold them. A difference is ours minus theirs.
Their code for AUPRC is not known here; ours is average precision. Their draws (the coreset's first
point, PaDiM's features) are not published either, so digits may differ where nothing is wrong.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

PUBLISHED = Path(__file__).parents[1] / "suites" / "study_published.csv"
KEYS = ("protocol", "method", "class")


class Line(NamedTuple):
    """A published number, and ours where the run has it."""

    published: Mapping[str, str]
    ours: float | None


def beside(rows: Iterable[Mapping[str, object]], published: Path = PUBLISHED) -> list[Line]:
    """Pair each published number with the run's, of the raw scores and the first seed.

    Parameters
    ----------
    rows
        `rows` of a `leaderboard.json`.
    """
    measured = {
        tuple(row[key] for key in KEYS): row["metrics"]
        for row in reversed(list(rows))
        if row["normalizer"] == "raw" and row["status"] == "ok"
    }
    with published.open(encoding="utf-8", newline="") as file:
        return [
            Line(line, _value(measured.get(tuple(line[key] for key in KEYS)), line["metric"]))
            for line in csv.DictReader(file)
        ]


def _value(metrics: object, name: str) -> float | None:
    found = metrics.get(name) if isinstance(metrics, dict) else None
    value = None if found is None else found["value"]
    return None if value is None else float(value)


def markdown(lines: Iterable[Line]) -> Iterator[str]:
    """Rows of the table; a number that the run does not have is a dash."""
    yield "| protocol | method | class | metric | published | ours | difference | note |"
    yield "|---|---|---|---|---|---|---|---|"
    for line, ours in lines:
        value = float(line["value"])
        told = ("-", "-") if ours is None else (f"{ours:.4f}", f"{ours - value:+.4f}")
        cells = [*(line[key] for key in KEYS), line["metric"], f"{value:.4f}", *told, line["note"]]
        yield f"| {' | '.join(cells)} |"


def main() -> int:
    """Print the table; 2 where the folder is no run of a study suite."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of the run, with its leaderboard.json")
    board = parser.parse_args().run / "leaderboard.json"
    try:
        rows = json.loads(board.read_text("utf-8"))["rows"]
    except (OSError, ValueError, KeyError) as error:
        print(f"error: {board} is no leaderboard: {error}", file=sys.stderr)
        return 2
    lines = beside(rows)
    if all(line.ours is None for line in lines):
        print(f"error: {board} has no row that the study published", file=sys.stderr)
        print(
            "hint:  run suites/study_per_class.yaml or suites/study_unified.yaml", file=sys.stderr
        )
        return 2
    print(*markdown(lines), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
