"""What a plugin's package holds: its files, each from a template."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from jinja2 import Environment, PackageLoader, StrictUndefined

from adharness import __version__
from adharness.errors import PluginError
from adharness.registry.records import KINDS
from adharness.scaffold.naming import PluginName
from adharness.suggest import closest

FILES: Mapping[str, str] = MappingProxyType(
    {
        "pyproject.toml": "every/pyproject.toml.j2",
        "README.md": "every/README.md.j2",
        ".gitignore": "every/gitignore.j2",
        ".github/workflows/tests.yml": "every/tests.yml.j2",
        "suite.yaml": "{kind}/suite.yaml.j2",
        "src/{package}/__init__.py": "{kind}/record.py.j2",
        "src/{package}/{kind}.py": "{kind}/{kind}.py.j2",
        "src/{package}/py.typed": "every/py.typed.j2",
        "tests/test_conformance.py": "every/test_conformance.py.j2",
        "tests/test_{kind}.py": "{kind}/test_{kind}.py.j2",
    }
)
"""File -> its template."""

SUITE_NEEDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        kind: (
            *(("adharness-mahalanobis",) if kind != "scorer" else ()),
            *("adharness-normalizers", "adharness-thresholds"),
        )
        for kind in KINDS
    }
)
"""The plugins of this project that a kind's `suite.yaml` takes components from."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin to be written.

    Parameters
    ----------
    name
        Of its component.
    kind
        One of the six, such as `scorer`.
    author
        For `pyproject.toml`; nobody is named there by default.

    Raises
    ------
    PluginError
        There is no such kind, or the author's name is empty or has more than one line.
    """

    name: PluginName
    kind: str
    author: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise PluginError(f"there is no kind {self.kind!r}", hint=closest(self.kind, KINDS))
        if self.author is not None and not (self.author.strip() and self.author.isprintable()):
            raise PluginError(f"{self.author!r} is no name of an author: one line of text, please")

    @property
    def suite_needs(self) -> tuple[str, ...]:
        """The plugins of this project that its suite takes components from."""
        return SUITE_NEEDS[self.kind]


def render(plugin: Plugin) -> dict[str, str]:
    """Give the text of each file, by its path in the package's folder."""
    environment = Environment(
        loader=PackageLoader("adharness.scaffold", "templates"),
        autoescape=False,  # noqa: S701  Python, TOML and Markdown; no page of a browser
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["quoted"] = _quoted
    words = {"kind": plugin.kind, "package": plugin.name.package}
    return {
        path.format(**words): environment.get_template(template.format(**words)).render(
            plugin=plugin,
            name=plugin.name.component,
            distribution=plugin.name.distribution,
            component=plugin.name.class_name(plugin.kind),
            requirement=requirement(__version__),
            **words,
        )
        for path, template in FILES.items()
    }


def requirement(version: str) -> str:
    """Say which versions of adharness a plugin works with: this minor version and its patches.

    Examples
    --------
    >>> requirement("0.1.3")
    'adharness>=0.1,<0.2'
    """
    major, minor = version.split(".")[:2]
    return f"adharness>={major}.{minor},<{major}.{int(minor) + 1}"


def _quoted(text: str) -> str:
    """Write a printable text as TOML does, which is as JSON does."""
    return json.dumps(text, ensure_ascii=False)
