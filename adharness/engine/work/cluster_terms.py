"""What a Dask worker is told of a run, and how it is found unfit for it."""

from __future__ import annotations

import json
import platform
import secrets
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from adharness.engine.work.request import RunRequest
from adharness.errors import StoreError
from adharness.store.files import explained
from adharness.store.provenance import installed_versions
from adharness.suite.limits import LimitSettings


class Terms(BaseModel):
    """A run, and what a worker must have to take part.

    Parameters
    ----------
    threads
        Of the libraries in each process; None for the worker's cores shared out to its slots.
    mark
        Name of a file that lies in the run's folder and in the cache.
    versions
        Of every distribution that takes part, and of Python.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    request: RunRequest
    limits: LimitSettings
    threads: int | None
    mark: str
    versions: dict[str, str]


def python_version() -> dict[str, str]:
    """Give this interpreter's version as `Terms.versions` has it."""
    return {"Python": ".".join(platform.python_version_tuple()[:2])}


def new_mark() -> str:
    """Make up a name; of a killed run it stays in the cache, and is swept from its folder."""
    return f".cluster.{secrets.token_hex(4)}"


def agreed(told: str, worker: str) -> Terms:
    """Read the terms on a worker, and see that it can keep them.

    Raises
    ------
    StoreError
        It has another version of something, or does not see or cannot write what the run does.
    """
    versions: dict[str, str] = json.loads(told)["versions"]
    _check_versions(versions, worker)  # first: another version may not even read the terms
    terms = Terms.model_validate_json(told)
    _check_folder(terms.request.out, terms.mark, worker, "--out")
    _check_folder(terms.request.cache, terms.mark, worker, "--cache-dir")
    return terms


def _check_versions(wanted: Mapping[str, str], worker: str) -> None:
    here = installed_versions(wanted) | python_version()
    for name, version in wanted.items():
        if here.get(name) != version:
            has = f"{name} {here[name]}" if name in here else f"no {name}"
            raise StoreError(
                f"worker {worker} has {has}; the run was asked for with {name} {version}",
                hint="numbers of two versions must not mix: install the same environment there",
            )


def _check_folder(folder: Path, mark: str, worker: str, option: str) -> None:
    try:
        seen = (folder / mark).read_text() == mark
    except OSError:
        seen = False
    if not seen:
        raise StoreError(
            f"worker {worker} does not see {folder} as the run does: {mark} is not there",
            hint=f"give {option} a folder that every worker has under this path: docs/cluster.md",
        )
    own = folder / new_mark()
    try:
        own.write_text(worker)
        own.unlink()
    except OSError as error:
        raise StoreError(
            f"worker {worker} cannot write {folder}: {error.strerror}",
            hint=f"give the workers' user the right to, or choose another folder with {option}",
        ) from error


def put_mark(mark: str, *folders: Path) -> None:
    """Write the file that workers look for. Raises StoreError where that cannot be done."""
    for folder in folders:
        with explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / mark).write_text(mark)
