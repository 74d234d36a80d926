"""A house with one file, to be broken on purpose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def house(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write one file into an otherwise empty copy of the tree."""
    package = tmp_path / "adharness"
    for name in ("registry", "suite", "engine", "report", "contracts"):
        (package / name).mkdir(parents=True)

    def write(path: str, source: str) -> Path:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
        return tmp_path

    return write
