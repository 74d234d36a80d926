"""The csv beside an npz of features: which image each row is of."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from adharness.errors import DataError, StoreError
from adharness.store.files import write_text


def read_paths(meta: Path) -> list[PurePosixPath]:
    """Read the column `path`, one a row. Raises DataError naming the file and its line."""
    try:
        text = meta.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {meta.name}: {error}", where=str(meta)) from error
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        return _paths(reader, meta)
    except csv.Error as error:
        fact = f"cannot read line {reader.line_num + 1} of {meta.name}: {error}"
        raise DataError(fact, where=str(meta)) from error


def _paths(reader: csv.DictReader[str], meta: Path) -> list[PurePosixPath]:
    if "path" not in (reader.fieldnames or ()):
        columns = ", ".join(reader.fieldnames or ()) or "none"
        raise DataError(
            f"{meta.name} has no column 'path'",
            hint=f"its columns are: {columns}; rename the one that names the images",
            where=str(meta),
        )
    paths = []
    for line in reader:
        if not line["path"]:
            raise DataError(f"line {reader.line_num} of {meta.name} has no path", where=str(meta))
        paths.append(PurePosixPath(line["path"].replace("\\", "/")))
    return paths


def write_rows(meta: Path, rows: Sequence[tuple[str, int, int]]) -> None:
    """Write path, native height and native width of each image.

    Raises
    ------
    StoreError
        The file is there already, for another backbone, and lists other images.
    """
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerows([("path", "height", "width"), *rows])
    if meta.exists() and meta.read_text(encoding="utf-8") != lines.getvalue():
        raise StoreError(
            f"{meta} is there already and lists other images",
            hint="choose another folder with --out",
        )
    write_text(meta, lines.getvalue())
