"""What is written for each kind, whatever its name: the files, their names, their style."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from adharness import __version__
from adharness.errors import PluginError
from adharness.registry import first_party
from adharness.scaffold import KINDS, Plugin, PluginName, render, write
from adharness.scaffold.contents import SUITE_NEEDS, requirement

ROOT = Path(__file__).resolve().parents[3]
NAMES = ("a", "my-thing", "a-longest-name-one-gives")


def rendered(kind: str, name: str = "my-thing", author: str | None = None) -> dict[str, str]:
    return render(Plugin(PluginName.parsed(name), kind, author))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packages of every kind, with a short and a long name."""
    folder = tmp_path_factory.mktemp("written")
    for kind in KINDS:
        for name in NAMES:
            write(rendered(kind, name), folder / f"{kind}-{name}")
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_the_files_are_these(kind):
    assert set(rendered(kind)) == {
        ".github/workflows/tests.yml",
        ".gitignore",
        "README.md",
        "pyproject.toml",
        "src/adharness_my_thing/__init__.py",
        f"src/adharness_my_thing/{kind}.py",
        "src/adharness_my_thing/py.typed",
        "suite.yaml",
        "tests/test_conformance.py",
        f"tests/test_{kind}.py",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_the_template_is_left_in_the_text(kind):
    files = rendered(kind, author="Ada")
    assert [path for path, text in files.items() if "{%" in text or "{#" in text] == []
    braces = [path for path, text in files.items() if "{{" in text]
    assert braces == [".github/workflows/tests.yml"]
    assert "${{ matrix.python }}" in files[braces[0]]
    assert [path for path, text in files.items() if text and not text.endswith("\n")] == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_project_declares_its_entry_point_and_the_version_it_needs(kind):
    project = tomllib.loads(rendered(kind)["pyproject.toml"])["project"]
    assert project["name"] == "adharness-my-thing"
    assert project["entry-points"] == {"adharness": {"my-thing": "adharness_my_thing"}}
    assert project["dependencies"][0] == requirement(__version__)
    assert "authors" not in project


def test_a_first_party_plugin_asks_for_the_same_versions():
    path = ROOT / "plugins" / "adharness-normalizers" / "pyproject.toml"
    project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    assert requirement(__version__) in project["dependencies"]


@pytest.mark.parametrize("author", ['Ada "the first" Lovelace', "a\\b", "Ðoç 💡", "}]"])
def test_an_author_of_any_spelling_is_kept(author):
    project = tomllib.loads(rendered("bank", author=author)["pyproject.toml"])["project"]
    assert project["authors"] == [{"name": author}]


@pytest.mark.parametrize("author", ["", "  ", "a\nb", "a\x7fb", "\ud800"])
def test_an_author_that_is_no_line_of_text_is_refused(author):
    with pytest.raises(PluginError, match="no name of an author"):
        Plugin(PluginName.parsed("x"), "bank", author)


def test_a_kind_that_is_none_is_refused_with_the_nearest():
    with pytest.raises(PluginError, match="no kind 'scorrer'") as refused:
        Plugin(PluginName.parsed("x"), "scorrer")
    assert refused.value.hint == "did you mean 'scorer'?"


@pytest.mark.parametrize("kind", KINDS)
def test_the_suite_needs_no_other_plugins_than_it_says(kind):
    suite = yaml.safe_load(rendered(kind)["suite.yaml"])
    assert suite["name"] == "my-thing"
    used = {"scorer": {m["scorer"]["use"] for m in suite["methods"]}}
    used["normalizer"] = {n["use"] for n in suite.get("normalizers", [{"use": "raw"}])}
    used["thresholder"] = {t["use"] for t in suite["thresholders"]}
    homes = {first_party.first_party_home(k, name) for k, names in used.items() for name in names}
    assert set(SUITE_NEEDS[kind]) == homes - {None}
    assert all(f"`{need}`" in rendered(kind)["README.md"] for need in SUITE_NEEDS[kind])


@pytest.mark.parametrize("config", ["its own", "ours"])
@pytest.mark.parametrize("command", ["check", "format"])
def test_ruff_finds_nothing_to_mend(written, command, config):
    tool = [sys.executable, "-m", "ruff", command]
    tool += ["--check"] if command == "format" else ["--output-format=concise"]
    if config == "ours" and command == "check":
        house = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        rules = house["tool"]["ruff"]["lint"]
        tool += [f"--{key}={','.join(rules[key])}" for key in ("select", "ignore")]
    done = subprocess.run(
        [*tool, "--no-cache", "."], cwd=written, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_mypy_finds_nothing_to_mend(written, tmp_path):
    for kind in KINDS:
        done = subprocess.run(
            [sys.executable, "-m", "mypy", f"--cache-dir={tmp_path}"],
            cwd=written / f"{kind}-{NAMES[-1]}",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
