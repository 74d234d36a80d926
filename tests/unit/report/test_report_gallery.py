from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from adharness.errors import StoreError
from adharness.report.colormap import colorize, inferno_table
from adharness.report.gallery import galleries
from adharness.report.leaderboard import leaderboard
from adharness.report.reading import read_run


def test_pixels_that_may_not_be_shown_are_not_even_read(run_folder: Path) -> None:
    run, cells = read_run(run_folder)
    shut = [data.model_copy(update={"show_pixels": False}) for data in run.datasets]
    board = leaderboard(run.model_copy(update={"datasets": shut}), cells)
    for gallery in galleries(Path("/nowhere"), board):
        assert not gallery.exhibits
        assert gallery.hidden


def test_every_method_is_shown_on_the_same_images(run_folder: Path) -> None:
    gallery = galleries(run_folder, leaderboard(*read_run(run_folder)))[0]
    assert gallery.methods == ("knn", "mahalanobis", "padim", "patchcore")
    assert len(gallery.exhibits) == 9
    for exhibit in gallery.exhibits:
        assert tuple(each.method for each in exhibit.overlays) == gallery.methods
        assert [each.picture is None for each in exhibit.overlays] == [False, True, False, False]
        for each in exhibit.overlays:
            assert each.score is not None
            assert each.threshold is not None
            assert each.flagged == (each.score > each.threshold)


def test_pictures_beyond_the_budget_are_counted_not_shown(run_folder: Path) -> None:
    gallery = galleries(run_folder, leaderboard(*read_run(run_folder)), budget=30_000)[0]
    assert 0 < len(gallery.exhibits) < 9
    assert gallery.left_out == 9 - len(gallery.exhibits)


def test_the_overlay_is_brightest_where_the_patches_are(run_folder: Path) -> None:
    gallery = galleries(run_folder, leaderboard(*read_run(run_folder)))[0]
    exhibit = next(e for e in gallery.exhibits if e.image.label)
    url = exhibit.overlays[3].picture or ""
    seen, under = (_light(text) for text in (url, exhibit.picture))
    drawn = seen - 0.4 * under  # what the colours added to the picture
    assert drawn[36:42, 48:60].mean() > drawn[:12, :12].mean() + 20


def _light(url: str) -> Any:
    stream = io.BytesIO(base64.b64decode(url.split(",", 1)[1]))
    with Image.open(stream) as picture:
        return np.asarray(picture.convert("L"), dtype=float)


def test_a_picture_outside_the_run_is_refused(run_folder: Path) -> None:
    run, cells = read_run(run_folder)
    outside = run.gallery[0].model_copy(update={"image": "../../etc/passwd"})
    board = leaderboard(run.model_copy(update={"gallery": [outside]}), cells)
    with pytest.raises(StoreError, match="is not in the run's folder"):
        galleries(run_folder, board)


def test_the_colour_map_grows_only_lighter() -> None:
    table = inferno_table().astype(float) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(table) > -0.6).all()  # rounding to whole colours
    assert table[-1] > table[0] + 200


def test_colours_without_a_range_are_all_dark() -> None:
    colours = colorize(np.full((2, 3), 0.5, np.float32), 0.5, 0.5)
    assert (colours == inferno_table()[0]).all()


def test_a_small_budget_still_shows_every_class(run_folder: Path) -> None:
    gallery = galleries(run_folder, leaderboard(*read_run(run_folder)), budget=30_000)[0]
    assert 3 <= len(gallery.exhibits) < 9
    assert list(gallery.by_class) == ["carpet", "grid", "leather"]
