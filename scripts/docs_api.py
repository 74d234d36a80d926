"""The reference of the public names, grouped by the module that each is defined in.

A name that somebody adds to `adharness.__all__`, or to a module that plugins may import, is in
the reference by itself; a test asks that it has a docstring.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType

MODULES = (
    "adharness",
    "adharness.testing",
    "adharness.sampling",
    "adharness.data",
    "adharness.arrays",
    "adharness.progress",
    "adharness.threads",
)
"""What a plugin may import; `layers.plugin_breaks` refuses all else."""


@dataclass(frozen=True)
class Public:
    """A public name: where it is imported from, and the module that defines it."""

    module: str
    name: str
    home: str

    @property
    def path(self) -> str:
        """What one writes: `adharness.Bag`."""
        return f"{self.module}.{self.name}"

    @property
    def value(self) -> object:
        """What it stands for."""
        return getattr(import_module(self.module), self.name)

    @property
    def is_data(self) -> bool:
        """Whether it is neither a class nor a function: a type alias, or a constant."""
        return not (inspect.isclass(self.value) or inspect.isroutine(self.value))

    @property
    def docstring(self) -> str:
        """Its docstring, or that which stands below its assignment."""
        if not self.is_data:
            return inspect.getdoc(self.value) or ""
        return assignments(self.home)[self.name].docstring


@dataclass(frozen=True)
class Assignment:
    """A name that a module assigns: the expression, and the string that stands below it."""

    expression: str
    docstring: str


def public_names(module: str) -> list[Public]:
    """List the public names of a module, in the order of their homes and of `__all__`."""
    found = import_module(module)
    names = getattr(found, "__all__", None) or list(_defined_in(found))
    return [Public(module, name, _home(found, name)) for name in names]


def _defined_in(module: ModuleType) -> Iterator[str]:
    for name, value in vars(module).items():
        own = getattr(value, "__module__", None) == module.__name__
        if not name.startswith("_") and (own or name in assignments(module.__name__)):
            yield name


def _home(module: ModuleType, name: str) -> str:
    """Name the module that defines a name: that of its own, or the one that assigns it."""
    value = getattr(module, name)
    if inspect.isclass(value) or inspect.isroutine(value):
        return str(value.__module__)
    loaded = {n: m for n, m in sorted(sys.modules.items()) if n.startswith("adharness.")}
    having = (n for n, m in loaded.items() if getattr(m, name, None) is value)
    return next((n for n in having if name in assignments(n)), module.__name__)


@cache
def assignments(module: str) -> dict[str, Assignment]:
    """Read what a module assigns at its top level."""
    body = ast.parse(inspect.getsource(import_module(module))).body
    found = {}
    for node, below in zip(body, [*body[1:], ast.Pass()], strict=True):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            found[ast.unparse(target)] = Assignment(ast.unparse(node.value), _string(below))
    return found


def _string(node: ast.stmt) -> str:
    """Give the text of a statement that is nothing but a string."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return node.value.value.strip() if isinstance(node.value.value, str) else ""
    return ""


def api(module: str) -> str:
    """Write the reference of a module: a section for each module that its names come from."""
    homes: dict[str, list[Public]] = {}
    for public in public_names(module):
        homes.setdefault(public.home, []).append(public)
    return "\n\n".join(_section(home, names) for home, names in homes.items())


def _section(home: str, names: list[Public]) -> str:
    title = (inspect.getdoc(import_module(home)) or home).splitlines()[0].rstrip(".")
    body = "\n\n".join(directive(public) for public in names)
    return f"### {title}\n\n```{{eval-rst}}\n{body}\n```"


def directive(public: Public) -> str:
    """Write the directive that documents a name."""
    if public.is_data:
        value = " ".join(assignments(public.home)[public.name].expression.split())
        lines = [f":value: {value}", "", *public.docstring.splitlines()]
        return "\n".join([f".. py:data:: {public.path}", *(f"   {line}" for line in lines)])
    if inspect.isclass(public.value):
        return f".. autoclass:: {public.path}\n   :members:"
    return f".. autofunction:: {public.path}"
