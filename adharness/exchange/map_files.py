"""Anomaly maps that lie on disk, in the data set's own tree: tiff, npy or png."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
from PIL.PngImagePlugin import PngImageFile

from adharness.arrays import AnyArray, Float32
from adharness.errors import DataError

ENDINGS = (".tiff", ".tif", ".npy", ".png")


def find_map(root: Path, image_path: str) -> Path | None:
    """Find the map of an image: its own path below `root`, with one of `ENDINGS`.

    Raises
    ------
    DataError
        Where several files fit.
    """
    stem = root / PurePosixPath(image_path).with_suffix("")
    found = [file for end in ENDINGS if (file := stem.with_name(stem.name + end)).is_file()]
    if len(found) > 1:
        names = " and ".join(file.name for file in found)
        raise DataError(f"{names} are both maps of {image_path}", where=str(found[0].parent))
    return found[0] if found else None


def read_map(file: Path) -> Float32:
    """Read a map, (H, W) float32, as it is: no scaling, no resize; axes of length 1 are dropped.

    Parameters
    ----------
    file
        A tiff of 16 or 32 bit floats or of integers, an npy, or a grey png of 8 or 16 bits.

    Raises
    ------
    DataError
        The file is cut off, holds colours, Python objects or another number of axes, or a value
        that is not finite. Names the file.
    """
    try:
        values = np.squeeze(_read(file))
    except Exception as error:
        raise DataError(f"cannot read the map {file.name}: {error}", where=str(file)) from error
    if values.ndim != 2 or values.dtype.kind not in "fiu":
        raise DataError(
            f"the map {file.name} has shape {values.shape} and type {values.dtype}",
            hint="a map is one number a pixel: (H, W), floats or integers",
            where=str(file),
        )
    with np.errstate(over="ignore"):  # what overflows is found as not finite
        found = np.ascontiguousarray(values, dtype=np.float32)
    bad = int((~np.isfinite(found)).sum())
    if bad:
        raise DataError(f"the map {file.name} holds {bad} pixels not finite", where=str(file))
    return found


def _read(file: Path) -> AnyArray:
    if file.suffix == ".npy":
        with file.open("rb") as stream:
            loaded: AnyArray = np.lib.format.read_array(stream, allow_pickle=False)
            return loaded
    if file.suffix == ".png":
        with file.open("rb") as stream, PngImageFile(stream) as picture:
            if picture.mode not in ("L", "I;16", "I"):
                raise ValueError(f"its pixels are {picture.mode}, not grey")
            return np.array(picture)
    from tifffile import imread

    return np.asarray(imread(file))
