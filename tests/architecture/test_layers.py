"""Who may import whom. Each rule is also shown a house that breaks it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

LAYERS = """
cli
report | engine
plan | store | statistics
suite | data | baselines
registry | testing
adharness
hooks
contracts | metrics | maps
arrays
errors | suggest
"""
"""Top may import below, never above, never sideways across `|`.

`adharness` stands for the public names of the package's own `__init__`.
"""

HEAVY = {"torch", "torchvision", "timm", "faiss", "sklearn", "skimage"}
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base", "core", "manager"}

ImportsOf = Callable[[Path, Path], list[Any]]


def ranks() -> dict[str, int]:
    """Layer name -> height; the errors are at 0."""
    lines = LAYERS.strip().splitlines()
    return {
        name.strip(): height
        for height, line in enumerate(reversed(lines))
        for name in line.split("|")
    }


def core_imports(root: Path, imports_of: ImportsOf) -> Iterator[Any]:
    for file in sorted((root / "adharness").rglob("*.py")):
        yield from imports_of(file, root)


def layer_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "adharness"


def imported_layer(found: Any, root: Path) -> str | None:
    """The layer an import reaches into; None where it leaves the package."""
    if found.module.split(".")[0] != "adharness":
        return None
    path = root.joinpath(*found.module.split("."), found.name or "")
    is_module = found.name and (path.is_dir() or path.with_suffix(".py").exists())
    return layer_of(f"{found.module}.{found.name}" if is_module else found.module)


def layer_breaks(root: Path, imports_of: ImportsOf) -> list[str]:
    height = ranks()
    broken = []
    for found in core_imports(root, imports_of):
        here, there = layer_of(found.importer), imported_layer(found, root)
        if there is None or there == here:
            continue
        if {here, there} - set(height):
            broken.append(f"{found.importer}: {here} or {there} is in no layer; add it to LAYERS")
        elif height[here] <= height[there]:
            broken.append(f"{found.importer}:{found.line} {here} imports {there}")
    return broken


def heavy_imports(root: Path, imports_of: ImportsOf) -> list[str]:
    """Heavy libraries at the top of a core module; torch, timm and faiss not even in a function."""
    lazily = {"sklearn", "skimage"}
    return [
        f"{found.importer}:{found.line} {found.module}"
        for found in core_imports(root, imports_of)
        if (library := found.module.split(".")[0]) in HEAVY
        and not (found.in_function and library in lazily)
    ]


def rich_imports(root: Path, imports_of: ImportsOf) -> list[str]:
    return [
        f"{found.importer}:{found.line}"
        for found in core_imports(root, imports_of)
        if found.module.split(".")[0] == "rich" and found.importer != "adharness.cli.render"
    ]


def banned_names(root: Path) -> list[str]:
    folders = ("adharness", "plugins", "tests", "scripts", "benchmarks", "templates")
    paths = (path for folder in folders for path in (root / folder).rglob("*"))
    return [
        str(path.relative_to(root))
        for path in sorted(paths)
        if (path.is_dir() or path.suffix == ".py") and path.stem.lower() in BANNED_NAMES
    ]


def test_the_core_imports_downwards_only(imports_of: ImportsOf) -> None:
    assert layer_breaks(ROOT, imports_of) == []


def test_the_core_imports_no_heavy_library_at_import_time(imports_of: ImportsOf) -> None:
    assert heavy_imports(ROOT, imports_of) == []


def test_only_render_knows_rich(imports_of: ImportsOf) -> None:
    assert rich_imports(ROOT, imports_of) == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert banned_names(ROOT) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement",
    [
        "import adharness.cli.main",
        "from adharness.cli.main import run; run(['--help'])",
        "from adharness.registry import discover; assert discover().components",
    ],
    ids=["start", "help", "discovery"],
)
def test_starting_listing_and_discovering_load_no_heavy_library(statement: str) -> None:
    # A plugin that imports torch at its top slows every command, `--help` included.
    script = f"{statement}\nimport sys; print('loaded:', *sorted({HEAVY} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.splitlines()[-1] == "loaded:"


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("adharness/contracts/x.py", "from adharness.registry import discover\n"),
        ("adharness/contracts/x.py", "from adharness import registry\n"),
        ("adharness/contracts/x.py", "from ..registry import discover\n"),
        ("adharness/contracts/x.py", "def f():\n    import adharness.registry.value\n"),
        ("adharness/contracts/x.py", "if TYPE_CHECKING:\n    from adharness.suite import S\n"),
        ("adharness/contracts/x.py", "from adharness import Params\n"),
        ("adharness/report/x.py", "from adharness.engine import cell\n"),
        ("adharness/engine/x.py", "import adharness.report\n"),
        ("adharness/novelty.py", "from adharness.errors import AdharnessError\n"),
    ],
    ids=[
        "up",
        "up through the package",
        "up, relative",
        "up, in a function",
        "up, for types only",
        "the public names from below",
        "sideways",
        "sideways, as a module",
        "a room in no layer",
    ],
)
def test_an_import_that_is_not_downwards_is_found(
    path: str, source: str, house: Callable[[str, str], Path], imports_of: ImportsOf
) -> None:
    assert len(layer_breaks(house(path, source), imports_of)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("adharness/engine/x.py", "from adharness.registry import discover\n"),
        ("adharness/engine/x.py", "from adharness.store import records\n"),
        ("adharness/report/x.py", "from adharness.store import records\n"),
        ("adharness/engine/x.py", "from .cell import score\nfrom adharness.engine.run import r\n"),
        ("adharness/engine/x.py", "from adharness import __version__\nimport numpy\n"),
        ("adharness/__init__.py", "from adharness.hooks import hookimpl\n"),
    ],
)
def test_an_import_downwards_is_allowed(
    path: str, source: str, house: Callable[[str, str], Path], imports_of: ImportsOf
) -> None:
    assert layer_breaks(house(path, source), imports_of) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import torch\n", 1),
        ("from sklearn.manifold import TSNE\n", 1),
        ("def f():\n    import torch\n", 1),
        ("def f():\n    from skimage import data\n", 0),
        ("import scipy\n", 0),
    ],
)
def test_a_heavy_import_is_found(
    source: str, found: int, house: Callable[[str, str], Path], imports_of: ImportsOf
) -> None:
    assert len(heavy_imports(house("adharness/engine/x.py", source), imports_of)) == found


def test_rich_is_found_outside_render(
    house: Callable[[str, str], Path], imports_of: ImportsOf
) -> None:
    house("adharness/cli/render.py", "import rich\n")
    root = house("adharness/cli/run.py", "from rich.table import Table\n")
    assert rich_imports(root, imports_of) == ["adharness.cli.run:1"]


def test_a_banned_name_is_found_as_a_file_and_as_a_folder(
    house: Callable[[str, str], Path],
) -> None:
    house("adharness/utils.py", "")
    house("adharness/baselines/x.py", "")
    root = house("plugins/adharness-x/src/adharness_x/Core/x.py", "")
    assert banned_names(root) == ["adharness/utils.py", "plugins/adharness-x/src/adharness_x/Core"]
