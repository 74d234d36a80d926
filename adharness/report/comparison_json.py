"""A comparison of two runs as JSON: a format that users rely on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adharness.report.changes import Change
from adharness.report.comparison import Line, Paired, Side
from adharness.report.leaderboard import AXES
from adharness.report.regression import Rule
from adharness.report.seeds import finite
from adharness.store.records import CellRecord


def as_document(
    sides: tuple[Side, Side],
    found: Paired,
    lines: Sequence[Line],
    moved: Sequence[Change],
    rule: Rule,
) -> dict[str, Any]:
    """Lay a comparison out as JSON values: numbers are shares of one, undefined ones None.

    Parameters
    ----------
    sides
        The two runs.
    found
        The pairs, and the cells that only one run has.
    lines
        Every number that was compared.
    moved
        What was changed between the runs.
    rule
        What the verdicts come from.
    """
    return {
        "schema": 1,
        "first": _run_facts(sides[0], found.only_first),
        "second": _run_facts(sides[1], found.only_second),
        "tolerance": finite(rule.tolerance),
        "at_all": rule.at_all,
        "level": float(sides[0].run.statistics.get("level", 0.95)),
        "rows": [_facts(line) for line in lines],
        "changes": [change._asdict() for change in moved],
        "regressions": sum(line.verdict == "regression" for line in lines),
        "lost": sum(line.verdict == "lost" for line in lines),
    }


def _run_facts(side: Side, only_here: Sequence[CellRecord]) -> dict[str, Any]:
    left = [{axis: getattr(cell, axis) for axis in AXES} for cell in only_here]
    return {
        "suite": side.run.suite,
        "folder": str(side.folder),
        "started": side.run.started,
        "finished": side.run.finished,
        "whole": side.whole,
        "only_here": left,
    }


def _facts(line: Line) -> dict[str, Any]:
    low, high = line.interval or (None, None)
    return {
        **{axis: getattr(line.pair.first, axis) for axis in AXES},
        "with": line.pair.second.method,
        "class": line.class_name,
        "metric": line.metric.id,
        "first": finite(line.before.value),
        "second": finite(line.after.value),
        "reason": line.before.reason or line.after.reason,
        "difference": line.difference,
        "low": low,
        "high": high,
        "verdict": line.verdict,
    }
