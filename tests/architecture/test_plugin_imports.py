"""A plugin uses the public names, as a stranger's would have to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

import adharness

ROOT = Path(__file__).resolve().parents[2]

ImportsOf = Callable[[Path, Path], list[Any]]


def plugin_breaks(root: Path, imports_of: ImportsOf) -> list[str]:
    """What a plugin takes from the core besides public names; its tests may use the kit."""
    public = ["adharness.arrays", "adharness.data"]
    allowed = {"src": public, "tests": [*public, "adharness.testing"]}
    return [
        f"{file.relative_to(root)}:{found.line} {found.module} {found.name or ''}".strip()
        for part, modules in allowed.items()
        for file in sorted((root / "plugins").glob(f"*/{part}/**/*.py"))
        for found in imports_of(file, file.parent)
        if found.module.split(".")[0] == "adharness" and not is_public(found, modules)
    ]


def is_public(found: Any, modules: Iterable[str]) -> bool:
    if found.module == "adharness":
        taken = f"adharness.{found.name}"
        return found.name is None or found.name in adharness.__all__ or taken in modules
    return any(f"{found.module}.".startswith(f"{module}.") for module in modules)


def test_plugins_import_public_names_only(imports_of: ImportsOf) -> None:
    assert plugin_breaks(ROOT, imports_of) == []


@pytest.mark.parametrize(
    ("part", "source", "found"),
    [
        ("src/adharness_x", "from adharness import Params, hookimpl\n", 0),
        ("src/adharness_x", "import adharness\nfrom adharness.data.folder import read\n", 0),
        ("src/adharness_x", "from adharness_x.scorer import X\nfrom .scorer import X\n", 0),
        ("src/adharness_x", "from adharness.arrays import Float32\n", 0),
        ("src/adharness_x", "from adharness import maps\n", 1),
        ("src/adharness_x", "from adharness.contracts import Params\n", 1),
        ("src/adharness_x", "from adharness.database import x\n", 1),
        ("src/adharness_x", "from adharness import testing\n", 1),
        ("src/adharness_x", "from adharness.testing import check\n", 1),
        ("tests", "from adharness.testing import check\nfrom adharness import testing\n", 0),
        ("tests", "from adharness.registry import discover\n", 1),
    ],
)
def test_what_a_plugin_takes_from_inside_the_core_is_found(
    part: str,
    source: str,
    found: int,
    house: Callable[[str, str], Path],
    imports_of: ImportsOf,
) -> None:
    root = house(f"plugins/adharness-x/{part}/x.py", source)
    assert len(plugin_breaks(root, imports_of)) == found
