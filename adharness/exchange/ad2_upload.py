"""The tree that the evaluation server of MVTec AD 2 takes, written and checked.

```
anomaly_images/<object>/{test_private,test_private_mixed}/NNN_{regular,mixed}.tiff     float16 maps
anomaly_images_thresholded/<object>/.../NNN_{regular,mixed}.png                        0 or 255
```

Facts of the layout and the counts: Heckler-Kram et al., The MVTec AD 2 Dataset, 2025, table IV, and
the tree that the set's own checker asks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from adharness.arrays import AnyArray, Bool, Float32
from adharness.data.images import image_size
from adharness.errors import DataError
from adharness.store.files import atomic, explained

MAPS, DECISIONS = "anomaly_images", "anomaly_images_thresholded"
PORTIONS: Mapping[str, str] = MappingProxyType(
    {"test_private": "regular", "test_private_mixed": "mixed"}
)
"""Folder -> how the names in it end."""
COUNTS: Mapping[str, int] = MappingProxyType(
    {
        "can": 321,
        "fabric": 314,
        "fruit_jelly": 255,
        "rice": 277,
        "sheet_metal": 142,
        "vial": 276,
        "wallplugs": 232,
        "walnuts": 228,
    }
)
"""Object -> images in each of the two private portions."""
_LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True, slots=True)
class Finding:
    """What the server would refuse, or judge as something else."""

    path: str
    message: str


def private_images(root: Path) -> dict[tuple[str, str], list[Path]]:
    """List the images to be scored, by object and portion.

    Raises
    ------
    DataError
        No object has a private portion below `root`, or one has no image.
    """
    found: dict[tuple[str, str], list[Path]] = {}
    for name in COUNTS:
        for portion in PORTIONS:
            folder = root / name / portion
            if (root / name).is_dir():
                found[name, portion] = sorted(folder.glob("*.png"))
                if not found[name, portion]:
                    raise DataError(f"no png is in {folder}", where=str(folder))
    if not found:
        raise DataError(
            f"{root} holds no object of MVTec AD 2",
            hint=f"name the folder that holds {', '.join(COUNTS)}",
            where=str(root),
        )
    return found


def to_half(drawn: Float32, ends: tuple[float, float]) -> AnyArray:
    """Bring a map (H, W) to float16, (v - low) / (high - low) clipped to what it can hold.

    The server ranks pixels over all images of an object, so `ends` are one pair an object, fixed
    before a test image is seen: the range of its held-out scores, where float16 is fine enough.
    """
    low, high = ends
    scaled = (drawn.astype(np.float64) - low) / ((high - low) or 1.0)
    return np.clip(scaled, -_LARGEST, _LARGEST).astype(np.float16)


def write_image(
    folder: Path, place: tuple[str, str], stem: str, half: AnyArray, flagged: Bool
) -> None:
    """Write the two files of one image. Raises StoreError where the disk refuses."""
    from tifffile import imwrite

    below = Path(*place)
    tiff = folder / MAPS / below / f"{stem}.tiff"
    with explained(tiff):
        tiff.parent.mkdir(parents=True, exist_ok=True)
        imwrite(tiff, half)
    with atomic(folder / DECISIONS / below / f"{stem}.png") as file:
        Image.fromarray(flagged.astype(np.uint8) * 255).save(file, format="PNG")


def check_upload(folder: Path, images: Path | None = None) -> list[Finding]:
    """Find what is wrong with an upload tree.

    Parameters
    ----------
    images
        Folder of the data set: names and sizes are then compared with its images. Without it, only
        the number of files is, with the published ones.
    """
    findings: list[Finding] = []
    for name, count in COUNTS.items():
        for portion, ending in PORTIONS.items():
            below = Path(name, portion)
            maps, decisions = (
                {file.stem: file for file in (folder / tree / below).glob(f"*{end}")}
                for tree, end in ((MAPS, ".tiff"), (DECISIONS, ".png"))
            )
            known = {} if images is None else {f.stem: f for f in (images / below).glob("*.png")}
            findings += _missing(below, maps, decisions, known, count)
            for stem in sorted(maps.keys() & decisions.keys()):
                if not (stem[:3].isdecimal() and stem[3:] == f"_{ending}"):
                    path = f"{MAPS}/{below.as_posix()}/{stem}.tiff"
                    findings.append(Finding(path, f"is not called NNN_{ending}"))
                pair = (maps[stem], decisions[stem], known.get(stem))
                findings += [Finding(str(file.relative_to(folder)), m) for file, m in _pair(*pair)]
    return findings


def _missing(
    below: Path,
    maps: Mapping[str, Path],
    decisions: Mapping[str, Path],
    known: Mapping[str, Path],
    count: int,
) -> Iterator[Finding]:
    """Files that should be there and are not, and those that belong to no image."""
    place = f"{MAPS}/{below.as_posix()}"
    if not maps:
        yield Finding(place, "holds no tiff")
        return
    for stem in sorted(maps.keys() ^ decisions.keys()):
        lacks = "thresholded png" if stem in maps else "tiff"
        yield Finding(f"{place}/{stem}", f"has no {lacks}")
    if not known and len(maps) != count:
        yield Finding(place, f"holds {len(maps)} maps, the set has {count} images")
    for stem in sorted(known.keys() ^ maps.keys()) if known else ():
        yield Finding(f"{place}/{stem}", "has no map" if stem in known else "is of no image")


def _pair(tiff: Path, png: Path, image: Path | None) -> Iterator[tuple[Path, str]]:
    """Check the map and the decisions of one image."""
    from tifffile import imread

    try:
        half = np.asarray(imread(tiff))
        with png.open("rb") as stream, PngImageFile(stream) as picture:
            decided = np.array(picture)
    except Exception as error:  # noqa: BLE001 - files of strangers, which lie about themselves
        yield tiff, f"this or its png cannot be read: {error}"
        return
    if half.dtype != np.float16 or half.ndim != 2:
        yield tiff, f"is {half.dtype} of shape {half.shape}, not float16 (H, W)"
    elif not np.isfinite(half).all():
        yield tiff, f"holds {int((~np.isfinite(half)).sum())} pixels that are not finite"
    if decided.dtype != np.uint8 or not np.isin(decided, (0, 255)).all():
        yield png, "holds other values than 0 and 255"
    if decided.shape != half.shape:
        yield png, f"has shape {decided.shape}, its map {half.shape}"
    if image is not None and half.shape != image_size(image):
        yield tiff, f"has shape {half.shape}, its image {image_size(image)}"
