"""What is written about the house stays true of the house."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = sorted(path for path in (ROOT / "plugins").iterdir() if (path / "src").is_dir())
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "plugins").glob("*/*.md")]


def lines(name: str) -> list[str]:
    return (ROOT / name).read_text(encoding="utf-8").splitlines()


def test_the_requirements_install_the_core_and_every_plugin() -> None:
    listed = {line.removeprefix("-e ") for line in lines("requirements.txt") if "-e " in line}
    assert listed == {".", *(f"./plugins/{plugin.name}" for plugin in PLUGINS)}
    assert "-r requirements.txt" in lines("requirements-dev.txt")


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_a_plugin_is_a_whole_distribution(plugin: Path) -> None:
    project = tomllib.loads((plugin / "pyproject.toml").read_text())["project"]
    module = plugin / "src" / project["name"].replace("-", "_")
    assert project["name"] == plugin.name
    assert project["entry-points"]["adharness"]
    assert (module / "py.typed").exists()
    assert (plugin / "README.md").exists()
    assert list((plugin / "tests").glob("test_*.py"))


def test_both_commands_stand_on_the_first_screen_of_the_readme() -> None:
    first_screen = "\n".join(lines("README.md")[:12])
    run = "pip install -r requirements.txt && adharness run suites/quickstart.yaml"
    assert run in first_screen
    assert "pip install -r requirements-dev.txt && pytest -n auto" in first_screen


def test_ci_installs_and_tests_as_the_readme_says() -> None:
    script = lines(".ci/run")
    assert "pip install --quiet -r requirements-dev.txt" in script
    assert script[-1] == "pytest -n auto"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_resolves(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)\)", page.read_text(encoding="utf-8"))
    broken = [t for t in targets if ":" not in t and not (page.parent / t).exists()]
    assert broken == []


def test_every_architecture_record_named_anywhere_exists() -> None:
    known = {path.name[:4] for path in (ROOT / "docs" / "adr").glob("*.md")}
    sources = [*(ROOT / "adharness").rglob("*.py"), ROOT / "pyproject.toml", *PAGES]
    named = {
        number
        for source in sources
        for number in re.findall(r"adr/(\d{4})", source.read_text(encoding="utf-8"))
    }
    assert named
    assert named <= known
