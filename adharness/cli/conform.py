"""`adharness conform`: whether installed components keep their contracts."""

from __future__ import annotations

import faulthandler
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any

import click
import yaml
from pydantic import ValidationError

from adharness.cli import exit_codes, render
from adharness.cli.components import Kind
from adharness.cli.installed import read_registry
from adharness.errors import AdharnessError, PluginError, SuiteError, refusals
from adharness.registry import Component, Registry
from adharness.registry.records import KINDS
from adharness.suggest import nearest

if TYPE_CHECKING:
    from adharness.testing import Outcome, Report

SHORT = 200
COLUMNS = ("component", "kind", "passed", "failed", "exempt", "skipped", "seconds")


@click.command()
@click.argument("name", required=False)
@click.option("--kind", type=Kind(KINDS), help="Only components of this kind.")
@click.option("--params", help="Parameters to try NAME with, as YAML: '{k: 3}'.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--verbose", is_flag=True, help="Show the traceback of each failure.")
@click.pass_context
def conform(
    ctx: click.Context,
    name: str | None,
    kind: str | None,
    *,
    params: str | None,
    as_json: bool,
    verbose: bool,
) -> None:
    """Try the promises of docs/contracts.md on the component NAME, or on all that are installed.

    On small made-up worlds: no data, no GPU, no network. Exit 1 if one is broken.
    """
    faulthandler.enable()  # a component that takes the process along is at least named
    chosen = _choose(read_registry(), name, kind)
    example = _example(params, chosen) if params is not None else None
    with _one_thread():
        reports = [_tried(component, example) for component in chosen]
    if as_json:
        render.print_json(_as_json(chosen, reports))
    else:
        _print(chosen, reports, in_full=name is not None, verbose=verbose)
    kept = all(report.conforms for report in reports)
    ctx.exit(exit_codes.FINE if kept else exit_codes.NOT_CONFORMING)


def _choose(registry: Registry, name: str | None, kind: str | None) -> list[Component]:
    kinds = (kind,) if kind else KINDS
    offered = [component for each in kinds for component in registry.of_kind(each)]
    if name is None:
        return offered
    found = [c for c in offered if name in (c.name, c.qualified)]
    return found or [_missing(registry, name, kinds)]


def _missing(registry: Registry, name: str, kinds: Sequence[str]) -> Component:
    """Raise what says best why there is no such component."""
    if len(kinds) == 1:
        return registry.find(kinds[0], name)
    for kind in kinds:
        try:
            return registry.find(kind, name)
        except PluginError:
            raise
        except AdharnessError:
            continue
    meant = nearest(name, [component.name for component in registry.components])
    hint = f"did you mean '{meant}'?" if meant else "adharness components lists them"
    raise SuiteError(f"no installed component is called {name!r}", hint=hint)


def _example(text: str, chosen: Sequence[Component]) -> Mapping[str, Any]:
    """Read `--params`, and validate them for each component before anything is tried."""
    try:
        given = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SuiteError(f"--params is no YAML: {error}", hint="--params '{k: 3}'") from error
    if not isinstance(given, dict):
        said = f"--params is {text!r}, expected a mapping"
        raise SuiteError(said, hint="write it as --params '{k: 3}'")
    for component in chosen:
        try:
            component.spec.params(**given)
        except ValidationError as error:
            told = "; ".join(refusals(error))
            hint = f"adharness components {component.kind} {component.name}"
            raise SuiteError(f"--params of '{component.name}': {told}", hint=hint) from error
    return given


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let libraries use one thread: what is tried is too small to share between cores."""
    from threadpoolctl import threadpool_limits

    os.environ.setdefault("OMP_NUM_THREADS", "1")  # for those that are still to be loaded
    with threadpool_limits(1):
        yield


def _tried(component: Component, example: Mapping[str, Any] | None) -> Report:
    from adharness.testing import conform as tried

    render.print_progress(f"trying {component.kind} {component.name} ...")
    with redirect_stdout(sys.stderr):  # what it prints is reported, and must not break `--json`
        return tried(component.spec, None if example is None else [example])


def _print(
    chosen: Sequence[Component], reports: Sequence[Report], *, in_full: bool, verbose: bool
) -> None:
    if in_full:
        for component, report in zip(chosen, reports, strict=True):
            render.print_line(f"{component.kind} {component.qualified}", style="bold")
            lines = [_line(outcome) for outcome in report.outcomes]
            render.print_table(("clause", "check", "with", "outcome"), lines, empty="no check")
    else:
        rows = [_summary(c, r) for c, r in zip(chosen, reports, strict=True)]
        render.print_table(COLUMNS, rows, empty="no component is installed")
    for component, report in zip(chosen, reports, strict=True):
        _print_flaws(component, report, skips=not in_full, verbose=verbose)
    count = sum(report.conforms for report in reports)
    from adharness import CONTRACTS

    render.print_line(f"{count} of {len(reports)} keep contracts {CONTRACTS}")


def _line(outcome: Outcome) -> render.Row:
    said = f": {_first(outcome.reason)}" if outcome.reason else ""
    cells = (outcome.clause, outcome.check, outcome.label or "-", outcome.status + said)
    return render.Row(cells, bad=outcome.status == "failed")


def _first(reason: str) -> str:
    line = reason.strip().partition("\n")[0]
    return line if len(line) <= SHORT else line[:SHORT] + " ..."


def _summary(component: Component, report: Report) -> render.Row:
    counts = report.counts
    cells = (
        component.qualified,
        component.kind,
        *(str(counts[status]) for status in ("passed", "failed", "exempt", "skipped")),
        f"{sum(outcome.seconds for outcome in report.outcomes):.1f}",
    )
    return render.Row(cells, bad=not report.conforms)


def _print_flaws(component: Component, report: Report, *, skips: bool, verbose: bool) -> None:
    for outcome in report.outcomes:
        if outcome.status == "failed":
            label = f" [{outcome.label}]" if outcome.label else ""
            said = f"{outcome.clause} {outcome.check}{label}: {outcome.reason.strip()}"
            render.print_line(f"failed: {component.name}: {said}", style="red")
            render.print_line(f"        promised: {outcome.states}")
            if verbose and outcome.traceback:
                render.print_line(outcome.traceback)
    for name in report.needless:
        said = f"'{component.name}' is exempt from '{name}', which nothing needed"
        render.print_line(f"failed: {said}: misspelt, or mended since", style="red")
    if skips:
        for reason in dict.fromkeys(o.reason for o in report.outcomes if o.status == "skipped"):
            render.print_line(f"skipped: {component.name}: {_first(reason)}")


def _as_json(chosen: Sequence[Component], reports: Sequence[Report]) -> dict[str, Any]:
    from dataclasses import asdict

    from adharness import CONTRACTS, __version__

    listed = [
        {
            "name": component.name,
            "qualified": component.qualified,
            "kind": component.kind,
            "version": component.version,
            "conforms": report.conforms,
            "needless_exemptions": list(report.needless),
            "outcomes": [asdict(outcome) for outcome in report.outcomes],
        }
        for component, report in zip(chosen, reports, strict=True)
    ]
    versions = {"adharness": __version__, "contracts": CONTRACTS}
    return {"schema": 1, **versions, "components": listed}
