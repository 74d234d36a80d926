"""A plugin uses the public names, as a stranger's would have to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from layers import plugin_breaks, undeclared_plugins

ROOT = Path(__file__).resolve().parents[2]


def test_plugins_import_public_names_only() -> None:
    assert plugin_breaks(ROOT) == []


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
) -> None:
    root = house(f"plugins/adharness-x/{part}/x.py", source)
    assert len(plugin_breaks(root)) == found


def test_plugins_depend_on_the_plugins_they_import() -> None:
    assert undeclared_plugins(ROOT) == []


@pytest.mark.parametrize(("declared", "found"), [('"adharness-y>=0.1"', 0), ('"numpy"', 1)])
def test_a_plugin_that_imports_another_without_depending_on_it_is_found(
    declared: str, found: int, house: Callable[[str, str], Path]
) -> None:
    root = house("plugins/adharness-x/src/adharness_x/x.py", "from adharness_y.z import Z\n")
    (root / "plugins/adharness-y").mkdir()
    (root / "plugins/adharness-x/pyproject.toml").write_text(f"dependencies = [{declared}]\n")
    assert len(undeclared_plugins(root)) == found
