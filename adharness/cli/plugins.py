"""`adharness plugins`: what is installed, and what is broken about it."""

from __future__ import annotations

from typing import Any

import click

from adharness.cli import exit_codes, render
from adharness.cli.installed import read_registry
from adharness.registry import Distribution, Problem, Registry
from adharness.registry.selection import VARIABLE
from adharness.registry.versions import CORE


@click.command()
@click.option("--strict", is_flag=True, help="Exit with 3 if a plugin has a problem.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--verbose", is_flag=True, help="Show the traceback of each problem.")
@click.pass_context
def plugins(ctx: click.Context, *, strict: bool, as_json: bool, verbose: bool) -> None:
    """List the installed plugins and their problems.

    With ADHARNESS_PLUGINS=a,b set, every command loads these only, and the core's own.
    """
    registry = read_registry()
    if as_json:
        render.print_json(_as_json(registry))
    else:
        _print(registry, verbose=verbose)
    failed = strict and registry.problems
    ctx.exit(exit_codes.PLUGIN_PROBLEM if failed else exit_codes.FINE)


def _print(registry: Registry, *, verbose: bool) -> None:
    rows = [_row(registry, distribution) for distribution in registry.distributions]
    columns = ("distribution", "version", "components", "hooks", "state")
    render.print_table(columns, rows, empty="no plugin is installed")
    for problem in registry.problems:
        _print_problem(problem, verbose=verbose)
    for note in (*_unbounded(registry), *_left_out(registry)):
        render.print_line(note)
    for group in registry.ambiguous():
        names = " or ".join(component.qualified for component in group)
        render.print_line(
            f"note: {group[0].kind} {group[0].name!r} has more than one home; write {names}"
        )


def _unbounded(registry: Registry) -> list[str]:
    """Note plugins that will be loaded under any version, also one that breaks them."""
    names = [d.name for d in registry.distributions if not d.requires and d.name != CORE]
    said = "does not say which versions of adharness it works with, and loads with any"
    return [f"note: {name} {said}: see docs/compatibility.md" for name in names]


def _left_out(registry: Registry) -> list[str]:
    if registry.only is None:
        return []
    theirs = [d for d in registry.distributions if d.name != CORE]
    every = sum(len(d.entry_points) for d in theirs)
    loaded = every - sum(len(d.left_out) for d in theirs)
    asked = ",".join(registry.only) or repr("")
    return [f"note: {loaded} of {every} plugins loaded: {VARIABLE}={asked}"]


def _row(registry: Registry, distribution: Distribution) -> render.Row:
    count = len(_problems_of(registry, distribution))
    cells = (
        distribution.name,
        distribution.version,
        ", ".join(f"{kind} {name}" for kind, name in _components_of(registry, distribution)) or "-",
        ", ".join(hook.removeprefix("adharness_") for hook in distribution.hooks) or "-",
        _state(distribution, count),
    )
    return render.Row(cells, bad=bool(count))


def _state(distribution: Distribution, problems: int) -> str:
    if problems:
        return f"{problems} problem{'s' if problems > 1 else ''}"
    if len(distribution.left_out) == len(distribution.entry_points):
        return "left out"
    return f"ok, without {', '.join(distribution.left_out)}" if distribution.left_out else "ok"


def _print_problem(problem: Problem, *, verbose: bool) -> None:
    plugin = f"{problem.distribution} {problem.version}".strip()
    entry = f" ({problem.entry_point})" if problem.entry_point else ""
    said = f"problem: {plugin}{entry}, at {problem.stage}: {problem.message}"
    render.print_line(said, style="red")
    if problem.hint:
        render.print_line(f"hint: {problem.hint}")
    if verbose and problem.traceback:
        render.print_line(problem.traceback.rstrip())


def _problems_of(registry: Registry, distribution: Distribution) -> list[Problem]:
    return [p for p in registry.problems if p.distribution == distribution.name]


def _components_of(registry: Registry, distribution: Distribution) -> list[tuple[str, str]]:
    return [
        (component.kind, component.name)
        for component in registry.components
        if component.distribution == distribution.name
    ]


def _as_json(registry: Registry) -> dict[str, Any]:
    listed = [_distribution_json(registry, d) for d in registry.distributions]
    return {
        "schema": 1,
        "only": None if registry.only is None else list(registry.only),
        "distributions": listed,
        "problems": [_problem_json(problem) for problem in registry.problems],
        "ambiguous": [[c.qualified for c in group] for group in registry.ambiguous()],
    }


def _distribution_json(registry: Registry, distribution: Distribution) -> dict[str, Any]:
    pairs = _components_of(registry, distribution)
    return {
        "name": distribution.name,
        "version": distribution.version,
        "entry_points": list(distribution.entry_points),
        "requires": distribution.requires,
        "left_out": list(distribution.left_out),
        "hooks": list(distribution.hooks),
        "components": [{"kind": kind, "name": name} for kind, name in pairs],
        "problems": len(_problems_of(registry, distribution)),
    }


def _problem_json(problem: Problem) -> dict[str, Any]:
    return {
        "distribution": problem.distribution,
        "version": problem.version,
        "entry_point": problem.entry_point,
        "stage": problem.stage,
        "message": problem.message,
        "hint": problem.hint,
        "traceback": problem.traceback,
        "claims": [{"kind": kind, "name": name} for kind, name in problem.claims],
    }
