"""Markdown of what the code itself says: components, the suite's keys, records, plugins."""

from __future__ import annotations

import dataclasses
import inspect
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from numpydoc.docscrape import NumpyDocString
from pydantic import BaseModel, TypeAdapter

from adharness.cli.components import needs
from adharness.cli.parameters import describe
from adharness.contracts import specs
from adharness.registry import Component, discover
from adharness.suite.schema import Document, Reference
from docs_links import ROOT

KINDS = {
    "dataset": "Data sets",
    "extractor": "Extractors",
    "bank": "Banks",
    "scorer": "Scorers",
    "normalizer": "Normalizers",
    "thresholder": "Thresholders",
}


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table; line ends and bars inside cells are taken care of."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str) -> str:
    """Mark as code, unless there is nothing."""
    return f"`{text}`" if text else ""


def components() -> str:
    """Every installed component of a plugin of this repository, by kind, with its parameters."""
    own = {plugin.name for plugin in _plugins()} | {"adharness"}
    parts = []
    for kind, heading in KINDS.items():
        listed = [c for c in discover().of_kind(kind) if c.distribution in own]
        parts += [f"## {heading}", *map(_component, listed)]
    return "\n\n".join(parts)


def _component(component: Component) -> str:
    spec = component.spec
    rows = [
        (code(p["name"]), code(p["type"]), code(p["default"]), p["description"])
        for p in describe(spec.params)
    ]
    about = ", ".join(filter(None, (f"From `{component.distribution}`", needs(component))))
    parts = [
        f"### {spec.kind} `{spec.name}`",
        spec.summary,
        f"{about}." + (f" Source: {spec.source}." if spec.source else ""),
        table(("parameter", "type", "default", "meaning"), rows) if rows else "No parameters.",
    ]
    return "\n\n".join(parts)


def plugins() -> str:
    """List the distributions in `plugins/`: what each is for, and what it has."""
    found = discover().components
    rows = []
    for folder in _plugins():
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        has = [f"{c.kind} `{c.spec.name}`" for c in found if c.distribution == folder.name]
        link = f"[{folder.name}](plugins/{folder.name}.md)"
        rows.append((link, project["description"], ", ".join(has)))
    return "\n\n".join(
        (
            table(("distribution", "is", "components"), rows),
            _toctree(f"plugins/{folder.name}" for folder in _plugins()),
        )
    )


def _toctree(pages: Iterable[str]) -> str:
    return "\n".join(("```{toctree}", ":hidden:", "", *pages, "```"))


def _plugins() -> list[Path]:
    return sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml"))


def record(name: str) -> str:
    """List the fields of a record that a hook yields, those of every record first."""
    spec: type[specs.AnySpec] = getattr(specs, name)
    told = described_fields(spec)
    rows = [
        (code(field.name), code(str(field.type)), _default(field), told.get(field.name, ""))
        for field in dataclasses.fields(spec)
    ]
    return table(("field", "type", "default", "meaning"), rows)


def described_fields(spec: type) -> dict[str, str]:
    """Read what the docstrings of a class and of its parents say of each field."""
    told: dict[str, str] = {}
    for each in reversed(spec.__mro__):
        for parameter in NumpyDocString(inspect.cleandoc(each.__doc__ or ""))["Parameters"]:
            told |= dict.fromkeys(parameter.name.split(", "), " ".join(parameter.desc))
    return told


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default_factory is not dataclasses.MISSING:
        return code(repr(field.default_factory()))
    if field.default is dataclasses.MISSING:
        return "required"
    return "see there" if callable(field.default) else code(_plain(repr(field.default)))


def _plain(written: str) -> str:
    """Write a read-only mapping as the dict that one would type."""
    return re.sub(r"mappingproxy\((.*?)\)", r"\1", written)


def suite_keys() -> str:
    """Write every key of a suite file, a section for each mapping, in the order of the file."""
    sections = suite_sections()
    places = {model: heading for heading, model in sections}
    return "\n\n".join(_section(heading, model, places) for heading, model in sections)


def suite_sections() -> list[tuple[str, type[BaseModel]]]:
    """List the models that a suite is made of, each under the key where it is first met."""
    found: dict[type[BaseModel], str] = {}
    _collect(Document, "", found)
    titles = {Document: "The whole file", Reference: "A component"}
    return [(titles.get(model, code(place)), model) for model, place in found.items()]


def _collect(model: type[BaseModel], place: str, found: dict[type[BaseModel], str]) -> None:
    if model in found:
        return
    found[model] = place
    for name, info in model.model_fields.items():
        for inner in models_in(info.annotation):
            _collect(inner, f"{place}.{name}" if place else name, found)


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """List the models inside a type such as `tuple[Method, ...] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return list(dict.fromkeys(m for inner in get_args(annotation) for m in models_in(inner)))


def _section(heading: str, model: type[BaseModel], places: Mapping[Any, str]) -> str:
    told = described_fields(model)
    rows = [
        (code(key), _linked(p, model, places), _in_yaml(model, p), told.get(p["name"], ""))
        for key, p in _keys(model)
    ]
    told_any = any(row[-1] for row in rows)
    columns = ("key", "type", "default", "meaning")[: 4 if told_any else 3]
    return f"## {heading}\n\n{_prose(model)}\n\n" + table(
        columns, [row[: len(columns)] for row in rows]
    )


def _keys(model: type[BaseModel]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each key as it is written in the file, and what is known of it."""
    for described in describe(model):
        yield model.model_fields[described["name"]].alias or described["name"], described


def _prose(model: type) -> str:
    """Give what the docstring says, without the list of fields."""
    parsed = NumpyDocString(inspect.cleandoc(model.__doc__ or ""))
    return "\n".join([*parsed["Summary"], "", *parsed["Extended Summary"]])


def _linked(described: Mapping[str, str], model: type[BaseModel], places: Mapping[Any, str]) -> str:
    """Write a type, with a link to each mapping that may stand there."""
    written = described["type"]
    inner = models_in(model.model_fields[described["name"]].annotation)
    for each in inner:
        written = re.sub(rf"\b{each.__name__}\b", "mapping", written)
    links = [f"[{places[m].strip('`')}](#{anchor(places[m])})" for m in inner]
    return " ".join([code(_as_yaml_says(written)), *links])


def _as_yaml_says(written: str) -> str:
    """Say a type of Python in the words of YAML.

    >>> _as_yaml_says("tuple[int >= 0, ...] | None")
    'list of int >= 0, or null'
    """
    written = re.sub(r"tuple\[(.*), \.\.\.\]", r"list of \1", written)
    written = re.sub(r"dict\[str, Any\]", "mapping", written)
    written = re.sub(r"dict\[str, (.+)\]", r"mapping of name to \1", written)
    return written.replace(" | None", ", or null").replace("4.29497e+09", "2^32")


def anchor(heading: str) -> str:
    """Name the anchor that a heading gets."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def _in_yaml(model: type[BaseModel], described: Mapping[str, str]) -> str:
    """Write a default as one would type it; a mapping with defaults of its own is left out."""
    info = model.model_fields[described["name"]]
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, BaseModel):
        return "its defaults"
    plain = TypeAdapter(Any).dump_python(value, mode="json", exclude_defaults=True)
    typed = yaml.safe_dump(plain, default_flow_style=True, width=10**6)
    return code(typed.removesuffix("...\n").strip())


def decisions() -> str:
    """List the architecture records."""
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))
    return "\n".join(("```{toctree}", *(f"adr/{page.stem}" for page in pages), "```"))
