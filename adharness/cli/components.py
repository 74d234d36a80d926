"""`adharness components`: what a suite may write after `use:`, with its parameters."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import click

from adharness.cli import render
from adharness.cli.installed import read_registry
from adharness.cli.parameters import describe
from adharness.contracts import (
    BankSpec,
    ClassNeed,
    ExtractorSpec,
    NormalizerSpec,
    ScorerSpec,
    ThresholderSpec,
)
from adharness.registry import Component, Registry
from adharness.registry.records import KINDS
from adharness.suggest import nearest


class Kind(click.Choice[str]):
    """One of the six kinds; the plural is understood."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Take `scorers` for `scorer`."""
        singular = value[:-1] if isinstance(value, str) and value[:-1] in KINDS else value
        return super().convert(singular, param, ctx)

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Say which there are, and which was probably meant."""
        said = super().get_invalid_choice_message(value, ctx).rstrip(".")
        meant = nearest(str(value), KINDS)
        return f"{said}; did you mean '{meant}'?" if meant else said


@click.command()
@click.argument("kind", type=Kind(KINDS), required=False)
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--verbose", is_flag=True, help="Show the parameters of each component.")
def components(kind: str | None, name: str | None, *, as_json: bool, verbose: bool) -> None:
    """List what a suite may write after `use:`. With a NAME, show its parameters.

    KIND is dataset, extractor, bank, scorer, normalizer or thresholder.
    """
    registry = read_registry()
    chosen = _choose(registry, kind, name)
    if as_json:
        listed = [_as_json(component) for component in chosen]
        render.print_json({"schema": 1, "components": listed})
    elif verbose or name:
        for component in chosen:
            _print_in_full(component)
    else:
        _print_table(registry, chosen)


def _choose(registry: Registry, kind: str | None, name: str | None) -> list[Component]:
    if kind and name:
        return [registry.find(kind, name)]
    kinds = [kind] if kind else KINDS
    return [component for each in kinds for component in registry.of_kind(each)]


def _print_table(registry: Registry, chosen: list[Component]) -> None:
    unclear = {component for group in registry.ambiguous() for component in group}
    rows = [
        render.Row(
            (
                component.qualified if component in unclear else component.name,
                component.kind,
                component.distribution,
                needs(component),
                component.spec.summary,
            )
        )
        for component in chosen
    ]
    columns = ("name", "kind", "distribution", "needs/emits", "summary")
    render.print_table(columns, rows, empty="no component of this kind is installed")


def _facts(component: Component) -> dict[str, Any]:
    """Return what decides whether a suite may combine it: the memory, the class, the labels."""
    spec = component.spec
    if isinstance(spec, ExtractorSpec):
        return {"gives": spec.gives}
    if isinstance(spec, BankSpec):
        return {"emits": spec.emits}
    if isinstance(spec, ScorerSpec):
        return {"needs": list(spec.accepts), "deterministic": spec.deterministic}
    if isinstance(spec, NormalizerSpec):
        return {"needs_class": _class_need(spec)}
    if isinstance(spec, ThresholderSpec):
        return {
            "needs_labels": spec.needs_labels,
            "levels": list(spec.levels),
            "batch": spec.batch,
        }
    return {}


_CLASS_NEEDS = {"at-fit": "needs the class at fit", "always": "needs the class"}


def _class_need(spec: NormalizerSpec) -> ClassNeed | None:
    """Say what it needs with its default parameters; None where one of them has no default."""
    required = any(field.is_required() for field in spec.params.model_fields.values())
    return None if required else spec.needs_class(spec.params())


_PIXELS = MappingProxyType({("pixel",): "of pixels", ("image", "pixel"): "also of pixels"})


def needs(component: Component) -> str:
    """Say what decides whether a suite may combine it, as the table of components does."""
    facts = _facts(component)
    said = [
        "gives pixels" if facts.get("gives") == "pixels" else "",
        f"emits {facts['emits']}" if "emits" in facts else "",
        f"needs {' or '.join(facts['needs'])}" if "needs" in facts else "",
        _CLASS_NEEDS.get(facts.get("needs_class", ""), ""),
        "needs labels" if facts.get("needs_labels") else "",
        _PIXELS.get(tuple(facts.get("levels", ())), ""),
        "over a batch" if facts.get("batch") else "",
    ]
    return ", ".join(filter(None, said))


def _print_in_full(component: Component) -> None:
    spec = component.spec
    about = filter(None, (spec.kind, component.distribution, needs(component)))
    render.print_line(f"{spec.name}  ({', '.join(about)})", style="bold")
    render.print_line(f"  {spec.summary}")
    if spec.source:
        render.print_line(f"  source: {spec.source}")
    rows = [render.Row(("  " + p["name"], *list(p.values())[1:])) for p in describe(spec.params)]
    columns = ("  parameter", "type", "default", "description")
    render.print_table(columns, rows, empty="  no parameters")
    render.print_line("")


def _as_json(component: Component) -> dict[str, Any]:
    spec = component.spec
    return {
        "name": spec.name,
        "qualified": component.qualified,
        "kind": spec.kind,
        "distribution": component.distribution,
        "version": component.version,
        **_facts(component),
        "summary": spec.summary,
        "source": spec.source,
        "parameters": describe(spec.params),
    }
