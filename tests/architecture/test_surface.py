"""The public surface is what is written down, so that no contract changes unnoticed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from imports import read_imports
from surface import MODULES, STORED, changes, public_names, surface

ROOT = Path(__file__).resolve().parents[2]


def test_the_public_surface_is_the_one_written_down() -> None:
    told = changes(STORED.read_text(encoding="utf-8").splitlines(), surface())
    assert told == [], "\n".join(told)


def test_every_public_module_has_names_in_it() -> None:
    lines = STORED.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("contracts ")
    for module in MODULES:
        assert [line for line in lines if line.startswith(f"{module}.")], module


STORED_LINES = ["contracts 1.0", "adharness.a(x: int) -> int", "adharness.b: class of object"]


@pytest.mark.parametrize(
    ("found", "first", "advice"),
    [
        ([*STORED_LINES, "adharness.c: str"], "+ adharness.c: str", "raise the second number"),
        (STORED_LINES[:2], "- adharness.b: class of object", "keep the old name for one minor"),
        (
            [STORED_LINES[0], "adharness.a(x: float) -> int", STORED_LINES[2]],
            "- adharness.a(x: int) -> int",
            "may break plugins",
        ),
    ],
    ids=["a new name", "a lost name", "another signature"],
)
def test_a_change_is_told_with_what_to_do_about_it(
    found: list[str], first: str, advice: str
) -> None:
    told = changes(STORED_LINES, found)
    assert told[0] == first
    assert advice in told[-1]
    assert "write changelog.d/" in told[-1]
    assert "python scripts/surface.py --write" in told[-1]


def test_nothing_is_told_of_no_change() -> None:
    assert changes(STORED_LINES, list(STORED_LINES)) == []


def test_a_line_tells_fields_in_order_defaults_and_signatures() -> None:
    lines = surface()
    assert "adharness.ContentHash: class of tuple (image, mask)" in lines
    assert "adharness.FeatureGrid.embeddings: Float32 | None = None" in lines
    assert (
        "adharness.Scorer.fit(self, memory: Memory, rng: np.random.Generator) -> FittedScorer"
        in lines
    )
    assert not [line for line in lines if re.search(r"0x[0-9a-f]{6}|typing\.", line)]


def test_what_the_plugins_here_import_is_promised() -> None:
    names = {f"{module}.{name}" for module in MODULES for name in public_names(module)}
    taken = {
        f"{found.module}.{found.name}"
        for file in sorted((ROOT / "plugins").glob("*/src/**/*.py"))
        for found in read_imports(file, file.parent)
        if found.module.split(".")[0] == "adharness" and found.name
    }
    assert taken - names == set()
