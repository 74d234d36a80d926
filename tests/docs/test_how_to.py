"""Every how-to page that runs a suite does what it says, from an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from walked import Walk

FOLDER = Path(__file__).parents[2] / "docs" / "how-to"
PAGES = sorted(FOLDER.glob("*.md"))
RUNNING = [page for page in PAGES if "\nadharness run " in page.read_text(encoding="utf-8")]


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.parametrize("page", RUNNING, ids=lambda page: page.stem)
def test_what_a_page_makes_is_made_and_runs(page: Path, tmp_path: Path) -> None:
    walk = Walk(tmp_path)
    walk.take(page.read_text(encoding="utf-8"))
    assert any(command.startswith("adharness run") for command in walk.ran)
    assert list(tmp_path.glob("reports/*/leaderboard.html"))


def test_there_is_a_page_for_each_kind_of_component() -> None:
    kinds = {"data-set", "extractor", "bank", "normalizer", "thresholder"}
    pages = {f"add-a{'n' if kind == 'extractor' else ''}-{kind}" for kind in kinds}
    assert pages < {page.stem for page in RUNNING}
