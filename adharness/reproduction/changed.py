"""What is not the same behind two runs: versions, machine, threads, commit, weights, data."""

from __future__ import annotations

from typing import Any, NamedTuple

from adharness.report.changes import flat
from adharness.store.run_record import RunRecord


class Changed(NamedTuple):
    """A fact of the provenance, and its value in each run."""

    what: str
    then: str
    now: str


def changed(first: RunRecord, second: RunRecord) -> tuple[list[Changed], list[str]]:
    """Give the facts in which two runs differ, sorted, and those that the first does not know.

    A fact that one run alone has, such as a distribution that is no longer there, is a difference
    unless the first run's record is of before that kind of fact was kept.
    """
    mine, theirs = _facts(first), _facts(second)
    unknown = sorted(set(theirs) - set(mine))
    sides = [dict(flat("", {k: v for k, v in one.items() if k in mine})) for one in (mine, theirs)]
    found = [
        Changed(name, *(side.get(name, "-") for side in sides))
        for name in sorted(set(sides[0]) | set(sides[1]))
        if sides[0].get(name) != sides[1].get(name)
    ]
    return found, unknown


def _facts(run: RunRecord) -> dict[str, Any]:
    weights = {"weights": run.weights} if run.weights else {}
    kept = {"installed": run.environment} if run.environment else {}
    data = {"data": {one.name: one.fingerprint for one in run.datasets}}
    return {**run.provenance, **weights, **data, **kept}
