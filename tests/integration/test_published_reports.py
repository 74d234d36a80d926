"""The boards that are published here are what this code makes of the results stored beside them."""

from __future__ import annotations

import base64
import io
import re
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adharness.report import write_report
from pack_report import ARCHIVE, BOARD, HOME, unpack

ROOT = Path(__file__).resolve().parents[2]
BOARDS = sorted(path.parent for path in HOME.glob(f"*/{ARCHIVE}"))
PICTURE = re.compile(r"data:image/(?:webp|png|jpeg);base64,([A-Za-z0-9+/=]+)")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def test_the_boards_that_the_readme_shows_are_there() -> None:
    shown = set(re.findall(r"reports/published/([a-z-]+)/leaderboard.html", README := _readme()))
    assert shown == {place.name for place in BOARDS} == {"quickstart", "solar-cells"}
    for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert (ROOT / picture).is_file()


@pytest.mark.parametrize("place", BOARDS, ids=lambda place: place.name)
def test_a_published_board_is_what_this_code_makes_of_its_results(
    place: Path, tmp_path: Path
) -> None:
    run = unpack(place, tmp_path)
    write_report(run)
    for name in BOARD:
        made, kept = ((folder / name).read_text("utf-8") for folder in (run, place))
        if made != kept and name.endswith(".html") and not _pinned():
            made, kept = _same_pictures(made, kept)
        assert made == kept, f"{name} is not what the code makes: run scripts/pack_report.py"


@pytest.mark.parametrize("place", BOARDS, ids=lambda place: place.name)
def test_a_published_page_stays_small(place: Path) -> None:
    assert (place / "leaderboard.html").stat().st_size < 6_000_000


def _readme() -> str:
    return (ROOT / "README.md").read_text("utf-8")


def _pinned() -> bool:
    """Whether pictures are encoded by the version that encoded the published ones."""
    pins = (ROOT / "constraints.txt").read_text("utf-8")
    return f"pillow=={version('pillow')}" in pins.lower()


def _same_pictures(made: str, kept: str) -> tuple[str, str]:
    """Check that pictures look alike, whatever wrote them, and give the pages without them."""
    pairs = zip(PICTURE.findall(made), PICTURE.findall(kept), strict=True)
    for mine, theirs in pairs:
        if mine != theirs:
            one, other = (np.asarray(_decoded(text), np.int16) for text in (mine, theirs))
            assert np.abs(one - other).mean() < 2
    return PICTURE.sub("picture", made), PICTURE.sub("picture", kept)


def _decoded(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text))).convert("RGBA")
