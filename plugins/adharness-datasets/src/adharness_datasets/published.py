"""Makes the record of a published data set that lies in a folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from adharness import DatasetSpec, Expected, Licence
from adharness.data import FolderDataset, FolderSource, Reader, RootParams
from adharness_datasets.downloads import DOWNLOADS

NC_SA = Licence("CC BY-NC-SA 4.0", show_pixels=False)


class About(NamedTuple):
    """What a reader of the board should know of a set.

    Parameters
    ----------
    summary
        One line for `adharness components`.
    citation
        The paper, for the board.
    url
        Where the data comes from.
    folder
        What its root folder is usually called.
    """

    summary: str
    citation: str
    url: str
    folder: str


def source_of(
    name: str, about: About, licence: Licence, expected: Expected, reader: Reader
) -> FolderSource:
    """Say what is known of a set; its classes are those of a complete copy."""
    return FolderSource(
        name=name,
        licence=licence,
        reader=reader,
        folder=about.folder,
        origin=f"it comes from {about.url} (licence: {licence.name})",
        classes=expected.classes,
    )


def published(
    name: str, about: About, licence: Licence, expected: Expected, reader: Reader
) -> DatasetSpec:
    """Make the record of a set that needs no parameter besides its root and its classes."""
    source = source_of(name, about, licence, expected, reader)

    def make(params: RootParams) -> FolderDataset:
        return FolderDataset(params.root, source, params.classes)

    return record(name, about, expected, RootParams, make)


def record(
    name: str,
    about: About,
    expected: Expected,
    params: type[RootParams],
    make: Callable[..., FolderDataset],
) -> DatasetSpec:
    """Make the record of a set with parameters of its own."""
    return DatasetSpec(
        name=name,
        params=params,
        make=make,
        summary=about.summary,
        source=about.citation,
        citation=about.citation,
        url=about.url,
        expected=expected,
        download=DOWNLOADS.get(name),
    )
