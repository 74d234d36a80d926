"""Maps of others are read as they are, and what is no map is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from adharness import DataError, ImageName
from adharness.exchange.imported import ImportedParams, ImportedScores
from adharness.exchange.map_files import find_map, read_map

VALUES = np.array([[0.0, 1.5, -2.25], [1e-6, 60000.0, 3.0]])
WHOLE = np.array([[0, 1, 255], [7, 65535, 300]])


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "u1", "u2", "i4"])
@pytest.mark.parametrize("ending", [".tiff", ".tif", ".npy"])
def test_every_number_of_a_tiff_and_of_an_npy_is_kept(tmp_path, kind, ending):
    values = (VALUES if kind[0] == "f" else WHOLE % 256).astype(kind)
    file = tmp_path / f"a{ending}"
    np.save(file, values) if ending == ".npy" else tifffile.imwrite(file, values)
    assert read_map(file).tobytes() == values.astype(np.float32).tobytes()


def test_a_grey_png_of_8_or_16_bits_is_not_rescaled(tmp_path):
    for values in ((WHOLE % 256).astype(np.uint8), WHOLE.astype(np.uint16)):
        Image.fromarray(values).save(tmp_path / "a.png")
        assert read_map(tmp_path / "a.png").tolist() == values.astype(float).tolist()


def test_a_tiff_that_pillow_wrote_or_that_is_compressed_is_read(tmp_path):
    Image.fromarray(VALUES.astype(np.float32)).save(tmp_path / "a.tiff", compression="tiff_deflate")
    assert np.array_equal(read_map(tmp_path / "a.tiff"), VALUES.astype(np.float32))


def test_axes_of_length_one_are_dropped(tmp_path):
    np.save(tmp_path / "a.npy", VALUES[None, :, :, None])
    assert read_map(tmp_path / "a.npy").shape == (2, 3)


def colours(file: Path) -> None:
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(file)


def cut_off(file: Path) -> None:
    np.save(file, np.zeros((40, 40)))
    file.write_bytes(file.read_bytes()[:300])


WRONG: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "colours": ("a.png", colours, "its pixels are RGB, not grey"),
    "three axes": ("a.npy", lambda f: np.save(f, np.zeros((3, 4, 5))), "has shape (3, 4, 5)"),
    "truth values": ("a.npy", lambda f: np.save(f, np.zeros((3, 4), bool)), "type bool"),
    "nan": ("a.npy", lambda f: np.save(f, np.full((3, 4), np.nan)), "12 pixels not finite"),
    "beyond float32": ("a.npy", lambda f: np.save(f, np.full((3, 4), 1e300)), "not finite"),
    "objects": ("a.npy", lambda f: np.save(f, np.array([{}]), allow_pickle=True), "cannot read"),
    "cut off": ("a.npy", cut_off, "cannot read the map a.npy"),
    "no tiff": ("a.tiff", lambda f: f.write_bytes(b"II*\0nothing"), "the map a.tiff"),
    "no png": ("a.png", lambda f: f.write_bytes(b"text"), "cannot read the map a.png"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_map_is_refused_by_name(tmp_path, name):
    file, write, said = WRONG[name]
    write(tmp_path / file)
    with pytest.raises(DataError) as told:
        read_map(tmp_path / file)
    assert said in told.value.message
    assert "a." in told.value.message
    assert told.value.where == str(tmp_path / file)


def test_two_maps_of_one_image_are_refused(tmp_path):
    for end in ("tiff", "npy"):
        (tmp_path / f"000.{end}").touch()
    with pytest.raises(DataError, match=r"000.tiff and 000.npy are both maps of 000.png"):
        find_map(tmp_path, "000.png")


def test_a_dot_in_a_name_is_part_of_it(tmp_path):
    (tmp_path / "a.b.npy").touch()
    assert find_map(tmp_path, "a.b.png") == tmp_path / "a.b.npy"
    assert find_map(tmp_path, "a.png") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path,score\na.png,high\n", "line 2 of s.csv has the score 'high'"),
        ("path,score\na.png,nan\n", "line 2 of s.csv has the score 'nan'"),
        ("path,score\na.png\n", "line 2 of s.csv has the score ''"),
        ("path,score\na.png,1\nx/a.png,2\n", "lines 2, 3 of s.csv are all of a.png"),
        ("path,value\na.png,1\n", "s.csv has no column 'score'"),
    ],
)
def test_a_wrong_score_is_told_with_its_line(tmp_path, text, said):
    (tmp_path / "s.csv").write_text(text)
    scorer = ImportedScores(ImportedParams(scores=tmp_path / "s.csv"))
    with pytest.raises(DataError) as told:
        scorer.look_up(ImageName("a.png", "c"))
    assert said in told.value.message


def test_a_score_keeps_all_its_digits(tmp_path):
    (tmp_path / "s.csv").write_text("path,score\n/x/a.png,0.1000000000000000055\n")
    found = ImportedScores(ImportedParams(scores=tmp_path / "s.csv")).look_up(
        ImageName("a.png", "c")
    )
    assert found is not None
    assert found.images is not None
    assert float(found.images[0]) == 0.1


def test_a_folder_or_a_csv_must_be_given():
    with pytest.raises(ValueError, match="give `root`"):
        ImportedParams()
