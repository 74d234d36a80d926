"""Each fragment of the changelog can be found, read and released."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "changelog.d"
NOT_FRAGMENTS = {"README.md", "template.md.jinja"}
FRAGMENTS = sorted(path for path in FOLDER.iterdir() if path.name not in NOT_FRAGMENTS)
TYPES = ("metric", "added", "changed", "fixed", "removed")
NAME = re.compile(rf"[a-z0-9]+(-[a-z0-9]+)*\.({'|'.join(TYPES)})(\.\d+)?\.md")


def flaw_of(name: str, text: str) -> str | None:
    """What is wrong with a fragment."""
    if not NAME.fullmatch(name):
        return f"{name} is not <topic>.<{'|'.join(TYPES)}>.md"
    if not text.strip():
        return f"{name} says nothing"
    if text.lstrip()[0] in "-*#":
        return f"{name} begins with a bullet or a heading, which the release puts there"
    return None


@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: path.name)
def test_a_fragment_is_named_by_topic_and_type_and_says_something(path: Path) -> None:
    assert flaw_of(path.name, path.read_text(encoding="utf-8")) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("topic.md", "Text."),
        ("Topic.added.md", "Text."),
        ("a_topic.added.md", "Text."),
        ("topic.new.md", "Text."),
        ("topic.added.txt", "Text."),
        ("topic.added.md", " \n"),
        ("topic.added.md", "- Text."),
        ("topic.added.md", "# Heading"),
    ],
)
def test_a_wrong_fragment_is_told(name: str, text: str) -> None:
    assert (flaw_of(name, text) or "").startswith(name)
    assert flaw_of("topic.added.1.md", "Text.") is None


def test_the_types_are_those_that_the_readme_tells_of() -> None:
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["towncrier"]["type"]
    assert tuple(one["directory"] for one in configured) == TYPES
    told = re.findall(r"^\| `(\w+)` \|", (FOLDER / "README.md").read_text(), re.MULTILINE)
    assert tuple(told) == TYPES


def draft(root: Path, version: str) -> str:
    """What a release would say, of a copy: `towncrier` itself decides."""
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", version]
    options = ["--config", str(root / "pyproject.toml"), "--dir", str(root)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
    return done.stdout


def test_every_fragment_is_in_the_draft_of_a_release() -> None:
    told = " ".join(draft(ROOT, "9.9.9").split())
    assert told.startswith("## 9.9.9 (")
    for path in FRAGMENTS:
        assert " ".join(path.read_text(encoding="utf-8").split()) in told


def test_a_number_that_may_change_stands_first_and_long_texts_stay_one_item(
    tmp_path: Path,
) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    folder = tmp_path / "changelog.d"
    folder.mkdir()
    shutil.copy(FOLDER / "template.md.jinja", folder)
    (folder / "aupro.metric.md").write_text("AUPRO falls by 0.1 points\non textures.\n")
    (folder / "bank.added.md").write_text("A new bank.\n")
    assert draft(tmp_path, "1.0").splitlines()[1:] == [
        "",
        "### A number on a leaderboard may change",
        "",
        "- AUPRO falls by 0.1 points",
        "  on textures.",
        "",
        "### Added",
        "",
        "- A new bank.",
        "",
        "",
    ]
