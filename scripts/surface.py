#!/usr/bin/env python3
"""Write down the public surface: what plugins may use, with signatures, a line each.

    python scripts/surface.py            prints it
    python scripts/surface.py --write    writes tests/architecture/public_surface.txt

A test compares the two, so that nobody changes a contract without noticing.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, fields, is_dataclass
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any, get_args

from pydantic_core import PydanticUndefined

import docs_api

ROOT = Path(__file__).resolve().parents[1]
STORED = ROOT / "tests" / "architecture" / "public_surface.txt"
MODULES = tuple(sorted(docs_api.MODULES))
"""The modules that plugins may import (docs/compatibility.md)."""
OF_DATA = (
    *("FOLDER", "MVTEC", "Draw", "FolderDataset", "FolderParams", "FolderSource", "Found"),
    *("ImageRule", "Manifest", "Reader", "RootParams", "Tree", "TreeLayout", "Wanted"),
    *("choose_classes", "hash_file", "hash_pixels", "image_size", "make_split", "read_image"),
    *("read_json", "read_mask"),
)
"""What is promised of `adharness.data`: the parts of readers; splits are the referee's."""


def surface() -> list[str]:
    """List every public name of every public module, sorted, under the version of the contracts."""
    import adharness

    lines = [line for module in MODULES for line in sorted(_lines_of(module))]
    return [f"contracts {adharness.CONTRACTS}", *lines]


def changes(stored: Sequence[str], found: Sequence[str]) -> list[str]:
    """List what is gone or new, and what to do about it; nothing where they are equal."""
    gone = [f"- {line}" for line in stored if line not in set(found)]
    new = [f"+ {line}" for line in found if line not in set(stored)]
    if not gone and not new:
        return []
    advice = "new names alone: raise the second number of adharness.CONTRACTS, once a release"
    if gone:
        advice = (
            "what is gone or changed may break plugins: keep the old name for one minor release "
            "(adharness/deprecation.py), and raise adharness.CONTRACTS (docs/compatibility.md)"
        )
    return [
        *(gone + new),
        f"{advice}; write changelog.d/<topic>.<type>.md; then `python scripts/surface.py --write`",
    ]


def _lines_of(module: str) -> Iterator[str]:
    home = import_module(module)
    for name in public_names(module):
        yield from _described(f"{module}.{name}", getattr(home, name))


def public_names(module: str) -> Sequence[str]:
    """List what a public module promises."""
    if module == "adharness.data":
        return OF_DATA
    return [public.name for public in docs_api.public_names(module)]


def _described(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, type):
        yield f"{name}: class of {', '.join(_bases(value)) or 'object'}{_order(value)}"
        yield from (f"{name}.{member}" for member in _members(value))
    elif isinstance(value, FunctionType):
        yield f"{name}{_signature(value)}"
    else:
        yield f"{name}: {_value(value)}"


def _bases(cls: type) -> list[str]:
    bases = (base.__name__ for base in cls.__mro__[1:] if base is not object)
    return [name for name in bases if name not in ("Generic",)]


def _order(cls: type) -> str:
    """Write the fields of a record in the order in which they are given."""
    given = [one for one in fields(cls) if one.init] if is_dataclass(cls) else []
    placed = [one.name for one in given if not one.kw_only]
    named = [one.name for one in given if one.kw_only]
    told = [*getattr(cls, "_fields", placed), *(["*"] if named else []), *named]
    return f" ({', '.join(told)})" if told else ""


def _members(cls: type) -> Iterator[str]:
    """Describe the fields and methods that a class has from this project."""
    ours = [part for part in reversed(cls.__mro__) if part.__module__.startswith("adharness")]
    found: dict[str, str] = {}
    for part in ours:
        methods = {name: _method(value) for name, value in vars(part).items()}
        found |= {name: text for name, text in methods.items() if text is not None}
        found |= {name: _field(part, name) for name in inspect.get_annotations(part)}
    yield from (
        f"{name}{text}"
        for name, text in sorted(found.items())
        if not name.startswith("_") or name == "__init__"
    )


def _field(cls: type, name: str) -> str:
    annotation = inspect.get_annotations(cls)[name]
    told = getattr(annotation, "__forward_arg__", annotation)  # as a NamedTuple has it
    known = getattr(cls, "__dataclass_fields__", {}) | getattr(cls, "model_fields", {})
    given = getattr(cls, "_field_defaults", vars(cls)).get(name, MISSING)
    return f": {told}{_default(known[name].default if name in known else given)}"


def _default(value: object) -> str:
    if value is None or isinstance(value, str | int | float | tuple):
        return f" = {value!r}"
    missing = value is MISSING or value is PydanticUndefined
    return "" if missing else " = ..."


def _method(value: object) -> str | None:
    if isinstance(value, property) and value.fget:
        returned = inspect.signature(value.fget).return_annotation
        return f" -> {returned}"
    plain = getattr(value, "__func__", value)
    if not isinstance(plain, FunctionType):
        return None
    written = plain.__module__.startswith("adharness") and plain.__code__.co_filename[0] != "<"
    return _signature(plain) if written else None  # else made by dataclass, or by Protocol


def _signature(function: Callable[..., object]) -> str:
    """Write a signature with its annotations as they stand in the source."""
    read = inspect.signature(function)
    parameters = []
    star = False
    for one in read.parameters.values():
        if one.kind is one.KEYWORD_ONLY and not star:
            star = True
            parameters.append("*")
        star = star or one.kind is one.VAR_POSITIONAL
        mark = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "")
        told = "" if one.annotation is one.empty else f": {one.annotation}"
        default = "" if one.default is one.empty else _default(one.default)
        parameters.append(f"{mark}{one.name}{told}{default}")
    returned = "" if read.return_annotation is read.empty else f" -> {read.return_annotation}"
    return f"({', '.join(parameters)}){returned}"


def _value(value: object) -> str:
    if isinstance(value, str | int | float | dict):
        return repr(value)
    return " | ".join(map(_name, get_args(value))) or type(value).__name__


def _name(part: object) -> str:
    """Name a part of an alias without the modules and quotes of its repr."""
    if isinstance(part, list):
        return f"[{', '.join(map(_name, part))}]"
    inner = f"[{', '.join(map(_name, get_args(part)))}]" if get_args(part) else ""
    return getattr(part, "__name__", repr(part)) + inner


def main(arguments: Sequence[str]) -> int:
    """Print the surface, or write it."""
    text = "\n".join(surface()) + "\n"
    if "--write" in arguments:
        STORED.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
