"""A small data set in the MVTec layout, and a copy of it that is broken in every way we know."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

SIZE = 48


def pixels(seed: int, *, size: int = SIZE) -> np.ndarray:
    """Blobs at random places: no two seeds look alike."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC))


def save(path: Path, values: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)
    return path


def mask(*, marked: bool = True, size: int = SIZE) -> np.ndarray:
    drawn = np.zeros((size, size), dtype=np.uint8)
    drawn[4:9, 4:9] = 255 if marked else 0
    return drawn


def make_healthy(root: Path, *classes: str) -> Path:
    """4 images that train, 2 good and 3 anomalous ones that test, for each class."""
    for number, name in enumerate(classes):
        folder, seed = root / name, 100 * number
        for i in range(4):
            save(folder / f"train/good/{i:03}.png", pixels(seed + i))
        for i in range(2):
            save(folder / f"test/good/{i:03}.png", pixels(seed + 10 + i))
        for i in range(3):
            save(folder / f"test/crack/{i:03}.png", pixels(seed + 20 + i))
            save(folder / f"ground_truth/crack/{i:03}_mask.png", mask())
    return root


# Each way of breaking a set: the check that finds it, its severity, and the path that it names.
BREAKS = {
    "a class without test images": ("missing-folder", "error", "hollow/test/good"),
    "a class without masks": ("missing-folder", "error", "bare"),
    "an orphan mask": ("orphan-mask", "warning", "nut/ground_truth/crack/077_mask.png"),
    "a mask of another size": ("mis-sized-mask", "error", "nut/ground_truth/crack/000_mask.png"),
    "an anomalous image without a mask": ("missing-mask", "error", "nut/test/crack/050.png"),
    "an empty mask": ("empty-mask", "warning", "nut/ground_truth/crack/001_mask.png"),
    "a mask on a normal image": ("mask-on-normal", "error", "nut/ground_truth/good/000_mask.png"),
    "a corrupt file": ("unreadable-file", "error", "nut/train/good/060.png"),
    "a truncated file": ("unreadable-file", "error", "nut/test/good/061.png"),
    "a corrupt mask": ("unreadable-file", "error", "nut/ground_truth/crack/002_mask.png"),
    "a copy within training": ("copy", "warning", "bolt/train/good/000.png"),
    "a copy across train and test": ("leaked-copy", "error", "bolt/test/good/070.png"),
    "a copy called normal and anomalous": ("label-conflict", "error", "bolt/test/crack/000.png"),
    "a near copy across": ("near-copy", "warning", "bolt/test/good/072.jpg"),
    "mixed sizes": ("mixed-sizes", "note", "bolt"),
    "mixed modes": ("mixed-modes", "note", "bolt"),
    "a wrong ending": ("wrong-ending", "warning", "bolt/train/good/080.jpg"),
    "an ending that hides a picture": ("wrong-ending", "warning", "bolt/train/good/081.dat"),
    "pictures in a folder nobody reads": ("unread-folder", "note", "bolt/train/crack"),
}


def make_broken(root: Path) -> Path:
    """Break a healthy set in every way of `BREAKS`."""
    make_healthy(root, "bolt", "nut", "bare")
    save(root / "hollow/train/good/000.png", pixels(900))
    _remove_masks(root / "bare")
    _break_masks(root / "nut")
    _break_files(root / "nut")
    _add_copies(root / "bolt")
    _add_odd_files(root / "bolt")
    return root


def _remove_masks(folder: Path) -> None:
    for file in (folder / "ground_truth/crack").iterdir():
        file.unlink()
    (folder / "ground_truth/crack").rmdir()
    (folder / "ground_truth").rmdir()


def _break_masks(nut: Path) -> None:
    save(nut / "ground_truth/crack/077_mask.png", mask())
    save(nut / "ground_truth/crack/000_mask.png", mask(size=SIZE // 2))
    save(nut / "test/crack/050.png", pixels(950))
    save(nut / "ground_truth/crack/001_mask.png", mask(marked=False))
    save(nut / "ground_truth/good/000_mask.png", mask())
    (nut / "ground_truth/crack/002_mask.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")


def _break_files(nut: Path) -> None:
    (nut / "train/good/060.png").write_text("this is no picture")
    whole = save(nut / "test/good/061.png", pixels(961)).read_bytes()
    (nut / "test/good/061.png").write_bytes(whole[: len(whole) // 2])


def _add_copies(bolt: Path) -> None:
    save(bolt / "train/good/071.png", pixels(0))  # of train/good/000.png
    save(bolt / "test/good/070.png", pixels(1))  # of train/good/001.png
    save(bolt / "test/good/073.png", pixels(20))  # of test/crack/000.png
    near = Image.fromarray(pixels(2)).resize((96, 96), Image.Resampling.BICUBIC)
    near.save(bolt / "test/good/072.jpg", quality=80)  # of train/good/002.png, and of another size


def _add_odd_files(bolt: Path) -> None:
    Image.fromarray(pixels(980)).convert("L").save(bolt / "train/good/082.png")
    save(bolt / "train/good/080.png", pixels(981)).rename(bolt / "train/good/080.jpg")
    save(bolt / "train/good/081.png", pixels(982)).rename(bolt / "train/good/081.dat")
    save(bolt / "train/crack/000.png", pixels(983))
