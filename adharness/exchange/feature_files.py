"""Features on disk as studies keep them: an npz and a csv a class, row by row the same images.

`{cat}_{backbone}.npz` holds

- `patches` (N, P, D), any float type: P patches in rows from top to bottom;
- `patch_hw` (2,): patches a column and a row, h * w = P;
- `cls` (N, D), optional: one vector an image;
- `input_hw` and `resize_hw` (2,), optional: height and width in pixels of the network's input, and
  of the resized image that it was cropped from. `adharness features export` writes them.

`{cat}_meta.csv` has a header and N lines, in the order of the rows. Only its column `path` is read.
It may be absolute, or begin anywhere above the data set's root: `/mnt/mvtec/nut/test/good/000.png`
is the row of the image `nut/test/good/000.png`.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adharness.arrays import AnyArray, Float32
from adharness.contracts import Preprocess
from adharness.errors import DataError
from adharness.exchange.meta_files import PathRows, read_rows, write_rows
from adharness.store.files import write_arrays

_UNREADABLE = (OSError, ValueError, KeyError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, slots=True)
class Layout:
    """What all classes of one backbone have in common."""

    grid: tuple[int, int]
    input_hw: tuple[int, int] | None
    resize_hw: tuple[int, int] | None

    def preprocess(self, patch_px: int | None, file: Path) -> Preprocess:
        """Say what was done to the images: from the file, else from the side of a patch."""
        height, width = self.grid
        of_patches = (height * patch_px, width * patch_px) if patch_px else None
        if self.input_hw is None and of_patches is None:
            raise DataError(
                f"{file.name} does not say how large the network's input was",
                hint="give the extractor `patch_px`, the side of a patch in pixels: 14 for B/14",
                where=str(file),
            )
        if None not in (self.input_hw, of_patches) and self.input_hw != of_patches:
            raise DataError(
                f"{file.name} says inputs of {self.input_hw} px, patch_px says {of_patches}",
                hint="leave `patch_px` out",
                where=str(file),
            )
        size = self.input_hw or of_patches or (1, 1)
        height, width = self.resize_hw or size
        return Preprocess(height, width, crop=None if (height, width) == size else size)


@dataclass(eq=False)
class FeatureTable:
    """Features of one class: row i is of the image in line `i + 2` of the csv."""

    npz: Path
    meta: Path
    patches: Float32  # (N, h, w, D)
    embeddings: Float32 | None  # (N, D)
    layout: Layout
    rows: PathRows


def read_layout(npz: Path) -> Layout:
    """Read the small arrays only. Raises DataError as `read_table`."""
    with _opened(npz) as archive:
        return _layout(npz, archive)


def read_table(npz: Path, meta: Path) -> FeatureTable:
    """Read and check the features of one class.

    Raises
    ------
    DataError
        A file is missing or cut off, holds Python objects, lacks an array or the column; the
        numbers of rows differ; `patch_hw` does not fit; a value is not finite. Names the file, and
        the row where there is one.
    """
    rows = read_rows(meta)
    with _opened(npz) as archive:
        layout = _layout(npz, archive)
        patches = _floats(npz, archive, "patches", 3)
        embeddings = _floats(npz, archive, "cls", 2) if "cls" in archive else None
    height, width = layout.grid
    if patches.shape[1] != height * width:
        raise DataError(
            f"{npz.name} has {patches.shape[1]} patches an image, "
            f"its patch_hw {height} x {width} makes {height * width}",
            where=str(npz),
        )
    for name, values in (("patches", patches), ("cls", embeddings)):
        if values is not None:
            _check_rows(name, values, npz, rows)
    patches = patches.reshape(len(patches), height, width, -1)
    return FeatureTable(npz, meta, patches, embeddings, layout, rows)


def write_table(
    npz: Path, meta: Path, table: Mapping[str, AnyArray], rows: Sequence[tuple[str, int, int]]
) -> None:
    """Write the two files of a class.

    Parameters
    ----------
    table
        The arrays of the npz, by name.
    rows
        Path, native height and native width of each image.

    Raises
    ------
    StoreError
        The csv is there already, for another backbone, and lists other images.
    """
    write_rows(meta, rows)
    write_arrays(npz, table)


@contextmanager
def _opened(path: Path) -> Iterator[Mapping[str, AnyArray]]:
    """Open an npz without pickle; all that is wrong with the file becomes a DataError."""
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if not isinstance(loaded, np.lib.npyio.NpzFile):
                raise ValueError("it is one array, not an npz")  # noqa: TRY004  of the file
            with loaded:
                yield loaded
    except _UNREADABLE as error:
        raise DataError(f"cannot read {path.name}: {error}", where=str(path)) from error


def _layout(npz: Path, archive: Mapping[str, AnyArray]) -> Layout:
    missing = [name for name in ("patches", "patch_hw") if name not in archive]
    if missing:
        raise DataError(
            f"{npz.name} has no array '{missing[0]}'",
            hint=f"it holds: {', '.join(archive) or 'nothing'}",
            where=str(npz),
        )
    pairs = [_pair(npz, archive, name) for name in ("patch_hw", "input_hw", "resize_hw")]
    return Layout(pairs[0] or (0, 0), *pairs[1:])


def _pair(npz: Path, archive: Mapping[str, AnyArray], name: str) -> tuple[int, int] | None:
    if name not in archive:
        return None
    pair = archive[name]
    whole = pair.shape == (2,) and np.issubdtype(pair.dtype, np.integer) and (pair > 0).all()
    if not whole:
        raise DataError(
            f"{name} of {npz.name} is {pair.tolist()}, not a height and a width", where=str(npz)
        )
    return int(pair[0]), int(pair[1])


def _floats(npz: Path, archive: Mapping[str, AnyArray], name: str, axes: int) -> Float32:
    values = archive[name]
    said = f"{name} of {npz.name}"
    if values.ndim != axes:
        wanted = "(N, P, D)" if axes == 3 else "(N, D)"
        raise DataError(f"{said} has shape {values.shape}, expected {wanted}", where=str(npz))
    if not np.issubdtype(values.dtype, np.floating):
        raise DataError(f"{said} are {values.dtype}, not floats", where=str(npz))
    with np.errstate(over="ignore"):  # what overflows is found as not finite
        return np.ascontiguousarray(values, dtype=np.float32)


def _check_rows(name: str, values: Float32, npz: Path, rows: PathRows) -> None:
    if len(values) != len(rows.paths):
        raise DataError(
            f"{name} of {npz.name} has {len(values)} rows, {rows.file.name} has {len(rows.paths)}",
            hint="the two are one table: each row of the npz is a line of the csv, in order",
            where=str(npz),
        )
    for row in _bad_rows(values):
        raise DataError(
            f"{name} of {npz.name} hold a value that is not finite: row {row}, "
            f"line {rows.lines[row]} of {rows.file.name}, {rows.paths[row]}",
            hint="make the features of that image again",
            where=str(npz),
        )


def _bad_rows(values: Float32) -> Iterator[int]:
    # Row by row: the mask of a whole class would take a quarter of its memory again.
    return (row for row, one in enumerate(values) if not np.isfinite(one).all())
