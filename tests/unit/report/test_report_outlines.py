from __future__ import annotations

import re

import numpy as np
import pytest

from adharness.report.outlines import LONGEST_PATH, outline


def lines(path: str) -> list[np.ndarray]:
    return [
        np.array(re.findall(r"[-.\d]+", part), float).reshape(-1, 2)
        for part in path.split("Z")
        if part
    ]


def test_nothing_above_the_level_has_no_outline():
    assert outline(np.zeros((4, 5), np.float32), 0.0) == ""
    assert outline(np.full((4, 5), 2, np.float32), 2.0) == ""  # above, strictly


def test_a_field_that_is_all_above_is_outlined_at_its_border():
    (line,) = lines(outline(np.ones((4, 6), np.float32), 0.5))
    assert line.min(0).tolist() == [0, 0]
    assert line.max(0).tolist() == [6, 4]  # x to the right, y down


def test_an_outline_lies_between_pixel_centres():
    field = np.zeros((10, 20), np.float32)
    field[2:5, 10:16] = 1
    (line,) = lines(outline(field, 0.5))
    np.testing.assert_allclose(line.min(0), [10, 2], atol=0.05)
    np.testing.assert_allclose(line.max(0), [16, 5], atol=0.05)


def test_a_hole_is_a_line_of_its_own():
    field = np.ones((12, 12), np.float32)
    field[4:8, 4:8] = 0
    assert len(lines(outline(field, 0.5))) == 2


def test_a_ragged_outline_is_short_and_its_longest_lines_are_whole():
    noise = np.random.default_rng(0).normal(size=(64, 64))
    tiles = np.zeros((16, 16))
    tiles[::2, ::2] = 1  # 64 squares, each too large to be thinned away
    for field, least in ((noise, 1), (np.kron(tiles, np.ones((12, 12))), 25)):
        path = outline(field.astype(np.float32), 0.5)
        assert len(path) <= LONGEST_PATH
        assert path.endswith("Z")
        assert path.count("M") == path.count("Z") >= least


@pytest.mark.parametrize("level", [-1e30, 1e30, -5.0])
def test_levels_far_from_the_scores_do_no_harm(level: float):
    path = outline(np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4), level)
    assert bool(path) == (level < 0)
    assert "nan" not in path
    assert "inf" not in path
