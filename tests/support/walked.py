"""A page that is walked: its files are written, its commands run, its outputs compared.

A block whose first line is a comment with a path is a file. A `bash` block is commands, run one
after the other; one that ends in `# fails` must. A `text` block after it is what they print: each
of its lines, by words, begins a printed line, in this order.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (?P<path>[\w./-]+\.\w+)\n")
INSTALL = re.compile(r"pip install -e \./(?P<folder>adharness-[\w-]+)$")
GIVEN = re.compile(r"python -m venv .*|pip install (pytest|-e \./adharness(/.*)?)")
"""What the environment that runs the tests has already."""


def blocks(page: str) -> Iterator[tuple[str, str]]:
    """Yield language and body of each fenced block."""
    yield from ((found["language"], found["body"]) for found in BLOCK.finditer(page))


def files(page: str) -> dict[str, list[str]]:
    """Map the path of each file of a page to its versions, in the order of the page."""
    found: dict[str, list[str]] = {}
    for _, body in blocks(page):
        if head := FILE.match(body):
            found.setdefault(head["path"], []).append(body[head.end() :])
    return found


@dataclass
class Walk:
    """A walk through a page, in a folder of its own."""

    folder: Path
    printed: str = ""
    ran: list[str] = field(default_factory=list)

    def take(self, page: str) -> None:
        """Walk the whole page. Raises AssertionError where it is not as the page says."""
        for language, body in blocks(page):
            if head := FILE.match(body):
                path = self.folder / head["path"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(body[head.end() :], encoding="utf-8")
            elif language == "bash":
                self.printed = "".join(map(self.run, body.splitlines()))
            elif language == "text":
                compare(body, self.printed)

    def run(self, line: str) -> str:
        """Run a line of a shell block; give what it printed."""
        command, _, remark = line.partition("#")
        command = command.strip()
        if GIVEN.fullmatch(command):
            return ""
        if install := INSTALL.fullmatch(command):
            _make_visible(self.folder / install["folder"], self.folder / "site")
            return ""
        done = subprocess.run(
            command, shell=True, cwd=self.folder, env=self._environment(), text=True, timeout=240,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        assert ("fails" in remark) == (done.returncode != 0), f"$ {line}\n{done.stdout}"
        self.ran.append(command)
        return done.stdout

    def _environment(self) -> dict[str, str]:
        here = str(Path(sys.executable).parent)
        return {
            **os.environ,
            "PATH": f"{here}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder / "site"),
            "ADHARNESS_CACHE": str(self.folder / "cache"),
            "COLUMNS": "200",
        }


def _make_visible(plugin: Path, site: Path) -> None:
    """Lay a plugin out as an editable installation would, from its own pyproject.toml."""
    project = tomllib.loads((plugin / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name = project["name"].replace("-", "_")
    information = site / f"{name}-{project['version']}.dist-info"
    information.mkdir(parents=True)
    said = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (information / "METADATA").write_text(said)
    points = project["entry-points"]["adharness"].items()
    lines = [f"{entry} = {module}" for entry, module in points]
    (information / "entry_points.txt").write_text("\n".join(["[adharness]", *lines, ""]))
    (site / f"{name}.py").symlink_to(plugin / f"{name}.py")


def compare(shown: str, printed: str) -> None:
    """Raise AssertionError unless each line shown begins a printed line, in this order."""
    lines = iter([" ".join(line.split()) for line in printed.splitlines()])
    for line in filter(None, (" ".join(each.split()) for each in shown.splitlines())):
        assert any(each.startswith(line) for each in lines), f"not printed: {line}\n{printed}"
