from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adharness import DataError
from adharness.data.saturations import Saturation, declared_regions, read_saturations
from miniatures import BOX, OTHER, SATURATIONS, mask, write


def test_each_file_is_a_region_whose_grey_value_names_its_saturation(tmp_path: Path) -> None:
    write(tmp_path, {"c.json": SATURATIONS, "0.png": mask(255), "1.png": mask(251, other=True)})
    declared = declared_regions([tmp_path / "0.png", tmp_path / "1.png"], tmp_path / "c.json")
    assert [int(region.sum()) for region in declared.masks] == [BOX, OTHER]
    assert list(declared.saturations_px) == [BOX // 2, 4]  # half of it; 4 pixels


@pytest.mark.parametrize(
    ("saturation", "area", "pixels"),
    [(Saturation(1.0, True), 9, 9), (Saturation(0.5, True), 9, 4), (Saturation(0.01, True), 9, 1),
     (Saturation(6300, False), 9, 9), (Saturation(5, False), 9, 5)],
)  # fmt: skip
def test_a_saturation_lies_between_one_pixel_and_the_area(
    saturation: Saturation, area: int, pixels: int
) -> None:
    assert saturation.pixels(area) == pixels


def both() -> bytes:
    stream = BytesIO()
    Image.fromarray(np.array([[0, 251, 255]], np.uint8)).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        (mask(0), "is empty"),
        (both(), "holds the grey values 251, 255"),
        (mask(9), "grey value 9"),
        (b"", "is empty"),
        (b"text", "is not a"),
    ],
)
def test_a_region_that_cannot_be_told_is_named(tmp_path: Path, content: bytes, fact: str) -> None:
    write(tmp_path, {"c.json": SATURATIONS, "0.png": content})
    with pytest.raises(DataError, match=fact) as caught:
        declared_regions([tmp_path / "0.png"], tmp_path / "c.json")
    assert "0.png" in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "{}x", "[1]", json.dumps([{"pixel_value": 1}]), "3"])
def test_a_broken_list_of_saturations_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(DataError, match="cannot read the saturations") as caught:
        read_saturations(tmp_path / "c.json")
    assert caught.value.where == str(tmp_path / "c.json")
