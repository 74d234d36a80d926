"""Long files on disk: Parquet through pyarrow, or CSV. Cells are streamed, not held in memory."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import repeat
from pathlib import Path
from typing import IO, Any

import numpy as np

from adharness.errors import StoreError
from adharness.report.long_form import Chunk
from adharness.report.long_schemas import Field, LongSchema
from adharness.store.files import atomic

SUFFIXES = (".parquet", ".csv")
GROUP_LINES = 65_536
"""Lines that are gathered before they are written as one row group of a Parquet file."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(slots=True)
class Written:
    """What went into a long file. `formulas` are texts that a spreadsheet may take for formulas."""

    cells: int = 0
    lines: int = 0
    formulas: set[str] | None = None


def write_long(path: Path, schema: LongSchema, chunks: Iterable[Chunk]) -> Written:
    """Write a long file, Parquet or CSV by its suffix; whole or not at all.

    Parameters
    ----------
    path
        Ends in `.parquet` or `.csv`.
    chunks
        Drawn one at a time; in memory is one, and of Parquet a row group.

    Returns
    -------
    Written
        How many chunks and lines; of a CSV file the texts that begin like a formula. They are
        written as they are: a changed name would no longer be the name.

    Raises
    ------
    StoreError
        If the suffix is another one, pyarrow is not installed, or nothing can be written.
    """
    if path.suffix not in SUFFIXES:
        raise StoreError(
            f"--to {path}: a file ends in {' or '.join(SUFFIXES)}, not in '{path.suffix}'",
            hint=f"--to {path.with_suffix('.parquet').name}",
        )
    write = _write_parquet if path.suffix == ".parquet" else _write_csv
    if path.suffix == ".parquet":
        _arrow()  # before anything is read
    with atomic(path) as file:
        return write(file, schema, chunks)


def _write_csv(file: IO[bytes], schema: LongSchema, chunks: Iterable[Chunk]) -> Written:
    """RFC 4180: commas, CRLF, quotes where needed; empty for what is not there."""
    text = io.TextIOWrapper(file, "utf-8", errors="replace", newline="", write_through=True)
    writer = csv.writer(text)  # its own line end is CRLF
    writer.writerow([field.name for field in schema.fields])
    done = Written(formulas=set())
    for chunk in chunks:
        columns = [_plain(field, chunk, done) for field in schema.fields]
        writer.writerows(zip(*columns, strict=True))
        done.cells, done.lines = done.cells + 1, done.lines + chunk.length
    text.detach()
    return done


def _plain(field: Field, chunk: Chunk, done: Written) -> Iterator[Any]:
    """Give a column as csv writes it: None and NaN are empty, floats have all their digits."""
    own = chunk.own.get(field.name)
    if own is None:
        value = chunk.same[field.name]
        _note_formulas(field, [value], done)
        return repeat(value, chunk.length)
    values = own.tolist() if isinstance(own, np.ndarray) else own
    _note_formulas(field, values, done)
    if field.kind == "text":
        return iter(values)
    number = int if field.kind == "whole" else float
    return (None if one is None or one != one else number(one) for one in values)  # noqa: PLR0124


def _note_formulas(field: Field, values: Iterable[Any], done: Written) -> None:
    if field.kind == "text" and done.formulas is not None:
        done.formulas.update(one for one in values if one and one.startswith(_FORMULA))


def _write_parquet(file: IO[bytes], schema: LongSchema, chunks: Iterable[Chunk]) -> Written:
    arrow, parquet = _arrow()
    columns = _arrow_schema(arrow, schema)
    done, waiting, held = Written(), [], 0
    with parquet.ParquetWriter(file, columns, compression="zstd") as writer:
        for chunk in chunks:
            arrays = [_array(arrow, field, chunk) for field in schema.fields]
            waiting.append(arrow.Table.from_arrays(arrays, schema=columns))
            held += chunk.length
            done.cells, done.lines = done.cells + 1, done.lines + chunk.length
            if held >= GROUP_LINES:
                writer.write_table(arrow.concat_tables(waiting).unify_dictionaries())
                waiting, held = [], 0
        if waiting:
            writer.write_table(arrow.concat_tables(waiting).unify_dictionaries())
    return done


def _array(arrow: Any, field: Field, chunk: Chunk) -> Any:
    """Make a column of one chunk; text is written once and referred to by number."""
    kind = _arrow_type(arrow, field)
    own = chunk.own.get(field.name)
    if own is None:
        value = chunk.same[field.name]
        if value is None or field.kind != "text":
            return arrow.repeat(arrow.scalar(value, kind), chunk.length)
        places = arrow.array(np.zeros(chunk.length, np.int32))
        return arrow.DictionaryArray.from_arrays(places, arrow.array([_utf8(value)]))
    if field.kind == "text":
        texts = own.tolist() if isinstance(own, np.ndarray) else own
        plain = arrow.array([_utf8(one) for one in texts], arrow.string())
        return plain.dictionary_encode().cast(kind)
    if isinstance(own, np.ndarray):
        return arrow.array(own, from_pandas=True).cast(kind)  # NaN is nothing
    return arrow.array(own, kind)


def _utf8(text: str | None) -> str | None:
    """Replace what UTF-8 cannot hold: bytes of a file name that is not UTF-8 itself."""
    return None if text is None else text.encode("utf-8", "replace").decode()


def _arrow_schema(arrow: Any, schema: LongSchema) -> Any:
    fields = [
        arrow.field(field.name, _arrow_type(arrow, field), metadata={"description": field.note})
        for field in schema.fields
    ]
    told = {"adharness": json.dumps({"schema": schema.name, "version": schema.version})}
    return arrow.schema(fields, metadata=told)


def _arrow_type(arrow: Any, field: Field) -> Any:
    return {
        "text": lambda: arrow.dictionary(arrow.int32(), arrow.string()),
        "real": arrow.float64,
        "whole": arrow.int64,
        "flag": arrow.bool_,
    }[field.kind]()


def _arrow() -> tuple[Any, Any]:
    """Import pyarrow and its Parquet part, which only these files need."""
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as error:
        raise StoreError(
            "Parquet files are written by pyarrow, which is not installed",
            hint="pip install 'adharness[parquet]', or --to a file that ends in .csv",
        ) from error
