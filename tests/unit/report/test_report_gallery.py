from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from adharness.errors import StoreError
from adharness.report.colormap import colorize, inferno_table
from adharness.report.gallery import Gallery, galleries
from adharness.report.leaderboard import Leaderboard, leaderboard
from adharness.report.pictures import SHORTEST_PX, Sheet, thumbnail, widened
from adharness.report.reading import read_run

LISTS = 500_000


def board_of(folder: Path, **changes: Any) -> Leaderboard:
    run, cells = read_run(folder)
    return leaderboard(run.model_copy(update=changes), cells)


def pictures_of(gallery: Gallery) -> dict[str, str]:
    """Data URL of each picture by its class."""
    rules = re.findall(r"\.(g[\d-]+)\{background-image:url\(([^)]*)\)\}", gallery.sheet)
    assert len(rules) == gallery.sheet.count("{")
    return dict(rules)


def test_pixels_that_may_not_be_shown_are_not_even_read(run_folder: Path, tmp_path: Path) -> None:
    shut = [d.model_copy(update={"show_pixels": False}) for d in read_run(run_folder)[0].datasets]
    board = board_of(run_folder, datasets=shut)
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "cells").symlink_to(run_folder / "cells")  # and no `gallery`
    for gallery in galleries(bare, board):
        assert not gallery.exhibits
        assert not gallery.sheet
        assert "does not clearly allow passing them on" in (gallery.hidden or "")
        assert gallery.data is not None
        assert gallery.data["plates"] == []
        assert gallery.mistakes
        assert all(wrong.plate is None for wrong in gallery.mistakes)


def test_every_method_is_shown_on_the_same_images(run_folder: Path) -> None:
    gallery = galleries(run_folder, board_of(run_folder))[0]
    assert gallery.methods == ("knn", "mahalanobis", "padim", "patchcore")
    assert len(gallery.exhibits) == 9
    for exhibit in gallery.exhibits:
        assert tuple(each.method for each in exhibit.verdicts) == gallery.methods
        assert [each.layer is None for each in exhibit.verdicts] == [False, True, False, False]
        for each in exhibit.verdicts:
            assert each.score is not None
            assert each.threshold is not None
            assert each.flagged == (each.score > each.threshold)


def test_pictures_beyond_the_budget_are_counted_not_shown(run_folder: Path) -> None:
    gallery = galleries(run_folder, board_of(run_folder), (12_000, LISTS))[0]
    assert 0 < len(gallery.exhibits) < 9
    assert gallery.left_out == 9 - len(gallery.exhibits)
    assert len(gallery.sheet) < 12_000


def test_each_picture_is_on_the_page_once(run_folder: Path) -> None:
    gallery = galleries(run_folder, board_of(run_folder))[0]
    urls = list(pictures_of(gallery).values())
    assert len(urls) == len(set(urls)) > 9


def test_the_map_is_brightest_where_the_patches_are(run_folder: Path) -> None:
    gallery = galleries(run_folder, board_of(run_folder))[0]
    layer = next(e for e in gallery.exhibits if e.plate.image.label).verdicts[3].layer
    assert layer is not None
    drawn = _light(pictures_of(gallery)[layer.picture])  # 64 x 64 of 96 x 96
    assert drawn[24:28, 32:40].mean() > drawn[:8, :8].mean() + 30


def test_the_mask_is_outlined_where_it_is(run_folder: Path) -> None:
    gallery = galleries(run_folder, board_of(run_folder))[0]
    plates = [exhibit.plate for exhibit in gallery.exhibits]
    assert [bool(plate.mask) for plate in plates] == [bool(p.image.label) for p in plates]
    path = next(plate.mask for plate in plates if plate.mask)
    corners = np.array(re.findall(r"[-.\d]+", path), float).reshape(-1, 2)
    np.testing.assert_allclose(corners.min(0), [40, 24], atol=1.5)
    np.testing.assert_allclose(corners.max(0), [65, 49], atol=1.5)


def _light(url: str) -> Any:
    stream = io.BytesIO(base64.b64decode(url.split(",", 1)[1]))
    with Image.open(stream) as picture:
        return np.asarray(picture.convert("L"), dtype=float)


def test_a_picture_outside_the_run_is_refused(run_folder: Path) -> None:
    run, _ = read_run(run_folder)
    outside = run.gallery[0].model_copy(update={"image": "../../etc/passwd"})
    with pytest.raises(StoreError, match="is not in the run's folder"):
        galleries(run_folder, board_of(run_folder, gallery=[outside]))


def test_worst_images_are_not_among_the_typical_ones(run_folder: Path) -> None:
    run, _ = read_run(run_folder)
    marked = [image.model_copy(update={"worst": bool(image.label)}) for image in run.gallery]
    gallery = galleries(run_folder, board_of(run_folder, gallery=marked))[0]
    assert {exhibit.plate.image.label for exhibit in gallery.exhibits} == {0}
    assert gallery.data is not None
    assert len(gallery.data["plates"]) == 9  # type: ignore[arg-type]


def test_the_worst_errors_are_errors_the_worst_of_every_method_first(run_folder: Path) -> None:
    gallery = galleries(run_folder, board_of(run_folder))[0]
    for wrong in gallery.mistakes:
        assert wrong.verdict.flagged == (wrong.kind == "false alarm")
    first = [w for w in gallery.mistakes if (w.class_name, w.verdict.method) == ("grid", "knn")]
    margins = [w.verdict.score - w.verdict.threshold for w in first if w.kind == "miss"]  # type: ignore[operator]
    assert len(margins) == 2
    assert margins == sorted(margins)


def test_the_colour_map_grows_only_lighter() -> None:
    table = inferno_table().astype(float) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(table) > -0.6).all()  # rounding to whole colours
    assert table[-1] > table[0] + 200


def test_colours_without_a_range_are_all_dark() -> None:
    colours = colorize(np.full((2, 3), 0.5, np.float32), 0.5, 0.5)
    assert (colours == inferno_table()[0]).all()


def test_a_small_budget_still_shows_every_class(run_folder: Path) -> None:
    gallery = galleries(run_folder, board_of(run_folder), (12_000, LISTS))[0]
    assert 3 <= len(gallery.exhibits) < 9
    assert list(gallery.by_class) == ["carpet", "grid", "leather"]


@pytest.mark.parametrize("size", [(1, 10_000), (10_000, 1), (1, 1)])
def test_a_thin_picture_is_drawn_so_that_one_can_see_it(
    size: tuple[int, int], run_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "cells").symlink_to(run_folder / "cells")
    Image.new("RGB", size, (200, 30, 30)).save(tmp_path / "thin.png")
    drawn = widened(thumbnail(tmp_path, "thin.png"))
    assert min(drawn.size) == SHORTEST_PX
    assert max(drawn.size) <= 256
    width, height = size
    first = read_run(run_folder)[0].gallery[0]
    thin = first.model_copy(update={"image": "thin.png", "width": width, "height": height})
    gallery = galleries(tmp_path, board_of(run_folder, gallery=[thin]))[0]
    assert gallery.exhibits[0].plate.stretched == (size != (1, 1))
    assert gallery.exhibits[0].verdicts[0].layer


def test_a_sheet_forgets_what_did_not_fit() -> None:
    sheet = Sheet("g0")
    assert sheet.add("data:a") == sheet.add("data:a") == "g0-0"
    size = sheet.size
    sheet.add("data:b")
    sheet.forget(1)
    assert sheet.size == size
    assert sheet.add("data:c") == "g0-1"
    assert "data:b" not in sheet.text
