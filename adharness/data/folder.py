"""Data sets kept as files below a root, and the one of them that is read by the MVTec layout."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path

import numpy as np
from pydantic import Field

from adharness.arrays import Bool, UInt8
from adharness.contracts import (
    SETTING,
    ContentHash,
    DatasetSpec,
    DeclaredRegions,
    Licence,
    Params,
    Sample,
)
from adharness.data.images import hash_file, image_size, read_image, read_mask
from adharness.data.layout import MVTEC
from adharness.data.saturations import declared_regions
from adharness.data.source import FolderSource, Found, Wanted, existing_root
from adharness.data.tree import Tree
from adharness.errors import DataError


class RootParams(Params):
    """Parameters of every data set that is read from a folder."""

    root: Path | None = Field(
        None, description="folder that holds the data set", json_schema_extra=SETTING
    )
    classes: tuple[str, ...] | None = Field(None, description="classes to read; all by default")


class FolderParams(RootParams):
    """Parameters of `folder`, and of the other readers of your own images."""

    show_pixels: bool = Field(
        False, description="a published page may show the images", json_schema_extra=SETTING
    )
    licence: str = Field(
        "unknown", description="the licence, as printed on the board", json_schema_extra=SETTING
    )

    @property
    def terms(self) -> Licence:
        """What you say may be done with the pictures."""
        return Licence(self.licence, show_pixels=self.show_pixels)


class FolderDataset:
    """A data set of files: its source's reader finds the samples, this reads the pictures.

    Files are told by their ending, in any case; hidden and other files are ignored. Listing the
    samples decodes nothing, and no file is opened that lies outside the root.

    Parameters
    ----------
    root
        Folder that holds the set; None raises on the first read.
    source
        What is known of the set, and its reader.
    classes
        Classes to read; by default all, and where `source` names the classes of the complete set,
        all of them must be there.
    """

    def __init__(
        self, root: Path | None, source: FolderSource, classes: tuple[str, ...] | None = None
    ) -> None:
        self._root = root
        self._source = source
        self._classes = classes

    @property
    def licence(self) -> Licence:
        """What may be done with the pictures."""
        return self._source.licence

    @property
    def source(self) -> FolderSource:
        """What is known of the set, and its reader."""
        return self._source

    def samples(self) -> tuple[Sample, ...]:
        """All images, by class; a reader's own order within one.

        Raises
        ------
        DataError
            Where the root is missing or its reader finds it broken.
        """
        return tuple(self._found)

    def fingerprint(self, sample: Sample) -> ContentHash:
        """Hash the bytes of the image's file and of all that its mask is made from."""
        image = hash_file(self._place / sample.path)
        return ContentHash(image, _joint_hash([self._place / name for name in self.truth(sample)]))

    def image(self, sample: Sample) -> UInt8:
        """(H, W, 3) uint8 RGB; see `adharness.data.images` for the rules."""
        return read_image(self._place / sample.path)

    def image_size(self, sample: Sample) -> tuple[int, int]:
        """(height, width) from the file's header. Raises DataError naming the file."""
        return image_size(self._place / sample.path)

    def mask(self, sample: Sample) -> Bool | DeclaredRegions | None:
        """(H, W) bool, the union of the sample's masks; or its declared regions, or None.

        Raises
        ------
        DataError
            Where a mask cannot be read or its size is not the image's.
        """
        found = self._one(sample)
        if not found.masks:
            return None
        paths = [self._place / name for name in found.masks]
        size = self.image_size(sample)
        for path in paths:
            _check_size(path, sample, size)
        if found.saturations:
            return declared_regions(paths, self._place / found.saturations)
        return np.asarray(np.logical_or.reduce([read_mask(path) for path in paths]))

    def truth(self, sample: Sample) -> tuple[str, ...]:
        """Names, relative to the root, of the files that the sample's mask is made from."""
        found = self._one(sample)
        return (*found.masks, found.saturations) if found.saturations else found.masks

    def unpaired_masks(self) -> tuple[str, ...]:
        """Names, relative to the root, of the masks that belong to no image, for a check-up."""
        return tuple(self._source.reader.orphans(Tree(self._place), self._wanted))

    @property
    def _wanted(self) -> Wanted:
        return Wanted(self._source.name, self._classes, self._source.classes)

    @property
    def _place(self) -> Path:
        return existing_root(self._root, self._source)

    @cached_property
    def _found(self) -> dict[Sample, Found]:
        found = self._source.reader.read(Tree(self._place), self._wanted)
        return {one.sample: one for one in found}

    def _one(self, sample: Sample) -> Found:
        try:
            return self._found[sample]
        except KeyError:
            raise DataError(f"{sample.path!r} is no image of {self._source.name!r}") from None


def _joint_hash(paths: list[Path]) -> str | None:
    """One hash of some files; that of a single one is its own."""
    hashes = [hash_file(path) for path in paths]
    if len(hashes) < 2:
        return hashes[0] if hashes else None
    return hashlib.sha256(" ".join(hashes).encode()).hexdigest()


def _check_size(mask: Path, sample: Sample, size: tuple[int, int]) -> None:
    height, width = image_size(mask)
    if (height, width) != size:
        raise DataError(
            f"mask {mask.name!r} is {width} x {height} pixels, "
            f"but its image {sample.path!r} is {size[1]} x {size[0]}",
            hint="a mask has its image's size: scale it with nearest-neighbour sampling",
            where=str(mask),
        )


def _make(params: FolderParams) -> FolderDataset:
    source = FolderSource("folder", params.terms, MVTEC)
    return FolderDataset(params.root, source, params.classes)


FOLDER = DatasetSpec(
    name="folder",
    params=FolderParams,
    make=_make,
    summary="Your own images, in folders of the MVTec layout.",
    source="Bergmann et al., The MVTec Anomaly Detection Dataset, IJCV 2021 (the layout)",
)
"""The reader `folder`."""
