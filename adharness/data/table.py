"""Reads lists of rows, CSV or JSON lines, with errors that name the file and the line."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from adharness.errors import DataError


class Row(NamedTuple):
    """The values of a row by column, and its file and line."""

    values: Mapping[str, Any]
    where: str


def read_rows(path: Path, required: Iterable[str]) -> Iterator[Row]:
    """Read a CSV file with a header, or JSON lines where the name ends in `.jsonl`.

    Parameters
    ----------
    path
        UTF-8, with or without a byte-order mark. Empty lines are passed over.
    required
        Columns that a CSV header must have; in JSON lines, each line.

    Raises
    ------
    DataError
        Where the file cannot be read, a required column is missing, or a line does not fit; it
        names the file and the line.
    """
    reader = _json_rows if path.suffix.lower() == ".jsonl" else _csv_rows
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            yield from reader(lines, path, tuple(required))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read the list {path}: {error}", where=str(path)) from error


def read_json(path: Path) -> Any:
    """Read a JSON file. Raises DataError naming the file, and the line where it is broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        where = f"{path}:{error.lineno}"
        raise DataError(f"{path.name!r} is not JSON: {error.msg}", where=where) from error
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"cannot read the list {path}: {error}", where=str(path)) from error


def _csv_rows(lines: Iterable[str], path: Path, required: tuple[str, ...]) -> Iterator[Row]:
    reader = csv.reader(lines, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_columns(header, required, f"{path}:1")
        for values in reader:
            where = f"{path}:{reader.line_num}"
            if len(values) not in (0, len(header)):
                fact = f"{len(values)} values in a row of {len(header)} columns"
                raise DataError(fact, hint='quote values that hold commas: "a, b.png"', where=where)
            if values:
                yield Row(dict(zip(header, (v.strip() for v in values), strict=True)), where)
    except csv.Error as error:
        where = f"{path}:{reader.line_num}"
        raise DataError(f"{path.name!r} is not CSV: {error}", where=where) from error


def _json_rows(lines: Iterable[str], path: Path, required: tuple[str, ...]) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            values = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise DataError(f"line {number} is not JSON: {error}", where=where) from error
        if not isinstance(values, dict):
            raise DataError(f"line {number} is not an object", hint='{"path": ...}', where=where)
        _check_columns(values, required, where)
        yield Row(values, where)


def _check_columns(have: Iterable[str], required: tuple[str, ...], where: str) -> None:
    names = list(have)
    missing = [name for name in required if name not in names]
    if missing:
        raise DataError(
            f"the list lacks the column(s) {', '.join(missing)}",
            hint=f"it has {', '.join(names) or 'none'}",
            where=where,
        )
