#!/usr/bin/env python3
"""Measure the shape of the code against docs' promise of readable functions and short files.

    python scripts/shape.py [ROOT]

Prints the size targets for `adharness/` and `plugins/*/src`, then what misses them; exit 1 if
anything does. A function's body is counted without its docstring; functions that are a docstring
only (the roles of a Protocol) are not counted.
"""

from __future__ import annotations

import ast
import math
import statistics
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

BODY_MEDIAN = 8
BODY_P90 = 25
BODY_MAX = 60
FILE_MAX = 260

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Function:
    """One function: where it is, how long its body is, and whether it is fully annotated."""

    place: str
    body: int
    annotated: bool


@dataclass(frozen=True)
class Target:
    """One promise: what was measured, the most it may be, and what misses it."""

    name: str
    value: float
    limit: float
    culprits: tuple[str, ...] = ()

    @property
    def met(self) -> bool:
        """Whether the value is within the limit."""
        return self.value <= self.limit


def source_files(root: Path) -> list[Path]:
    """Return the Python files of the core and of each plugin, sorted; tests are not among them."""
    core = (root / "adharness").rglob("*.py")
    plugins = (root / "plugins").glob("*/src/**/*.py")
    return sorted([*core, *plugins])


def functions_of(file: Path, root: Path) -> Iterator[Function]:
    """Yield each function of a file, nested ones included."""
    tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
    for node in ast.walk(tree):
        if isinstance(node, AnyFunction):
            place = f"{file.relative_to(root)}:{node.lineno} {node.name}"
            yield Function(place, body_lines(node), is_annotated(node))


def body_lines(node: AnyFunction) -> int:
    """Lines from the first statement after the docstring to the last; 0 if there is none."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    if not body:
        return 0
    return (body[-1].end_lineno or body[-1].lineno) - body[0].lineno + 1


def is_annotated(node: AnyFunction) -> bool:
    """Whether the result and every argument but `self` and `cls` have a type."""
    given = node.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    starred = [argument for argument in (given.vararg, given.kwarg) if argument]
    bare = [a.arg for a in [*named, *starred] if a.annotation is None]
    return node.returns is not None and set(bare) <= {"self", "cls"}


def percentile(values: Iterable[int], part: float) -> int:
    """Nearest-rank percentile; 0 of nothing."""
    ordered = sorted(values)
    return ordered[math.ceil(part * len(ordered)) - 1] if ordered else 0


def measure(root: Path) -> list[Target]:
    """Measure every target under a root."""
    files = source_files(root)
    functions = [function for file in files for function in functions_of(file, root)]
    bodies = [function.body for function in functions if function.body]
    long = [f for f in functions if f.body > BODY_MAX]
    loose = [f.place for f in functions if not f.annotated]
    lengths = {str(f.relative_to(root)): len(f.read_text().splitlines()) for f in files}
    large = [f"{name} ({lines} lines)" for name, lines in lengths.items() if lines > FILE_MAX]
    return [
        Target("body median, lines", statistics.median(bodies or [0]), BODY_MEDIAN),
        Target("body p90, lines", percentile(bodies, 0.9), BODY_P90),
        Target(
            "body max, lines",
            max(bodies, default=0),
            BODY_MAX,
            tuple(f"{f.place} ({f.body} lines)" for f in long),
        ),
        Target(f"files over {FILE_MAX} lines", len(large), 0, tuple(large)),
        Target("functions not fully annotated", len(loose), 0, tuple(loose)),
    ]


def main(arguments: list[str]) -> int:
    """Print the targets and what misses them; return the exit code."""
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    print(f"{len(source_files(root))} files under {root.resolve().name}/")
    targets = measure(root)
    for target in targets:
        mark = "ok  " if target.met else "MISS"
        print(f"{mark}  {target.name:<32}{target.value:>6g}   at most {target.limit:g}")
        for culprit in target.culprits:
            print(f"        {culprit}")
    return 0 if all(target.met for target in targets) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
