"""The provenance panel: everything a reader needs to run the board again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from adharness.report.facts import Fact, Panel
from adharness.report.formats import seconds
from adharness.report.leaderboard import Leaderboard
from adharness.store.run_record import DatasetRecord, RunRecord

_ROLES = ("extractor", "bank", "scorer")


def panels(board: Leaderboard) -> list[Panel]:
    """Panels in reading order; empty ones are left out."""
    run = board.run
    found = [
        Panel("Run", tuple(_run_facts(run))),
        Panel("Machine", tuple(_machine_facts(run.provenance))),
        Panel("Time by stage", tuple(Fact(k, seconds(v)) for k, v in run.stages_s.items())),
        *(_dataset_panel(data) for data in run.datasets),
        Panel("Settings", (*_facts("split", _policy_first(run.split)), *_facts("maps", run.maps),
                           *_facts("statistics", run.statistics),
                           *_facts("deployment", run.deployment or {}))),
        *_method_panels(run),
        Panel("Versions", tuple(_versions(board))),
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
        _git_fact(run.provenance),
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
        Fact("not in the split file", f"{data.left_out} images" if data.left_out else ""),
        Fact("fingerprint", data.fingerprint),
        Fact("licence", data.licence or "not stated"),
        Fact("citation", data.citation),
        Fact("source", data.url, web_address(data.url)),
    ]
    return Panel(f"Data: {data.name}", tuple(fact for fact in facts if fact.value))


def _facts(name: str, values: Mapping[str, Any]) -> list[Fact]:
    return [Fact(name, _text(values))] if values else []


def _policy_first(split: Mapping[str, Any]) -> dict[str, Any]:
    """Undo the order of a stored record, which is the alphabet's."""
    return {key: split[key] for key in sorted(split, key=lambda key: key != "policy")}


def _machine_facts(provenance: Mapping[str, Any]) -> list[Fact]:
    """All of the record but versions and git, which have their own places."""
    own = {"versions", "git"}
    return [
        Fact(name.replace("_", " ").replace("memory gb", "memory, GB"), _text(value))
        for name, value in provenance.items()
        if name not in own
    ]


def _git_fact(provenance: Mapping[str, Any]) -> Fact:
    git = provenance.get("git") or {}
    commit = git.get("commit")
    if not commit:
        return Fact("git commit", "not run from a git checkout")
    state = "with uncommitted changes" if git.get("dirty") else "nothing uncommitted"
    return Fact("git commit", f"{commit} ({state})")


def _method_panels(run: RunRecord) -> list[Panel]:
    """Each method by its parts; an extractor that several methods share is told once."""
    extractors = {
        part["name"]: Fact(part["name"], _component(part))
        for method in run.methods.values()
        for part in [method.get("extractor")]
        if isinstance(part, Mapping) and "name" in part
    }
    told = [
        Panel(f"Method: {name}", tuple(_parts(method, extractors, run.maps)), of_method=True)
        for name, method in run.methods.items()
    ]
    return [Panel("Extractors", tuple(extractors.values())), *told]


def _parts(
    method: Mapping[str, Any], extractors: Mapping[str, Fact], maps: Mapping[str, Any]
) -> list[Fact]:
    """Each part in the order of the roles; map settings only where they are the method's own."""
    told = {role: part for role, part in method.items() if role != "maps" or part != maps}
    ordered = sorted(told, key=lambda role: _ROLES.index(role) if role in _ROLES else len(_ROLES))
    return [Fact(role, _part(told[role], extractors)) for role in ordered]


def _part(part: object, extractors: Mapping[str, Fact]) -> str:
    if not isinstance(part, Mapping):
        return _text(part)
    if part.get("name") in extractors:
        return str(part["name"])
    return _component(part) if "use" in part else _text(part)


def _component(part: Mapping[str, Any]) -> str:
    """`adharness-padim/padim: dims 100, epsilon 0.01`."""
    params = part.get("params") or {}
    told = ", ".join(f"{name} {_text(value)}" for name, value in params.items())
    return f"{part.get('use', '')}: {told}" if told else str(part.get("use", ""))


def _versions(board: Leaderboard) -> list[Fact]:
    """Each distribution with all its versions; several mean that stale cells are on the board."""
    versions: dict[str, set[str]] = {}
    stored = [entry.cell.versions for entry in board.rows]
    for found in [board.run.provenance.get("versions") or {}, *stored]:
        for name, version in found.items():
            versions.setdefault(name, set()).add(_text(version))
    return [
        Fact(name, ", ".join(sorted(found)) + (" (mixed)" if len(found) > 1 else ""))
        for name, found in sorted(versions.items())
    ]


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return ", ".join(
            f"{key}: ({_text(each)})" if isinstance(each, Mapping) else f"{key}: {_text(each)}"
            for key, each in value.items()
        )
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "none"
    return "none" if value is None else json.dumps(value, ensure_ascii=False, default=str)
