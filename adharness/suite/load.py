"""From a path to a suite whose structure is right. Names are looked up later, in `bind`."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from adharness.errors import SuiteError
from adharness.suite.checks import check_document
from adharness.suite.schema import Document
from adharness.suite.source import Source, parse
from adharness.suite.wording import combine, validate

MAX_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Suite:
    """A suite file: what it says, and where it says it."""

    document: Document
    source: Source


def load_suite(path: str | Path) -> Suite:
    """Read a suite file.

    Raises
    ------
    SuiteError
        If the file is missing, not text, not YAML or larger than 1 MiB, or if anything in it is
        wrong that can be told without plugins. All such mistakes are reported together.
    """
    path = Path(path)
    return parse_suite(path, _text(path))


def parse_suite(path: Path, text: str) -> Suite:
    """Read a suite from its text; errors cite `path`. Raises as `load_suite`."""
    source = parse(path, text)
    document, errors = validate(Document, source.values, source, lambda loc: loc)
    if document is not None:
        errors = check_document(document, source)
    if document is None or errors:
        raise combine(errors)
    return Suite(document, source)


def _text(path: Path) -> str:
    data = _bytes(path)
    if len(data) > MAX_BYTES:
        fact = f"the suite is larger than {MAX_BYTES} bytes"
        raise SuiteError(fact, where=str(path), hint="is this the right file?")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        fact = f"the suite is not text: byte {error.start} is no UTF-8"
        hint = "save it as UTF-8, or give the path of a YAML file"
        raise SuiteError(fact, where=f"{path}:{line}", hint=hint) from error


def _bytes(path: Path) -> bytes:
    if path.is_dir():
        raise SuiteError("the suite is a folder", where=str(path), hint=_neighbours(path, ""))
    if not path.exists():
        hint = _neighbours(path.parent, path.name)
        raise SuiteError("there is no such suite file", where=str(path), hint=hint)
    if not path.is_file():
        raise SuiteError("the suite is not a regular file", where=str(path))
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        fact = f"the suite cannot be read: {error.strerror}"
        raise SuiteError(fact, where=str(path)) from error


def _neighbours(folder: Path, name: str) -> str:
    """Hint: suites in this folder, the ones with a close name where there are any."""
    if not folder.is_dir():
        return f"there is no folder '{folder}' either"
    names = sorted(p.name for p in folder.iterdir() if p.suffix in {".yaml", ".yml"})
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(f"'{folder / found}'" for found in close) + "?"
    listed = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    return f"suites in '{folder}': {listed}" if names else f"no suites are in '{folder}'"
