"""The folder of a new plugin: whole or not at all, and never over anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from adharness.errors import StoreError
from adharness.store.files import explained, replaced_folder, write_text


def write(files: Mapping[str, str], out: Path) -> None:
    """Write files into a folder that does not exist yet, or is empty.

    Parameters
    ----------
    files
        Text by path, with forward slashes.
    out
        The folder.

    Raises
    ------
    StoreError
        Something is there already, or it cannot be written; nothing is left behind.
    """
    out = out.absolute()
    try:
        with explained(out):
            refuse_occupied(out)
        with replaced_folder(out, along=lambda _: True) as folder:
            for path, text in files.items():
                write_text(folder / path, text)
    except StoreError as error:
        cause = error.__cause__
        if not isinstance(cause, OSError):
            raise
        raise StoreError(  # the message of `explained` is of a run, which could be resumed
            f"cannot write {out}: {cause.strerror or cause}",
            hint="choose another folder with --out, or free some space; nothing was written",
        ) from cause


def refuse_occupied(out: Path) -> None:
    """Raise StoreError where something is in the way, or the folder is where one stands."""
    hint = "nothing is overwritten: choose another folder with --out"
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise StoreError(f"{out} exists already, and is no folder", hint=hint)
    if out.is_dir() and any(out.iterdir()):
        raise StoreError(f"{out} exists already, and is not empty", hint=hint)
    if out.is_dir() and Path.cwd().is_relative_to(out.resolve()):
        raise StoreError(f"{out} is the folder you are in", hint=hint)
