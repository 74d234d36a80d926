"""`adharness data doctor`: what kind of set this is, and what is wrong with it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from adharness.cli import exit_codes, render
from adharness.cli.installed import read_registry
from adharness.cli.run import FOLDER, environment_path
from adharness.cli.told import told_as
from adharness.contracts import Counts, DatasetSpec
from adharness.data.doctor import (
    ClassCounts,
    Diagnosis,
    Finding,
    Trial,
    examine_folder,
    examine_set,
    tally,
)
from adharness.suite.bind import Overrides

SHOWN = 20
"""Rows of one check that are printed; `--json` has all."""


@click.command()
@click.argument("subject", metavar="PATH|NAME")
@click.option("--use", metavar="NAME", help="The reader to take; otherwise all are asked.")
@click.option("--data-root", type=FOLDER, help="Folder of the data sets; beats ADHARNESS_DATA.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.pass_context
def doctor(
    ctx: click.Context,
    subject: str,
    use: str | None,
    data_root: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Examine a data set: PATH is its folder, NAME one of `adharness data list`.

    Every image and mask is decoded once. Exit code 1 if there is an error, else 0. A folder that
    is called like a data set is written ./NAME.
    """
    with told_as({"images": "examine", "pairs": "compare"}, subject, quiet=quiet):
        found = _examine(subject, use, data_root)
    if as_json:
        render.print_json(as_data(found))
    else:
        _print(found)
    ctx.exit(exit_codes.SET_BROKEN if found.broken else exit_codes.FINE)


def _examine(subject: str, use: str | None, data_root: Path | None) -> Diagnosis:
    registry = read_registry()
    specs = [c.spec for c in registry.of_kind("dataset") if isinstance(c.spec, DatasetSpec)]
    named = any(subject in (c.name, c.qualified) for c in registry.of_kind("dataset"))
    looks_like_a_path = Path(subject).exists() or os.sep in subject
    if use is None and (named or not looks_like_a_path):
        spec = registry.find("dataset", subject).spec
        assert isinstance(spec, DatasetSpec)  # noqa: S101  a component of this kind
        overrides = Overrides(data_root, environment_path("ADHARNESS_DATA"))
        return examine_set(spec, overrides.dataset_root(spec.name))
    return examine_folder(Path(subject).expanduser(), specs, use=use)


def as_data(found: Diagnosis) -> dict[str, Any]:
    """Give the diagnosis as JSON values: schema 1, a promise to scripts."""
    return {
        "schema": 1,
        "subject": found.subject,
        "reader": found.reader.name if found.reader else None,
        "readers": [_trial(trial) for trial in found.trials],
        "files": found.images,
        "classes": [_class(each) for each in found.classes],
        "findings": [_finding(finding) for finding in found.findings],
        "summary": dict(tally(found.findings)),
    }


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "name": trial.spec.name,
        "reads": trial.images is not None,
        "images": trial.images,
        "refusal": trial.refusal or None,
    }


def _class(each: ClassCounts) -> dict[str, Any]:
    return {
        "name": each.name,
        **each.found._asdict(),
        "masks": each.masks,
        "expected": each.expected._asdict() if each.expected else None,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "severity": finding.severity,
        "check": finding.check,
        "path": finding.path,
        "message": finding.message,
        "cure": finding.cure,
        "also": list(finding.also),
    }


def _print(found: Diagnosis) -> None:
    name = found.reader.name if found.reader else None
    said = f"{found.subject}: " + (f"read by {name!r}" if name else "no installed reader reads it")
    render.print_line(said, style="bold")
    for line in _of_readers(found.trials, name):
        render.print_line(line)
    columns = ("class", *(kind.replace("_", " ") for kind in Counts._fields), "masks", "published")
    render.print_table(columns, [_class_row(each) for each in found.classes], empty="")
    if found.findings:
        render.print_table(("", "check", "where", "what", "do"), _finding_rows(found.findings))
    render.print_line(_summary(found))


def _of_readers(trials: Iterable[Trial], chosen: str | None) -> Iterator[str]:
    reading = [t.spec.name for t in trials if t.images is not None and t.spec.name != chosen]
    if reading:
        yield f"  can be read as {', '.join(reading)} too"
    for trial in trials:
        if trial.spec.name == chosen and trial.images is None and trial.refusal:
            yield f"  a run would stop: {trial.refusal}"


def _class_row(each: ClassCounts) -> render.Row:
    right = each.expected is None or each.expected == each.found
    published = "-" if each.expected is None else "as found" if right else str(tuple(each.expected))
    return render.Row((each.name, *map(str, each.found), str(each.masks), published), bad=not right)


def _finding_rows(findings: Sequence[Finding]) -> Iterator[render.Row]:
    printed: Counter[str] = Counter()
    every = Counter(finding.check for finding in findings)
    for finding in findings:
        printed[finding.check] += 1
        bad = finding.severity == "error"
        if printed[finding.check] <= SHOWN:
            where = "\n".join((finding.path or ".", *finding.also[:3]))
            cells = (finding.severity, finding.check, where, finding.message, finding.cure)
            yield render.Row(cells, bad=bad)
        elif printed[finding.check] == SHOWN + 1:
            more = f"and {every[finding.check] - SHOWN} more; --json lists them"
            yield render.Row((finding.severity, finding.check, "...", more, ""), bad=bad)


def _summary(found: Diagnosis) -> str:
    counts = tally(found.findings)
    if not any(counts.values()):
        return f"healthy: {found.images:,} pictures looked at, nothing found"
    parts = [f"{n} {severity}{'s' if n != 1 else ''}" for severity, n in counts.items() if n]
    return f"{', '.join(parts)}; {found.images:,} pictures looked at"
