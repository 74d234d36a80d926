"""The tutorial does what it says: its files and commands, from an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from walked import Walk, compare, files

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text(encoding="utf-8")
MODULE = "adharness-mean-patch/adharness_mean_patch.py"


def test_the_first_scorer_has_twelve_lines_and_its_package_five() -> None:
    found = files(PAGE)
    code = [line for line in found[MODULE][0].splitlines() if line.strip()]
    project = [
        line for line in found["adharness-mean-patch/pyproject.toml"][0].splitlines() if line
    ]
    assert len(code) == 12
    assert len(project) == 5


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_command_of_the_tutorial_runs_and_prints_what_the_page_shows(tmp_path: Path) -> None:
    walk = Walk(tmp_path)
    walk.take(PAGE)
    assert (tmp_path / "reports" / "first" / "leaderboard.html").exists()
    assert len(walk.ran) >= 7


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("true", "wrong"),
    [
        ("no parameters", "some parameters"),
        ("adharness components scorer mean-patch", "adharness components scorer mean-path"),
        ("def adharness_scorers():", "def adharness_scorer():"),
    ],
)
def test_a_tutorial_that_is_wrong_is_found_out(tmp_path: Path, true: str, wrong: str) -> None:
    begin = PAGE.split("## A row on the board")[0]
    assert true in begin
    with pytest.raises(AssertionError):
        Walk(tmp_path).take(begin.replace(true, wrong, 1))


def test_output_is_compared_by_words_from_the_begin_of_a_line_and_in_order() -> None:
    compare("a b\nc", "x\na   b  1\n\nc")
    for shown in ("b", "c\na b", "a c"):
        with pytest.raises(AssertionError, match="not printed"):
            compare(shown, "x\na   b  1\n\nc")
