"""Who may import whom, and which names are banned."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from imports import Import, read_imports

LAYERS = """
cli
bundle | reproduction
report | engine
exchange | scaffold
plan | store | statistics
suite | data | baselines
registry | testing
adharness
hooks | sampling | maps
contracts | metrics | corruptions
declared
arrays
errors | suggest | progress | threads | deprecation
"""
"""Top may import below, never above, never sideways across `|`.

`adharness` stands for the public names of the package's own `__init__`.
"""

HEAVY = {"torch", "torchvision", "timm", "faiss", "sklearn", "skimage"}
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base", "core", "manager"}


def ranks() -> dict[str, int]:
    """Map each layer to its height; the errors are at 0."""
    lines = LAYERS.strip().splitlines()
    return {
        name.strip(): height
        for height, line in enumerate(reversed(lines))
        for name in line.split("|")
    }


def core_imports(root: Path) -> Iterator[Import]:
    """Yield every import of the core."""
    for file in sorted((root / "adharness").rglob("*.py")):
        yield from read_imports(file, root)


def layer_of(module: str) -> str:
    """Name the layer of a module of the core."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "adharness"


def imported_layer(found: Import, root: Path) -> str | None:
    """Name the layer an import reaches into; None where it leaves the package."""
    if found.module.split(".")[0] != "adharness":
        return None
    path = root.joinpath(*found.module.split("."), found.name or "")
    is_module = found.name and (path.is_dir() or path.with_suffix(".py").exists())
    return layer_of(f"{found.module}.{found.name}" if is_module else found.module)


def layer_breaks(root: Path) -> list[str]:
    """List imports that go up or sideways."""
    height = ranks()
    broken = []
    for found in core_imports(root):
        here, there = layer_of(found.importer), imported_layer(found, root)
        if there is None or there == here:
            continue
        if {here, there} - set(height):
            broken.append(f"{found.importer}: {here} or {there} is in no layer; add it to LAYERS")
        elif height[here] <= height[there]:
            broken.append(f"{found.importer}:{found.line} {here} imports {there}")
    return broken


def heavy_imports(root: Path) -> list[str]:
    """List heavy libraries imported by the core; sklearn and skimage may be, inside a function."""
    lazily = {"sklearn", "skimage"}
    return [
        f"{found.importer}:{found.line} {found.module}"
        for found in core_imports(root)
        if (library := found.module.split(".")[0]) in HEAVY
        and not (found.in_function and library in lazily)
    ]


def rich_imports(root: Path) -> list[str]:
    """List modules that know rich, besides the one that may."""
    return [
        f"{found.importer}:{found.line}"
        for found in core_imports(root)
        if found.module.split(".")[0] == "rich" and found.importer != "adharness.cli.render"
    ]


def banned_names(root: Path) -> list[str]:
    """List files and folders whose name says nothing."""
    folders = ("adharness", "plugins", "tests", "scripts", "benchmarks", "templates")
    paths = (path for folder in folders for path in (root / folder).rglob("*"))
    return [
        str(path.relative_to(root))
        for path in sorted(paths)
        if (path.is_dir() or path.suffix == ".py") and path.stem.lower() in BANNED_NAMES
    ]


def plugin_breaks(root: Path) -> list[str]:
    """List what a plugin takes from the core besides public names; its tests may use the kit."""
    parts = ("arrays", "data", "progress", "sampling", "threads")
    public = [f"adharness.{part}" for part in parts]
    allowed = {"src": public, "tests": [*public, "adharness.testing"]}
    return [
        f"{file.relative_to(root)}:{found.line} {found.module} {found.name or ''}".strip()
        for part, modules in allowed.items()
        for file in sorted((root / "plugins").glob(f"*/{part}/**/*.py"))
        for found in read_imports(file, file.parent)
        if found.module.split(".")[0] == "adharness" and not is_public(found, modules)
    ]


def undeclared_plugins(root: Path) -> list[str]:
    """List where a plugin imports another one that its pyproject.toml does not depend on."""
    homes = {folder.name.replace("-", "_"): folder for folder in (root / "plugins").glob("*")}
    return [
        f"{file.relative_to(root)}:{found.line} {found.module}"
        for own, folder in sorted(homes.items())
        for file in sorted(folder.glob("src/**/*.py"))
        for found in read_imports(file, file.parent)
        if (package := found.module.split(".")[0]) in homes
        and package != own
        and f'"{homes[package].name}' not in (folder / "pyproject.toml").read_text()
    ]


def is_public(found: Import, modules: Iterable[str]) -> bool:
    """Tell whether an import takes a public name, or one of these modules."""
    if found.module == "adharness":
        taken = f"adharness.{found.name}"
        return found.name is None or found.name in public_names() or taken in modules
    return any(f"{found.module}.".startswith(f"{module}.") for module in modules)


def public_names() -> list[str]:
    """List what the package itself exports."""
    import adharness

    return list(adharness.__all__)


def loaded_by(statement: str) -> list[str]:
    """Run a statement in a new interpreter and list the heavy libraries that it loaded."""
    script = f"{statement}\nimport sys; print('loaded:', *sorted({HEAVY} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout.splitlines()[-1].split()[1:]
