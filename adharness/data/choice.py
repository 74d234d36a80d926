"""Which classes of a data set are read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from adharness.errors import DataError
from adharness.suggest import closest


def choose_classes(
    name: str,
    present: Sequence[str],
    *,
    wanted: Sequence[str] | None = None,
    complete: Sequence[str] | None = None,
    where: Path | None = None,
) -> list[str]:
    """Return the classes to read, sorted.

    Parameters
    ----------
    name
        Of the data set, for messages.
    present
        The classes that were found.
    wanted
        Those asked for; None asks for all.
    complete
        The classes of the complete set; others are never read, and where all are asked for, none
        may be missing: a mean over some of the classes would carry the whole set's name.
    where
        The root, for messages.

    Raises
    ------
    DataError
        Where a class asked for is not there, with the closest name that is, or one is missing.
    """
    have = sorted(set(present) if complete is None else set(present) & set(complete))
    place = None if where is None else str(where)
    if wanted is None:
        missing = sorted(set(complete or ()) - set(have))
        if missing:
            raise DataError(
                f"{len(missing)} of the {len(complete or ())} classes of {name!r} are missing: "
                f"{', '.join(missing)}",
                hint="add them, or list the classes you want under `classes:`",
                where=place,
            )
        return have
    if not wanted:
        raise DataError(f"`classes` of {name!r} is empty", hint="leave it out to read all classes")
    for class_name in wanted:
        if class_name not in have:
            raise DataError(
                f"data set {name!r} has no class {class_name!r}",
                hint=closest(class_name, have, otherwise="its classes are"),
                where=place,
            )
    return sorted(set(wanted))
