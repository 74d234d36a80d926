"""What type checkers of plugin authors see: checked by `mypy`, shipped in every wheel."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from mypy import api

from imports import read_imports
from layers import is_public

ROOT = Path(__file__).resolve().parents[2]
TYPED = sorted((ROOT / "tests" / "typing").glob("*.py"))
DISTRIBUTIONS = [ROOT, *sorted(p.parent for p in (ROOT / "plugins").glob("*/pyproject.toml"))]


def test_mypy_checks_the_folder_wherever_it_is_run() -> None:
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    assert "tests/typing" in configured["files"]
    assert configured["strict"]
    assert len(TYPED) >= 2


@pytest.mark.parametrize("path", TYPED, ids=lambda path: path.name)
def test_what_is_checked_takes_public_names_alone(path: Path) -> None:
    modules = ["adharness.arrays", "adharness.testing"]
    ours = [one for one in read_imports(path, path.parent) if one.module.startswith("adharness")]
    assert ours
    assert [one for one in ours if not is_public(one, modules)] == []


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_mistake_that_is_found_no_more_fails_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the annotation that finds it is lost: an ignore then silences nothing."""
    wrong = (ROOT / "tests" / "typing" / "wrong_plugins.py").read_text(encoding="utf-8")
    mended = wrong.replace('portion="training"', 'portion="train"')
    assert mended != wrong
    (tmp_path / "mended.py").write_text(mended, encoding="utf-8")
    options = [
        "--config-file",
        str(ROOT / "pyproject.toml"),
        "--cache-dir",
        str(tmp_path / "cache"),
    ]
    said, _, code = api.run([*options, str(tmp_path / "mended.py")])
    assert code == 1
    assert 'Unused "type: ignore" comment' in said
    assert "Found 1 error" in said


@pytest.mark.parametrize("folder", DISTRIBUTIONS, ids=lambda path: path.name)
def test_a_wheel_tells_type_checkers_that_it_has_types(folder: Path) -> None:
    files = {file.distribution_path for file in WheelBuilder(str(folder)).recurse_included_files()}
    name = "adharness" if folder == ROOT else folder.name.replace("-", "_")
    assert f"{name}/py.typed" in files
    assert f"{name}/__init__.py" in files
    assert not [path for path in files if path.startswith("tests") or "/tests/" in path]
