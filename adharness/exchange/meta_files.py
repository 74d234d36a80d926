"""The csv beside an npz of features: which image each row is of."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from adharness.errors import DataError, StoreError
from adharness.store.files import write_text


@dataclass(eq=False)
class PathRows:
    """The rows of a csv, found by the ends of their paths.

    Parameters
    ----------
    paths, lines
        Of each row its path, and its line in the file.
    others
        Of each row the value of the other column that was asked for, as text.
    """

    file: Path
    paths: list[PurePosixPath] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    _by_tail: dict[int, dict[tuple[str, ...], list[int]]] = field(default_factory=dict)

    def row_of(self, path: str) -> int | None:
        """Find the row of an image; None where there is none.

        Raises
        ------
        DataError
            Where several rows fit.
        """
        parts = PurePosixPath(path).parts
        found = self._tails(len(parts)).get(parts, [])
        if len(found) > 1:
            lines = ", ".join(str(self.lines[row]) for row in found)
            raise DataError(
                f"lines {lines} of {self.file.name} are all of {path}",
                hint="keep one row an image",
                where=str(self.file),
            )
        return found[0] if found else None

    def _tails(self, length: int) -> dict[tuple[str, ...], list[int]]:
        if length not in self._by_tail:
            tails: dict[tuple[str, ...], list[int]] = {}
            for row, path in enumerate(self.paths):
                tails.setdefault(path.parts[-length:], []).append(row)
            self._by_tail[length] = tails
        return self._by_tail[length]


def read_rows(file: Path, other: str | None = None) -> PathRows:
    """Read the column `path`, and another one if asked for.

    Raises
    ------
    DataError
        The file cannot be read, lacks a column, or a line has no path; names the line.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {file.name}: {error}", where=str(file)) from error
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        return _rows(reader, file, other)
    except csv.Error as error:
        fact = f"cannot read line {reader.line_num + 1} of {file.name}: {error}"
        raise DataError(fact, where=str(file)) from error


def _rows(reader: csv.DictReader[str], file: Path, other: str | None) -> PathRows:
    present = reader.fieldnames or ()
    for column in ("path", other):
        if column and column not in present:
            raise DataError(
                f"{file.name} has no column '{column}'",
                hint=f"its columns are: {', '.join(present) or 'none'}",
                where=str(file),
            )
    rows = PathRows(file)
    for line in reader:
        if not line["path"]:
            raise DataError(f"line {reader.line_num} of {file.name} has no path", where=str(file))
        rows.paths.append(PurePosixPath(line["path"].replace("\\", "/")))
        rows.lines.append(reader.line_num)
        rows.others.append((line[other] or "") if other else "")
    return rows


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
