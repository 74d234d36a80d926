"""A plugin as it is written: installed by its metadata alone, its tests pass and its suite runs."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from adharness.cli import main as program
from adharness.registry import discover
from adharness.scaffold import KINDS, Plugin, PluginName, render, write

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
NAME = "newly-made"
MODULES = "adharness_newly_made"


@pytest.fixture
def package(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A package of the kind asked for, with the metadata that pip would have left beside it."""
    folder = tmp_path / f"adharness-{NAME}"
    write(render(Plugin(PluginName.parsed(NAME), request.param)), folder)
    info = folder / "src" / f"{MODULES}-0.1.0.dist-info"
    info.mkdir()
    head = f"Metadata-Version: 2.1\nName: adharness-{NAME}\nVersion: 0.1.0\n"
    (info / "METADATA").write_text(head, encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[adharness]\n{NAME} = {MODULES}\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("package", KINDS, indirect=True)
def test_its_own_tests_pass(package: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(package)],
        cwd=package.parent,
        env={**os.environ, "PYTHONPATH": str(package / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    assert "failed" not in done.stdout
    assert int(done.stdout.splitlines()[-1].partition(" passed")[0].rsplit(maxsplit=1)[-1]) > 12


@pytest.mark.parametrize("package", KINDS, indirect=True)
def test_its_suite_gives_rows_of_it(
    package: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = request.node.callspec.params["package"]
    monkeypatch.syspath_prepend(package / "src")
    monkeypatch.chdir(package.parent)
    try:
        assert discover().find(kind, NAME).distribution == f"adharness-{NAME}"
        suite = str(package / "suite.yaml")
        assert program.run(["run", suite, "--cache-dir", "cache", "--quiet"]) == 0
    finally:
        for module in [name for name in sys.modules if name.split(".")[0] == MODULES]:
            del sys.modules[module]
    board = package.parent / "reports" / NAME / "leaderboard.csv"
    with board.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["status"] == "ok"]
    named = {"extractor": "mine"}.get(kind, NAME)  # an extractor is called as its suite calls it
    assert [row for row in rows if row[kind].partition("(")[0] == named]
