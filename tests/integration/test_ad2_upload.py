"""The upload tree of MVTec AD 2: what a saved method writes passes, and each mistake is found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from adharness.cli import main
from adharness.exchange import ad2_upload
from adharness.exchange.ad2_upload import check_upload, to_half, write_image

COUNTS = {"can": 2, "vial": 2}


@pytest.fixture(autouse=True)
def two_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ad2_upload, "COUNTS", COUNTS)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The private images of two objects."""
    rng = np.random.default_rng(0)
    for name in COUNTS:
        for portion, ending in ad2_upload.PORTIONS.items():
            folder = tmp_path / "mvtec_ad_2" / name / portion
            folder.mkdir(parents=True)
            for i in range(2):
                noise = rng.integers(90, 160, (40, 56, 3), dtype=np.uint8)
                noise[8:16, 8:16] = 255 * (i == 1)
                Image.fromarray(noise).save(folder / f"{i:03d}_{ending}.png")
    return tmp_path / "mvtec_ad_2"


@pytest.fixture
def upload(tmp_path: Path, data: Path) -> Path:
    for image in data.glob("*/*/*.png"):
        place = (image.parts[-3], image.parts[-2])
        half = np.linspace(0, 1, 40 * 56).reshape(40, 56).astype(np.float16)
        write_image(tmp_path / "upload", place, image.stem, half, half > 0.5)
    return tmp_path / "upload"


@pytest.mark.slow
def test_a_saved_method_writes_a_tree_that_passes(bench, tree, data, tmp_path, capsys):
    tree.fill("can")
    tree.fill("vial")
    px = {"use": "pixel-patches", "resize": 48, "patch_px": 8}
    knn = {"name": "knn", "extractor": "px", "bank": {"use": "all"}, "scorer": {"use": "knn-faiss"}}
    suite: dict[str, Any] = {
        "data": [{"use": "folder", "root": str(tree.root), "classes": ["can", "vial"]}],
        "protocols": ["per-class"],
        "methods": [knn],
        "extractors": {"px": px},
        "normalizers": [{"use": "raw"}],
        "thresholders": [{"use": "quantile", "q": 0.8}],
    }
    assert bench.cli(**suite) == 0
    saved, out = tmp_path / "saved", tmp_path / "up"
    cache = ["--cache-dir", str(bench.cache)]
    assert main.run(["save", str(bench.out), "--out", str(saved), *cache]) == 0
    assert main.run(["export", "mvtec-ad-2", str(saved), str(data), "--out", str(out)]) == 0
    assert "is what the server asks for" in capsys.readouterr().out
    assert main.run(["export", "check-mvtec-ad-2", str(out), "--data", str(data)]) == 0
    half = tifffile.imread(out / "anomaly_images/can/test_private/001_regular.tiff")
    assert (half.dtype, half.shape) == (np.float16, (40, 56))
    row, column = np.unravel_index(np.argmax(half), half.shape)
    assert 4 <= row < 20
    assert 4 <= column < 20
    flagged = np.asarray(
        Image.open(out / "anomaly_images_thresholded/can/test_private/001_regular.png")
    )
    assert flagged[12, 12] == 255
    assert flagged.shape == (40, 56)


def test_the_scale_keeps_the_order_and_nothing_overflows():
    values = np.array([[-1e9, 100.0, 150.0, 200.0, 300.0, 1e9]], np.float32)
    half = to_half(values, (100.0, 200.0))
    assert half.tolist() == [[-65504, 0, 0.5, 1, 2, 65504]]
    assert np.isfinite(to_half(values, (5.0, 5.0))).all()


def test_a_whole_tree_has_no_findings(upload, data):
    assert check_upload(upload) == []
    assert check_upload(upload, data) == []


CAN = "can/test_private/000_regular"


def tiff(values: Any) -> Callable[[Path], None]:
    return lambda f: tifffile.imwrite(f / "anomaly_images" / f"{CAN}.tiff", values)


def png(values: Any) -> Callable[[Path], None]:
    file = Path("anomaly_images_thresholded") / f"{CAN}.png"
    return lambda f: Image.fromarray(values).save(f / file)


def renamed(folder: Path) -> None:
    for parent, end in (("anomaly_images", "tiff"), ("anomaly_images_thresholded", "png")):
        file = folder / parent / f"{CAN}.{end}"
        file.rename(file.with_stem("000"))


def without_vial(folder: Path) -> None:
    (folder / "anomaly_images" / "vial").rename(folder / "elsewhere")


MISTAKES: dict[str, tuple[Callable[[Path], None], str]] = {
    "float32": (tiff(np.zeros((40, 56), np.float32)), "is float32 of shape (40, 56)"),
    "three axes": (tiff(np.zeros((2, 40, 56), np.float16)), "not float16 (H, W)"),
    "nan": (tiff(np.full((40, 56), np.nan, np.float16)), "2240 pixels that are not finite"),
    "another size": (tiff(np.zeros((20, 28), np.float16)),
                     "has shape (20, 28), its image (40, 56)"),
    "no tiff at all": (lambda f: (f / "anomaly_images" / f"{CAN}.tiff").write_bytes(b"II*\0"),
                       ""),
    "grey decisions": (png(np.full((40, 56), 1, np.uint8)), "other values than 0 and 255"),
    "small decisions": (png(np.zeros((20, 28), np.uint8)), "has shape (20, 28), its map (40, 56)"),
    "a missing tiff": (lambda f: (f / "anomaly_images" / f"{CAN}.tiff").unlink(), "has no tiff"),
    "a missing png": (lambda f: (f / "anomaly_images_thresholded" / f"{CAN}.png").unlink(),
                      "has no thresholded png"),
    "another name": (renamed, "is not called NNN_regular"),
    "a missing object": (without_vial, "holds no tiff"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_found_with_its_file(upload, data, mistake):
    change, said = MISTAKES[mistake]
    change(upload)
    found = [f"{one.path}: {one.message}" for one in check_upload(upload, data)]
    assert any(said in line for line in found), found


def test_without_the_images_the_number_of_files_is_checked(upload):
    for folder in ("anomaly_images", "anomaly_images_thresholded"):
        for file in (upload / folder).glob(f"{CAN}.*"):
            file.unlink()
    assert [one.message for one in check_upload(upload)] == ["holds 1 maps, the set has 2 images"]


def test_the_command_says_what_is_wrong_and_exits_1(upload, data, capsys):
    (upload / "anomaly_images" / f"{CAN}.tiff").unlink()
    assert main.run(["export", "check-mvtec-ad-2", str(upload), "--data", str(data)]) == 1
    assert "has no tiff" in capsys.readouterr().out


def test_a_folder_without_objects_is_an_error(tmp_path, capsys):
    with pytest.raises(ad2_upload.DataError, match="holds no object of MVTec AD 2"):
        ad2_upload.private_images(tmp_path)
    (tmp_path / "can").mkdir()
    with pytest.raises(ad2_upload.DataError, match="no png is in"):
        ad2_upload.private_images(tmp_path)
