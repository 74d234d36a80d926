"""What the owners of a data set published of it: its counts, and where its archive lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Counts(NamedTuple):
    """How many images a complete copy of a class has, as its reader gives them by default."""

    train: int
    good: int
    anomalous: int
    validation: int = 0


@dataclass(frozen=True, eq=False)
class Expected:
    """What a complete copy of a data set holds, as its owners published it.

    Parameters
    ----------
    classes
        All of them.
    counts
        Of each class whose numbers are published: images that train, good and anomalous ones that
        test, and good ones for validation.
    """

    classes: tuple[str, ...]
    counts: Mapping[str, Counts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Download:
    """An archive that the owners of a data set let anybody download.

    Parameters
    ----------
    url
        `https://`; a ZIP file or a tar file, plain or compressed by gzip or xz.
    sha256
        Of the archive, in hexadecimal: what is not this file is never unpacked.
    size_bytes
        Of the archive; None where it is not known.
    licence
        What is accepted by `--accept-licence`.
    terms
        Page of the licence's text.
    """

    url: str
    sha256: str
    size_bytes: int | None
    licence: str
    terms: str
