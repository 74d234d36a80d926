"""Read the import statements of Python files, as text: nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Import:
    """One name taken from one module, with where and how."""

    importer: str  # dotted name of the module that imports
    module: str  # dotted, absolute
    name: str | None  # None for `import module`
    line: int
    in_function: bool


def dotted_name(file: Path, top: Path) -> str:
    """Name the module that a file below `top` is."""
    parts = file.relative_to(top).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def read_imports(file: Path, top: Path) -> list[Import]:
    """List every import of a file: at the top, in functions, and under TYPE_CHECKING."""
    importer = dotted_name(file, top)
    package = importer if file.name == "__init__.py" else importer.rpartition(".")[0]
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return list(_walk(tree, importer, package, in_function=False))


def _walk(node: ast.AST, importer: str, package: str, *, in_function: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(importer, alias.name, None, node.lineno, in_function)
    elif isinstance(node, ast.ImportFrom):
        module = _absolute(node, package)
        for alias in node.names:
            yield Import(importer, module, alias.name, node.lineno, in_function)
    inside = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, importer, package, in_function=inside)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])
