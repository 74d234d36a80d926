"""The provenance panel: everything a reader needs to run the board again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from adharness.report.formats import seconds
from adharness.report.leaderboard import Leaderboard
from adharness.report.view import Fact, Panel
from adharness.store.records import DatasetRecord, RunRecord


def panels(board: Leaderboard) -> list[Panel]:
    """Panels in reading order; empty ones are left out."""
    run = board.run
    found = [
        Panel("Run", tuple(_run_facts(run))),
        Panel("Time by stage", tuple(Fact(k, seconds(v)) for k, v in run.stages_s.items())),
        *(_dataset_panel(data) for data in run.datasets),
        Panel("Settings", (*_facts("split", run.split), *_facts("maps", run.maps),
                           *_facts("statistics", run.statistics))),
        Panel("Methods", tuple(Fact(name, _text(method)) for name, method in run.methods.items())),
        Panel("Versions and machine", tuple(_flat(run.provenance))),
        Panel("Versions of the cells", tuple(_cell_versions(board))),
    ]  # fmt: skip
    return [panel for panel in found if panel.facts]


def web_address(text: str) -> str | None:
    """Return the address if it is a plain web link: `javascript:` and its like never become one."""
    return text if text.startswith(("https://", "http://")) and " " not in text else None


def _run_facts(run: RunRecord) -> list[Fact]:
    return [
        Fact("command", run.command),
        Fact("suite file", run.suite_file),
        Fact("started", run.started),
        Fact("finished", run.finished or "not finished"),
        Fact("wall time", seconds(run.seconds)),
        Fact("seeds", ", ".join(map(str, run.seeds))),
    ]


def _dataset_panel(data: DatasetRecord) -> Panel:
    totals: dict[str, int] = {}
    for counts in data.counts.values():
        for what, count in counts.items():
            totals[what] = totals.get(what, 0) + count
    images = ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in totals.items())
    facts = [
        Fact("component", data.use),
        Fact("classes", ", ".join(data.classes)),
        Fact("images", images),
        Fact("fingerprint", data.fingerprint),
        Fact("licence", data.licence or "not stated"),
        Fact("citation", data.citation),
        Fact("source", data.url, web_address(data.url)),
    ]
    return Panel(f"Data: {data.name}", tuple(fact for fact in facts if fact.value))


def _facts(name: str, values: Mapping[str, Any]) -> list[Fact]:
    return [Fact(name, _text(values))] if values else []


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[Fact]:
    facts: list[Fact] = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            facts.extend(_flat(value, f"{prefix}{key} / "))
        else:
            facts.append(Fact(f"{prefix}{key}", _text(value)))
    return facts


def _cell_versions(board: Leaderboard) -> list[Fact]:
    """Each distribution with its versions; more than one means stale results are on the board."""
    versions: dict[str, set[str]] = {}
    for entry in board.rows:
        for name, version in entry.cell.versions.items():
            versions.setdefault(name, set()).add(version)
    return [
        Fact(name, ", ".join(sorted(found)) + (" (mixed)" if len(found) > 1 else ""))
        for name, found in sorted(versions.items())
    ]


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_text(each)}" for key, each in value.items())
    return json.dumps(value, ensure_ascii=False, default=str)
